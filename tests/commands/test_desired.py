"""Two small files: whole or not at all, and a version that only rises - whatever the disk or an older release does."""

import json
from pathlib import Path

import pytest

from agent import config as configuration
from agent.commands import desired
from agent.commands.desired import FIXED, Held, Shelf, Version, effective, text_hash, validated
from agent.config import Config
from agent.errors import ConfigError, Refused, StateError

ID = b"i" * 16
TEXT = "[summaries]\ninterval_s = 30\n"


def held(number: int = 1, text: str = TEXT, identity: bytes = ID) -> Held:
    return Held(identity, Version(number, text_hash(text)), text)


def test_kept_and_in_force(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "uplink")
    assert shelf.held() is None
    assert shelf.floor() == Version(0, b"")
    assert effective(Config(), tmp_path) == (Config(), "")
    shelf.put(held())
    assert Shelf(tmp_path / "uplink").held() == held()
    config, error = effective(Config(), tmp_path)
    assert (config.summaries.interval_s, error) == (30, "")


@pytest.mark.parametrize(
    ("number", "text", "reason"), [(2, TEXT, "rollback"), (1, TEXT, "rollback"), (3, TEXT + "#", "equivocation")]
)
def test_a_version_only_rises(tmp_path: Path, number: int, text: str, reason: str) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(held(3))
    with pytest.raises(Refused) as caught:
        shelf.check(Version(number, text_hash(text)))
    assert caught.value.reason == reason
    assert not shelf.check(held(3).version)
    assert shelf.check(held(4).version)


def test_the_floor_outlives_the_file_and_an_older_release(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(held(3))
    (tmp_path / "config.json").unlink()
    with pytest.raises(Refused):
        Shelf(tmp_path).check(held(2).version)
    assert Shelf(tmp_path).check(held(3).version), "the same again may be put back"


def test_cut_between_floor_and_file_it_can_be_given_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, written = Shelf(tmp_path), list[Path]()
    shelf.put(held(1))
    plain = desired.write_atomically

    def cut(path: Path, content: bytes) -> None:
        if written:
            raise OSError(5, "Input/output error")
        written.append(path)
        plain(path, content)

    monkeypatch.setattr(desired, "write_atomically", cut)
    with pytest.raises(OSError, match="Input/output"):
        shelf.put(held(2))
    assert [path.name for path in written] == ["config.floor.json"]
    assert shelf.held() == held(1), "what was in force stays"
    assert shelf.check(held(2).version)
    with pytest.raises(Refused):
        shelf.check(held(1).version)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"version": "2"}', b'{"version": 0, "sha256": ""}', b"[" * 900]
)
def test_a_damaged_floor_takes_nothing(tmp_path: Path, content: bytes) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(held(1))
    (tmp_path / "config.floor.json").write_bytes(content)
    with pytest.raises(StateError):
        shelf.check(held(9).version)


@pytest.mark.parametrize(
    "change", [{"text": TEXT + " "}, {"text": 7}, {"id": "00"}, {"sha256": "zz"}, {"version": True}]
)
def test_a_damaged_file_is_not_used_and_said(tmp_path: Path, change: dict[str, object]) -> None:
    shelf = Shelf(tmp_path / "uplink")
    shelf.put(held(1))
    path = tmp_path / "uplink" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    config, error = effective(Config(), tmp_path)
    assert config == Config()
    assert "damaged" in error
    assert shelf.check(held(1).version), "the same again mends it"


def test_a_text_of_another_release_is_not_used_and_said(tmp_path: Path) -> None:
    text = "[metering]\nof_the_future = 1\n"
    Shelf(tmp_path / "uplink").put(held(5, text))
    config, error = effective(Config(), tmp_path)
    assert config == Config()
    assert "of_the_future" in error


def test_reported_once(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert shelf.untold() is None
    shelf.put(held(1))
    assert shelf.untold() == held(1)
    shelf.tell(ID)
    assert Shelf(tmp_path).untold() is None


VALUES = {
    "site.site": "'other'", "site.agent": "'tap-9'", "tap.legs": "['eth9']", "tap.backend": "'pcapy'",
    "findings.contracts": "'/tmp'", "uplink.broker": "'mqtts://evil:8883'", "uplink.ca": "'/tmp/ca'",
    "uplink.certificate": "'/tmp/c'\nkey = '/tmp/k'", "uplink.key": "'/tmp/k'\ncertificate = '/tmp/c'",
    "state.directory": "'/tmp'",
}  # fmt: skip


@pytest.mark.parametrize("name", [f"{section}.{key}" for section, keys in FIXED.items() for key in keys])
def test_what_is_fixed_on_the_appliance_stays(name: str) -> None:
    section, key = name.split(".")
    with pytest.raises(Refused) as caught:
        validated(f"[{section}]\n{key} = {VALUES[name]}\n", Config())
    assert caught.value.reason == "fixed"
    assert name in caught.value.what


def test_every_place_and_address_of_the_configuration_is_fixed() -> None:
    """A new key that names a file or a host must be put into the table."""
    named = {
        f"{section}.{key}"
        for section, keys in Config().tables().items()
        for key, value in keys.items()
        if isinstance(value, str)
    }
    assert named - {f"{section}.{key}" for section, keys in FIXED.items() for key in keys} == {"tap.filter"}


def test_one_bad_word_refuses_all() -> None:
    with pytest.raises(ConfigError):
        validated(TEXT + "[uplink]\nwindow = 0\n", Config())
    assert validated(configuration.to_toml(Config()), Config()) == Config()
