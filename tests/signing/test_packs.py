"""Signed packs: who may vouch for what, and that only what was signed is handed on."""

from pathlib import Path
from typing import Any

import pytest

from agent.errors import InputError, Refused, StateError, WireError
from agent.signing.envelope import add_signature
from agent.signing.keys import PrivateKey
from agent.signing.packs import SEAL_NAME, open_pack, read_files, seal_pack
from agent.wire.authority import PACK_FILES_MAX
from tests.signing.people import AGENT, COLLECTOR, CUSTODIAN, ENGINEER, OPERATOR, RELEASES, STRANGER, TRUST

FILES = {"signals.toml": b'version = "1"\n', "contracts/infusion-pump.toml": b'role = "infusion-pump"\n'}


def pack(folder: Path, keys: list[PrivateKey], **said: Any) -> Path:
    """A folder with its files and their seal."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, octets in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(octets)
    sealed = seal_pack(read_files(folder), keys, **{"name": "ward-devices", "site": "ward", "serial": 3} | said)
    (folder / SEAL_NAME).write_bytes(sealed)
    return folder


@pytest.mark.parametrize("keys", [[ENGINEER], [CUSTODIAN], [ENGINEER, CUSTODIAN], RELEASES[:2], RELEASES])
def test_who_may_sign(tmp_path: Path, keys: list[PrivateKey]) -> None:
    opened = open_pack(pack(tmp_path, keys), TRUST, now_ns=5)
    assert (opened.name, opened.site, opened.serial) == ("ward-devices", "ward", 3)
    assert dict(opened.files) == FILES
    assert len(opened.signers) == len(keys)


@pytest.mark.parametrize(
    ("keys", "said", "reason"),
    [
        ([OPERATOR], {}, "not-allowed"),
        ([COLLECTOR], {}, "not-allowed"),
        ([AGENT], {}, "not-allowed"),
        ([STRANGER], {}, "unknown-key"),
        (RELEASES[:1], {}, "not-allowed"),
        ([RELEASES[0], ENGINEER], {}, "not-allowed"),
        ([ENGINEER, STRANGER], {}, "unknown-key"),
        ([ENGINEER], {"site": "elsewhere"}, "wrong-site"),
        ([ENGINEER], {"not_after_ns": 4}, "expired-pack"),
        ([ENGINEER], {"serial": 1}, "rollback"),
    ],
)
def test_refused(tmp_path: Path, keys: list[PrivateKey], said: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        open_pack(pack(tmp_path, keys, **said), TRUST, now_ns=5, serial_min=2)
    assert refused.value.reason == reason
    assert str(tmp_path) in str(refused.value)


def test_release_keys_speak_for_every_site(tmp_path: Path) -> None:
    assert open_pack(pack(tmp_path, RELEASES[:2], site="any"), TRUST).site == "any"


def test_the_second_release_signature_may_be_made_elsewhere(tmp_path: Path) -> None:
    folder = pack(tmp_path, RELEASES[:1])
    (folder / SEAL_NAME).write_bytes(add_signature((folder / SEAL_NAME).read_bytes(), RELEASES[2]))
    assert open_pack(folder, TRUST).signers == ("release-1", "release-3")


def _changed(folder: Path) -> None:
    (folder / "signals.toml").write_bytes(b'version = "2"\n')


def _longer(folder: Path) -> None:
    (folder / "signals.toml").write_bytes(FILES["signals.toml"] + b"\n")


def _more(folder: Path) -> None:
    (folder / "vendors.toml").write_bytes(b"")


def _missing(folder: Path) -> None:
    (folder / "signals.toml").unlink()


def _swapped(folder: Path) -> None:
    (folder / "signals.toml").write_bytes(FILES["contracts/infusion-pump.toml"])


def _odd_name(folder: Path) -> None:
    (folder / "Signals.TOML.sh").write_bytes(b"")


@pytest.mark.parametrize("harm", [_changed, _longer, _more, _missing, _swapped, _odd_name])
def test_other_files_than_were_signed(tmp_path: Path, harm: Any) -> None:
    folder = pack(tmp_path, [ENGINEER])
    harm(folder)
    with pytest.raises(Refused) as refused:
        open_pack(folder, TRUST)
    assert refused.value.reason == "bad-pack"


def test_a_link_is_no_file_of_a_pack(tmp_path: Path) -> None:
    folder = pack(tmp_path / "pack", [ENGINEER])
    (tmp_path / "elsewhere.toml").write_bytes(FILES["signals.toml"])
    (folder / "signals.toml").unlink()
    (folder / "signals.toml").symlink_to(tmp_path / "elsewhere.toml")
    with pytest.raises(StateError):
        open_pack(folder, TRUST)


def test_a_signature_of_another_type_is_none(tmp_path: Path) -> None:
    folder = pack(tmp_path, [ENGINEER])
    sealed = (folder / SEAL_NAME).read_bytes()
    (folder / SEAL_NAME).write_bytes(sealed.replace(b"wardtap/pack.v1", b"wardtap/pack.v2"))
    with pytest.raises(Refused):
        open_pack(folder, TRUST)


@pytest.mark.parametrize("at", range(0, 260, 13))
def test_no_octet_of_the_seal_may_change(tmp_path: Path, at: int) -> None:
    folder = pack(tmp_path, [ENGINEER])
    sealed = bytearray((folder / SEAL_NAME).read_bytes())
    sealed[at % len(sealed)] ^= 1
    (folder / SEAL_NAME).write_bytes(sealed)
    with pytest.raises(Refused):
        open_pack(folder, TRUST)


def test_what_cannot_be_a_pack(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 to"):
        read_files(tmp_path)
    for number in range(PACK_FILES_MAX + 1):
        (tmp_path / f"f{number}.toml").write_bytes(b"")
    with pytest.raises(InputError, match="1 to"):
        read_files(tmp_path)
    with pytest.raises(WireError):
        seal_pack(FILES, [ENGINEER], name="Not A Name", site="ward", serial=1)
