"""A configuration is taken when it is authentic, ours, newer and whole; all else changes nothing, answered once."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.clock import SystemClock, boot_id
from agent.commands.audit import AuditLog
from agent.commands.desired import Shelf
from agent.commands.inbox import Place
from agent.commands.policy import Policy
from agent.commands.settings import Settings, receipt_id
from agent.config import Config
from agent.signing.envelope import open_envelope
from agent.wire.types import Role
from tests.commands.conftest import Receipts
from tests.simulators.kit import AGENT, SITE, Kit

GOOD = "[summaries]\ninterval_s = 30\n"
BAD = "[summaries]\ninterval_s = 0\n"


class Bench:
    """Settings on one folder, which can be opened again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.kit, self.receipts = folder, Kit(folder / "state"), Receipts()
        self.changed: list[bytes] = []
        self.policy = Policy()
        self.audit = AuditLog(folder / "audit.log", SystemClock())
        self.reopen()

    def reopen(self) -> None:
        self.settings = Settings(
            place=Place(AGENT, SITE, boot_id()),
            key_id=lambda: self.kit.agent.key_id,
            present=Config(),
            shelf=Shelf(self.folder),
            policy=self.policy,
            audit=self.audit,
            receipts=self.receipts,
            changed=self.changed.append,
        )

    def receive(self, payload: bytes) -> None:
        self.settings.receive(payload, self.kit.trust)

    def version(self) -> int:
        return self.settings.shelf.floor().number


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.audit.close()


def test_taken_written_down_and_reported_after_the_start(bench: Bench) -> None:
    payload = bench.kit.desired(GOOD, 3)
    bench.receive(payload)
    identity = receipt_id(open_envelope(payload, bench.kit.trust).body)
    assert bench.changed == [identity]
    assert bench.version() == 3
    bench.reopen()
    bench.settings.report(Config(), "")
    bench.settings.report(Config(), "")
    assert [(receipt.id, receipt.state) for receipt in bench.receipts.all] == [
        (identity, "accepted"),
        (identity, "done"),
    ]
    result = bench.receipts.all[-1].result
    assert result["version"] == 3
    assert result["config"].hex() == Config().sha256
    assert json.loads((bench.folder / "audit.log").read_text())["signers"] == "a-engineer"


def test_given_again_at_every_link_it_is_no_news(bench: Bench) -> None:
    for _ in range(3):
        bench.receive(bench.kit.desired(GOOD, 3))
    bench.reopen()
    bench.receive(bench.kit.desired(GOOD, 3))
    assert len(bench.receipts.all) == 1
    assert len(bench.changed) == 1


Forge = Callable[[Kit], bytes]
REFUSED: dict[str, tuple[str, Forge]] = {
    "not whole": ("bad-config", lambda kit: kit.desired(BAD, 3)),
    "no TOML": ("bad-config", lambda kit: kit.desired("\x00", 3)),
    "no such key": ("bad-config", lambda kit: kit.desired("[tap]\nleg = 1\n", 3)),
    "another broker": ("fixed", lambda kit: kit.desired("[uplink]\nbroker = 'mqtts://evil:8883'\n", 3)),
    "older": ("rollback", lambda kit: kit.desired(GOOD, 1)),
    "the same number": ("equivocation", lambda kit: kit.desired(GOOD + "#", 2)),
    "for another key": ("wrong-key", lambda kit: kit.desired(GOOD, 3, key_id=bytes(8))),
    "an operator's": ("wrong-role", lambda kit: kit.desired(GOOD, 3, kit.people[Role.OPERATOR])),
    "an operator's beside an engineer's": (
        "wrong-role",
        lambda kit: kit.desired(GOOD, 3, kit.people[Role.ENGINEER], kit.people[Role.OPERATOR]),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_authentic_one_that_may_not_be_changes_nothing_and_is_answered_once(bench: Bench, name: str) -> None:
    reason, forge = REFUSED[name]
    bench.receive(bench.kit.desired("[summaries]\ninterval_s = 20\n", 2))
    before = bench.settings.shelf.held()
    for _ in range(2):
        bench.receive(forge(bench.kit))
    assert bench.settings.shelf.held() == before
    assert bench.version() == 2
    assert len(bench.changed) == 1
    assert [receipt.state for receipt in bench.receipts.all] == ["accepted", "refused"]
    assert bench.receipts.all[-1].reason.startswith(f"{reason}: ")
    assert json.loads((bench.folder / "audit.log").read_text().splitlines()[-1])["reason"] == reason


STRANGERS: dict[str, tuple[str, Forge]] = {
    "noise": ("bad-envelope", lambda _: b"noise"),
    "nobody's": ("unknown-key", lambda kit: kit.desired(GOOD, 3, kit.stranger)),
    "a collector's": ("not-allowed", lambda kit: kit.desired(GOOD, 3, kit.collector)),
    "an agent's": ("not-allowed", lambda kit: kit.desired(GOOD, 3, kit.agent)),
    "another site's": ("wrong-site", lambda kit: kit.desired(GOOD, 3, kit.abroad)),
    "another tap's": ("wrong-agent", lambda kit: kit.desired(GOOD, 3, agent="tap-2")),
    "a command": ("wrong-type", lambda kit: kit.command()),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_is_counted_and_not_answered(bench: Bench, name: str) -> None:
    reason, forge = STRANGERS[name]
    bench.receive(forge(bench.kit))
    assert bench.settings.counts == {reason: 1}
    assert bench.receipts.all == []
    assert bench.version() == 0


def test_switched_off_here(bench: Bench) -> None:
    bench.policy = Policy({"config": None})
    bench.reopen()
    bench.receive(bench.kit.desired(GOOD, 3, bench.kit.people[Role.CUSTODIAN]))
    assert bench.receipts.states == ["refused"]


def test_what_could_not_be_used_is_reported_as_failed(bench: Bench) -> None:
    bench.receive(bench.kit.desired(GOOD, 3))
    bench.settings.report(Config(), "metering.x is no key")
    assert bench.receipts.all[-1].state == "failed"
    assert bench.receipts.all[-1].reason == "metering.x is no key"


def test_a_full_disk_changes_nothing(bench: Bench) -> None:
    (bench.folder / "config.json").mkdir()
    bench.receive(bench.kit.desired(GOOD, 3))
    assert bench.changed == []
    assert bench.receipts.states == ["refused"]
    assert bench.receipts.all[0].reason.startswith("state: ")
