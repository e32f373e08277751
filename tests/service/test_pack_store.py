"""Packs of a site: taken over whole or not at all; what is in force changes nothing when the next one is refused."""

from pathlib import Path
from typing import Any

import pytest

from agent.config import Config
from agent.devices.packs import Packs
from agent.devices.site_packs import in_force
from agent.errors import InputError, Refused, StateError
from agent.service.cli import main
from agent.service.pack_store import sources_in, take_over
from agent.service.parts import judgement
from agent.signing.packs import SEAL_NAME, read_files, seal_pack
from agent.wire.types import Role
from tests.service.bench import KEY
from tests.simulators.kit import SITE, Kit

NOW_NS = 10**18
SIGNALS = """version = "ward-{serial}"
[sources]
ward = "the ward's own inventory"
[signals]
rules = [{{ signal = "dhcp.vendor", prefix = ["ward-pump"], token = "ward-pump", roles = {{ infusion-pump = {vote} }}, \
vendor = "Wardworks", model = "W1", status = "V", source = "ward" }}]
services = [{{ port = "tcp/3613", offers = {{ pump-gateway = 0.5 }}, status = "V", source = "ward" }}]
"""


def source(folder: Path, kit: Kit, serial: int = 1, vote: float = 2.0, **said: Any) -> Path:
    """A signed pack with one rule."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "signals.toml").write_text(SIGNALS.format(serial=serial, vote=vote))
    named = {"name": "ward-devices", "site": SITE, "serial": serial} | said
    (folder / SEAL_NAME).write_bytes(seal_pack(read_files(folder), [kit.people[Role.ENGINEER]], **named))
    return folder


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    """A state folder with its trust table."""
    return Kit(tmp_path / "state").lay()


def test_taken_over_and_in_force(tmp_path: Path, kit: Kit) -> None:
    done = take_over(source(tmp_path / "in", kit), kit.state, kit.trust, NOW_NS)
    assert (done.name, done.serial, done.signers, done.new) == ("ward-devices", 1, ("a-engineer",), True)
    packs = judgement(Config(), KEY, kit.state).packs
    rule = packs.rule("dhcp.vendor", "ward-pump 7")
    assert rule is not None
    assert (rule.vendor, rule.votes) == ("Wardworks", {"infusion-pump": 2.0})
    assert packs.services["tcp/3613"].offers == {"pump-gateway": 0.5}, "the site's word comes first"
    assert "ward-1" in packs.version
    assert Packs.load().rule("dhcp.vendor", "ward-pump 7") is None, "the shipped ones are as they were"


def test_again_is_nothing_new_and_a_newer_one_takes_its_place(tmp_path: Path, kit: Kit) -> None:
    take_over(source(tmp_path / "in", kit), kit.state, kit.trust, NOW_NS)
    assert not take_over(tmp_path / "in", kit.state, kit.trust, NOW_NS).new
    assert take_over(source(tmp_path / "in", kit, serial=7), kit.state, kit.trust, NOW_NS).new
    assert [path.name for path in in_force(kit.state)] == ["7"]
    assert [path.name for path in (kit.state / "packs" / "ward-devices").iterdir()] == ["7"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"serial": 1}, "rollback"), ({"serial": 2, "vote": 1.0}, "equivocation"), ({"site": "elsewhere"}, "wrong-site")],
)
def test_what_is_refused_changes_nothing(tmp_path: Path, kit: Kit, changes: dict[str, Any], reason: str) -> None:
    take_over(source(tmp_path / "in", kit, serial=2), kit.state, kit.trust, NOW_NS)
    with pytest.raises(Refused) as refused:
        take_over(source(tmp_path / "other", kit, **changes), kit.state, kit.trust, NOW_NS)
    assert refused.value.reason == reason
    assert [path.name for path in in_force(kit.state)] == ["2"]


def test_lines_that_cannot_be_used_are_refused_before_they_count(tmp_path: Path, kit: Kit) -> None:
    take_over(source(tmp_path / "in", kit), kit.state, kit.trust, NOW_NS)
    with pytest.raises(InputError, match="no vote"):
        take_over(source(tmp_path / "other", kit, serial=2, vote=99.0), kit.state, kit.trust, NOW_NS)
    assert [path.name for path in in_force(kit.state)] == ["1"]
    assert not list(kit.state.rglob(".new"))


def test_a_pack_that_this_release_cannot_use_keeps_no_sensor_from_work(tmp_path: Path, kit: Kit) -> None:
    """As after a rollback of the software: it was taken over by a release that knew more."""
    take_over(source(tmp_path / "in", kit), kit.state, kit.trust, NOW_NS)
    (path,) = in_force(kit.state)
    (path / "signals.toml").write_text('[signals]\nrules = [{ signal = "of.tomorrow" }]\n[sources]\n')
    parts = judgement(Config(), KEY, kit.state)
    assert parts.packs.rules
    assert [str(path) in str(fault) for fault in parts.refused] == [True]


def test_a_state_folder_that_cannot_be_written(tmp_path: Path, kit: Kit) -> None:
    (kit.state / "packs").write_text("in the way")
    with pytest.raises(StateError):
        take_over(source(tmp_path / "in", kit), kit.state, kit.trust, NOW_NS)


def test_the_command(tmp_path: Path, kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    source(tmp_path / "in" / "one", kit)
    source(tmp_path / "in" / "two", kit, name="more", site="elsewhere")
    asked = ["packs", str(tmp_path / "in"), "--state", str(kit.state)]
    assert main(asked) == Refused.exit_code
    said = capsys.readouterr()
    assert "ward-devices 1, signed by a-engineer: taken over" in said.out
    assert "for elsewhere" in said.err
    assert main(["packs", "--state", str(kit.state)]) == 0
    assert "site     ward-devices 1" in capsys.readouterr().out


def test_no_pack_there(tmp_path: Path, kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError):
        sources_in(tmp_path / "state")
    assert main(["packs", str(tmp_path), "--state", str(kit.state)]) == InputError.exit_code
    assert "no pack here" in capsys.readouterr().err
