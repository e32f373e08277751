"""Suppressions of the site: signed, taken over, in force within a minute, and never the reason why nothing works."""

from pathlib import Path
from typing import Any

import pytest

from agent.devices.baseline import Baseline
from agent.devices.roles import ROLES
from agent.errors import ConfigError, Refused
from agent.findings.engine import Engine
from agent.service.pack_store import take_over
from agent.service.suppression_store import LOOK_EVERY_S, SuppressionKeeper, read_explained
from agent.signing.packs import SEAL_NAME, read_files, seal_pack
from agent.wire.types import Role
from tests.findings.bench import CONTRACTS, START_NS, Bench, S
from tests.simulators.kit import SITE, Kit

NOW_NS = 10**18
TEXT = """version = "1"
[[suppression]]
id = "contract-breach"
device = "00:d0:75:18:00:00"
severity = "page"
start = "2026-11-01T00:00:00Z"
until = "2026-12-01T00:00:00Z"
owner = "R. Okafor"
why = "the maker's laptop"
"""


def source(folder: Path, kit: Kit, text: str = TEXT, role: Role = Role.ENGINEER, **said: Any) -> Path:
    """A signed pack with these suppressions."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suppressions.toml").write_text(text)
    named = {"name": "ward-explained", "site": SITE, "serial": 1} | said
    (folder / SEAL_NAME).write_bytes(seal_pack(read_files(folder), [kit.people[role]], **named))
    return folder


@pytest.fixture
def bench() -> Bench:
    """Devices that are what the test says."""
    return Bench()


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    """A state folder with its trust table."""
    return Kit(tmp_path / "state").lay()


@pytest.fixture
def said() -> list[str]:
    """What the keeper told."""
    return []


def engine() -> Engine:
    """One that has said nothing yet."""
    return Engine(CONTRACTS, None, Baseline(ROLES))


def test_signed_taken_over_and_in_force(tmp_path: Path, kit: Kit, bench: Bench, said: list[str]) -> None:
    take_over(source(tmp_path / "in", kit), kit.state, kit.trust, NOW_NS)
    keeper = SuppressionKeeper(kit.state, said.append)
    assert keeper.health() == {}
    keeper.look(bench.engine, START_NS // S)
    assert said == ["1 suppressions and 0 change windows declared"]
    pacs = bench.add("pacs")
    assert not bench.judge([bench.edge(pacs, "10.1.1.1", 6667)])
    assert keeper.health() == {"suppressions": 1, "findings_suppressed": 1}


def test_a_newer_pack_takes_its_place_while_the_sensor_runs(tmp_path: Path, kit: Kit, said: list[str]) -> None:
    judge, keeper = engine(), SuppressionKeeper(kit.state, said.append)
    keeper.look(judge, LOOK_EVERY_S)
    assert judge.silence.rules == ()
    take_over(source(tmp_path / "in", kit), kit.state, kit.trust, NOW_NS)
    keeper.look(judge, LOOK_EVERY_S + 1)
    assert judge.silence.rules == (), "it looks twice a minute"
    keeper.look(judge, 2 * LOOK_EVERY_S)
    assert len(judge.silence.rules) == 1
    take_over(source(tmp_path / "in", kit, 'version = "2"\n', serial=2), kit.state, kit.trust, NOW_NS)
    keeper.look(judge, 3 * LOOK_EVERY_S)
    assert judge.silence.rules == ()


@pytest.mark.parametrize("finding_id", ["tap-transmitted", "equivocation", "capture-loss", "nonsense"])
def test_a_pack_that_switches_a_control_off_is_not_taken_over(tmp_path: Path, kit: Kit, finding_id: str) -> None:
    bad = source(tmp_path / "in", kit, TEXT.replace("contract-breach", finding_id))
    with pytest.raises(ConfigError, match=r"suppressions.toml: suppression\[1\]|suppression"):
        take_over(bad, kit.state, kit.trust, NOW_NS)
    assert read_explained([kit.state / "packs" / "ward-explained"]).suppressions == ()


def test_who_may_not_sign_explains_nothing(tmp_path: Path, kit: Kit) -> None:
    with pytest.raises(Refused):
        take_over(source(tmp_path / "in", kit, site="elsewhere"), kit.state, kit.trust, NOW_NS)
    good = source(tmp_path / "good", kit)
    (good / "suppressions.toml").write_text(TEXT.replace("contract-breach", "new-edge"))
    with pytest.raises(Refused, match="not as it was signed"):
        take_over(good, kit.state, kit.trust, NOW_NS)


def test_a_file_of_tomorrow_leaves_what_was_in_force(tmp_path: Path, kit: Kit, said: list[str]) -> None:
    judge, keeper = engine(), SuppressionKeeper(kit.state, said.append)
    take_over(source(tmp_path / "in", kit), kit.state, kit.trust, NOW_NS)
    keeper.look(judge, LOOK_EVERY_S)
    folder = kit.state / "packs" / "ward-explained" / "2"
    folder.mkdir()
    for round_ in (2, 3):
        for octets in (b"= 1", b"\xff", b"#" * 300_000):
            (folder / "suppressions.toml").write_bytes(octets)
            keeper.look(judge, round_ * LOOK_EVERY_S)
    assert len(judge.silence.rules) == 1
    assert sum("stay as they were" in text for text in said) == 1, "said once"


def test_packs_without_suppressions_explain_nothing(tmp_path: Path) -> None:
    assert read_explained([tmp_path, tmp_path / "none"]).suppressions == ()
