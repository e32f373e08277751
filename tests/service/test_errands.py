"""Requests of the folder done by a real sensor made of memory, and their receipts in its spool."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.clock import SystemClock, boot_id
from agent.commands.audit import AuditLog
from agent.commands.requests import Request, submit
from agent.service import pause
from agent.service.errands import Errands
from agent.service.learning import BaselineKeeper, baseline_path
from agent.spool.reader import SpoolReader
from agent.spool.records import Identity
from agent.spool.writer import SpoolWriter
from agent.tap.records import Fault, LegCounts
from agent.wire import body
from agent.wire.command import Receipt
from agent.wire.summary import SCHEMA, Interval, Summary
from agent.wire.types import MessageType
from tests.devices.bench import hello, session
from tests.flows.talks import HOSTS
from tests.service.bench import Sensor
from tests.simulators.bursts import HASHES, Heard, burst_of

pytestmark = HASHES
A, B = HOSTS[:2]
SOON_NS = 10**12
PEOPLE = ("olga", "omar")
EXPLAINED = {"finding": "new-edge", "device": A[1], "severity": "review", "hours": 8, "why": "ticket 4711"}
LEGS = [LegCounts("eth1", 5, 0, 0, 0)]


class Desk:
    """Errands of a pipeline, with all that they write to."""

    def __init__(self, state: Path) -> None:
        self.state, self.clock, self.said = state, SystemClock(), list[str]()
        self.sensor = Sensor()
        self.writer = SpoolWriter.open(
            state / "sensor" / "spool", Identity("tap-1", "ward", "sensor", boot_id()), self.clock
        )
        self.keeper = BaselineKeeper(baseline_path(state), self.said.append)
        self.errands = Errands(state, self.writer, self.clock, self.keeper, self.said.append)
        self.errands.stop = threading.Event()
        self.number = 0

    def ask(self, name: str, args: dict[str, Any], *, late: bool = False, boot: bytes | None = None) -> bytes:
        self.number += 1
        identity = self.number.to_bytes(16, "big")
        until_ns = 1 if late else self.clock.mono_ns() + SOON_NS
        submit(self.state / "requests", Request(identity, name, args, boot or boot_id(), until_ns, PEOPLE))
        self.look()
        return identity

    def look(self, legs: list[LegCounts] | None = None) -> None:
        self.errands.look(self.sensor.pipeline, legs or LEGS)

    def receipts(self) -> list[Receipt]:
        assert self.writer.flush(60)
        records = SpoolReader(self.state / "sensor" / "spool").records()
        return [Receipt.from_content(body.decode(MessageType.RECEIPT, record.body)[1]) for record in records]

    def close(self) -> None:
        self.errands.close()
        self.keeper.close(self.sensor.pipeline.engine)
        self.writer.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with contextlib.closing(Desk(tmp_path)) as made:
        yield made


def test_learning_and_windows_are_answered(desk: Desk) -> None:
    desk.ask("set-learning", {"action": "freeze", "role": "printer"})
    desk.ask("set-learning", {"action": "approve", "device": A[1]})
    desk.ask("change-window", {"role": "*", "start_s": 1, "end_s": 9})
    desk.ask("set-learning", {"action": "freeze", "role": "no-such-role"})
    receipts = desk.receipts()
    assert [receipt.state for receipt in receipts] == ["done", "done", "done", "failed"]
    assert receipts[0].result == {"action": "freeze", "role": "printer"}
    assert receipts[-1].reason.startswith("bad-arguments")
    assert all(receipt.sensors for receipt in receipts)


@pytest.mark.parametrize(
    "name", ["label-device", "record-headers", "restart", "quiesce", "self-test", "set-learning", "suppress"]
)
def test_the_sensor_looks_at_boot_and_time_itself(desk: Desk, name: str) -> None:
    args: dict[str, dict[str, Any]] = {
        "label-device": {"device": A[1], "label": "x"},
        "record-headers": {"device": A[1], "seconds": 1},
        "restart": {"what": "sensor"},
        "quiesce": {"seconds": 60},
        "self-test": {},
        "set-learning": {"action": "freeze", "role": "printer"},
        "suppress": EXPLAINED,
    }
    desk.ask(name, args[name], late=True)
    desk.ask(name, args[name], boot=bytes(16))
    assert [receipt.reason.split(":")[0] for receipt in desk.receipts()] == ["expired", "wrong-boot"]
    assert not desk.errands.stop.is_set()
    assert not desk.errands.labels.all
    assert not desk.errands.headers.runs
    assert desk.sensor.pipeline.engine.silence.rules == ()


def test_a_suppression_holds_from_now_on_and_is_taken_away_again(desk: Desk) -> None:
    identity, silence = desk.ask("suppress", EXPLAINED), desk.sensor.pipeline.engine.silence
    (rule,) = silence.rules
    assert (rule.id, rule.owner, rule.why) == ("new-edge", "olga, omar", "ticket 4711")
    desk.ask("unsuppress", {"suppression": identity.hex()})
    assert silence.rules == ()
    desk.ask("unsuppress", {"suppression": identity.hex()})
    receipts = desk.receipts()
    assert [receipt.state for receipt in receipts] == ["done", "done", "failed"]
    assert receipts[0].result["suppression"] == receipts[1].result["suppression"] == identity.hex()
    assert receipts[-1].reason.startswith("not-found")
    assert all(receipt.sensors for receipt in receipts)


@pytest.mark.parametrize("control", ["tap-blind", "tap-transmitted", "capture-loss", "equivocation", "spool-loss"])
def test_no_command_switches_a_control_off(desk: Desk, control: str) -> None:
    desk.ask("suppress", EXPLAINED | {"finding": control})
    assert desk.receipts()[0].reason.startswith("bad-arguments")
    assert "nobody can switch it off" in desk.receipts()[0].reason
    assert desk.sensor.pipeline.engine.silence.rules == ()


def test_a_request_is_done_once(desk: Desk) -> None:
    identity = desk.ask("self-test", {})
    submit(desk.state / "requests", Request(identity, "self-test", {}, boot_id(), SOON_NS * 99))
    desk.look()
    assert len(desk.receipts()) == 1


def test_a_label_is_on_the_cards(desk: Desk) -> None:
    desk.ask("label-device", {"device": A[1], "label": "Bed 3"})
    desk.sensor.play([hello(A), *session((A, B), 1)])
    kept = desk.sensor.end()
    cards = [card for summary in kept.summaries for card in desk.errands.told(summary).cards]
    assert "Bed 3" in {name for card in cards for name in card.names}


def test_every_summary_tells_the_head_of_the_audit_log(desk: Desk) -> None:
    assert "audit" not in desk.errands.told(Summary(Interval(1, 2))).health
    with contextlib.closing(AuditLog(desk.state / "uplink" / "audit.log", desk.clock)) as log:
        for number in (1, 2):
            head = log.append("accepted", command="status")
            assert desk.errands.told(Summary(Interval(1, 2))).health["audit"] == f"{number} {head.hex()[:32]}"


def test_all_cards_need_no_answer(desk: Desk) -> None:
    submit(desk.state / "requests", Request(bytes(16), "cards"))
    desk.look()
    assert desk.receipts() == []


@pytest.mark.parametrize(("name", "args"), [("restart", {"what": "sensor"}), ("quiesce", {"seconds": 60})])
def test_it_ends_in_order_and_answers_when_it_is_back(desk: Desk, name: str, args: dict[str, Any]) -> None:
    identity = desk.ask(name, args)
    assert desk.errands.stop.is_set()
    assert desk.receipts() == []
    held = pause.read(desk.state)
    assert held is not None
    assert (held.id, held.name) == (identity, name)
    assert pause.is_quiet(desk.state, boot_id(), desk.clock.mono_ns()) == (name == "quiesce")


def test_what_cannot_be_written_down_is_not_begun(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pause, "write_atomically", full)
    desk.ask("quiesce", {"seconds": 60})
    assert not desk.errands.stop.is_set()
    assert desk.receipts()[0].reason == "state: No space left on device"


def record(desk: Desk) -> bytes:
    identity = desk.ask("record-headers", {"device": A[1], "seconds": 60})
    burst = burst_of(Heard(f.octets, time_ns=f.time_ns) for f in session((A, B), 1))
    rows = desk.sensor.pipeline.buffer()
    desk.sensor.pipeline.decode(burst, rows)
    desk.errands.hear(rows, burst.count)
    return identity


def test_a_recording_is_told_and_ends_with_its_time(desk: Desk) -> None:
    identity = record(desk)
    told = desk.errands.told(Summary(Interval(1, 2)))
    assert str(told.health["recording"]).startswith(f"headers of {A[1]}, ")
    desk.look()
    assert desk.receipts() == []
    desk.errands.headers._until_ns = 0
    desk.look()
    (receipt,) = desk.receipts()
    assert (receipt.id, receipt.state) == (identity, "done")
    assert receipt.result["rows"] > 0
    assert (desk.state / "sensor" / receipt.result["file"]).stat().st_size == receipt.result["octets"]


def test_a_recording_that_the_end_cuts_short_has_failed(desk: Desk) -> None:
    record(desk)
    desk.errands.close()
    (receipt,) = desk.receipts()
    assert receipt.state == "failed"
    assert receipt.reason.startswith("interrupted")


def test_a_full_disk_ends_a_recording(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(desk.errands.headers, "take", full)
    record(desk)
    assert desk.receipts() == [], "whoever hears answers nobody"
    desk.look()
    assert desk.receipts()[0].reason == "state: No space left on device"
    assert not desk.errands.headers.runs


def test_a_full_summary_still_tells_of_a_recording(desk: Desk) -> None:
    record(desk)
    told = desk.errands.told(Summary(Interval(1, 2), health={f"leg{number}": number for number in range(48)}))
    assert len(told.health) == 48
    assert told.health["recording_by"] == "olga, omar"
    SCHEMA.check(told.to_content(), "summary")


def test_a_self_test_says_what_is_wrong(desk: Desk) -> None:
    desk.ask("self-test", {})
    desk.number += 1
    submit(
        desk.state / "requests",
        Request(desk.number.to_bytes(16, "big"), "self-test", {}, boot_id(), desk.clock.mono_ns() + SOON_NS),
    )
    desk.look([LegCounts("eth1", 5, 7, 0, 3, fault=Fault.DOWN)])
    good, bad = (receipt.result for receipt in desk.receipts())
    names = ("legs-hear", "legs-silent", "nothing-dropped", "spool-writes", "frames-conserved")
    assert [good["checks"][name] for name in names] == [1, 1, 1, 1, 1]
    assert [bad["checks"][name] for name in names] == [0, 0, 0, 1, 1]
    assert bad["legs"] == {"eth1": [5, 7, 3, "down"]}
