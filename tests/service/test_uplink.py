"""The program as it runs: commands over a real broker, its own reports, and what it says when it cannot start."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.clock import SystemClock, boot_id
from agent.commands.audit import rows, verify
from agent.commands.requests import RequestBox
from agent.durable import write_atomically
from agent.errors import ConfigError, PermissionNeeded, Refused, StateError
from agent.service import uplink as program
from agent.service.uplink import run
from agent.signing.keys import PrivateKey, PublicKey
from agent.signing.trust import TrustEntry, build_trust
from agent.spool.records import Identity
from agent.spool.writer import SpoolWriter
from agent.wire import body, topics
from agent.wire.presence import Birth, State, UplinkReport
from agent.wire.summary import Interval, Summary
from agent.wire.types import MessageType, Role
from tests.faults.conftest import QUICK, eventually
from tests.service.test_errands import Desk
from tests.simulators.broker import EmbeddedBroker, Mosquitto
from tests.simulators.collector import CollectorSimulator
from tests.simulators.kit import AGENT, SITE, Kit


class Program:
    """`run` in a thread, with a collector at the other side."""

    def __init__(self, folder: Path, url: str) -> None:
        self.kit = Kit(folder / "state").lay()
        self.state, self.url = self.kit.state, url
        self.said: list[str] = []
        self.collector = CollectorSimulator(self.kit, url).start()
        self.code: int | None = None
        self.start()

    def start(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        config = self.kit.config(resend_after_s=1)
        self.code = run(config, self.state, self.url, stop=self._stop, say=self.said.append)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def order(self, payload: bytes, *, retain: bool = False) -> None:
        self.collector.send(topics.down(SITE, AGENT, "command"), payload, retain=retain)

    def connected(self) -> bool:
        return any("connected" in line for line in self.said)

    def states(self, identity: bytes) -> list[str]:
        return [receipt.state for receipt in self.collector.receipts(identity)]

    def stored(self, kind: MessageType) -> list[bytes]:
        return [held.body for held in list(self.collector.stored.values()) if held.type == kind]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path / "broker").start()
    yield made
    made.kill()


@pytest.fixture
def uplink(tmp_path: Path, broker: Mosquitto) -> Iterator[Program]:
    made = Program(tmp_path, broker.url)
    assert eventually(made.connected)
    yield made
    made.stop()
    made.collector.stop()


@pytest.mark.broker
def test_status_and_back(uplink: Program) -> None:
    order, identity = uplink.kit.command(id=b"a" * 16), b"a" * 16
    uplink.order(order)
    assert eventually(lambda: uplink.states(identity) == ["accepted", "running", "done"])
    result = uplink.collector.receipts(identity)[-1].result
    assert result["agent"] == AGENT
    assert result["boot"] == boot_id()
    assert result["state"] == "ready"
    assert result["audit_head"] == verify(uplink.state / "uplink" / "audit.log").head or result["audit_number"] == 1


@pytest.mark.broker
def test_what_may_not_be_is_refused_over_the_wire_and_written_down(uplink: Program) -> None:
    kit = uplink.kit
    forged = kit.command(signer=kit.stranger, id=b"1" * 16)
    expired = kit.command(id=b"2" * 16, not_after_mono_ns=1)
    elsewhere = kit.command(id=b"3" * 16, agent="tap-2")
    twice = kit.command(id=b"4" * 16)
    too_low = kit.command("restart", id=b"5" * 16)
    later = kit.command("update-to", signer=Role.ENGINEER, id=b"6" * 16)
    for order in (forged, expired, elsewhere, twice, twice, too_low, later):
        uplink.order(order)
    last = kit.command(id=b"9" * 16)
    uplink.order(last)
    assert eventually(lambda: uplink.states(b"9" * 16) == ["accepted", "running", "done"])
    assert uplink.states(b"1" * 16) == []
    assert uplink.states(b"2" * 16) == ["refused"]
    assert uplink.states(b"3" * 16) == []
    assert uplink.states(b"4" * 16) == ["accepted", "running", "done"]
    assert uplink.states(b"5" * 16) == ["refused"]
    assert uplink.collector.receipts(b"6" * 16)[0].reason.startswith("wrong-role")
    text = (uplink.state / "uplink" / "audit.log").read_text()
    for reason in ("unknown-key", "expired", "wrong-agent", "replayed", "wrong-role"):
        assert f'"reason":"{reason}"' in text
    assert verify(uplink.state / "uplink" / "audit.log").broken_at == 0


@pytest.mark.broker
def test_a_retained_command_waits_for_every_boot_and_is_refused_by_each(uplink: Program) -> None:
    uplink.stop()
    uplink.order(uplink.kit.command(id=b"r" * 16), retain=True)
    assert eventually(lambda: not uplink.collector._outbox)
    uplink.start()
    log = uplink.state / "uplink" / "audit.log"
    assert eventually(lambda: '"reason":"retained"' in log.read_text())
    assert uplink.states(b"r" * 16) == []


@pytest.mark.broker
def test_rebirth_says_everything_again_and_asks_the_sensor(uplink: Program) -> None:
    presence = uplink.collector.presence
    assert eventually(lambda: len(presence.get("birth", [])) == 1)
    uplink.order(uplink.kit.command("rebirth", id=b"b" * 16))
    assert eventually(lambda: len(presence["birth"]) == 2)
    birth = Birth.from_content(body.decode(MessageType.BIRTH, presence["birth"][-1])[1])
    assert (birth.agent, birth.boot, birth.key_id) == (AGENT, boot_id(), uplink.kit.agent.key_id)
    assert [request.name for request in RequestBox(uplink.state / "requests").take()] == ["cards"]


@pytest.mark.broker
def test_resend_brings_records_back_to_a_collector_that_lost_them(uplink: Program) -> None:
    sensor = SpoolWriter.open(
        uplink.state / "sensor" / "spool", Identity(AGENT, SITE, "sensor", boot_id()), SystemClock(), QUICK
    )
    for number in range(20):
        sensor.append(MessageType.SUMMARY, Summary(Interval(number, number + 1)).to_content())
    assert sensor.flush()
    assert eventually(lambda: len(uplink.collector.seqs(sensor.run, "sensor")) == 20)
    time.sleep(1.5)
    for key in [key for key in uplink.collector.stored if key[2] == "sensor" and key[3] <= 10]:
        del uplink.collector.stored[key]
    time.sleep(1.5)
    assert len(uplink.collector.seqs(sensor.run, "sensor")) == 10, "acknowledged records go again only when asked for"
    args = {"stream": "sensor", "run": sensor.run, "from": 1, "to": 10}
    uplink.order(uplink.kit.command("resend", id=b"c" * 16, args=args))
    assert eventually(lambda: len(uplink.collector.seqs(sensor.run, "sensor")) == 20)
    sensor.close()


@pytest.mark.broker
def test_it_reports_about_itself(uplink: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    uplink.order(uplink.kit.command(id=b"d" * 16))
    assert eventually(lambda: uplink.states(b"d" * 16)[-1:] == ["done"])
    monkeypatch.setattr(program, "REPORT_EVERY_S", 0.2)
    head = verify(uplink.state / "uplink" / "audit.log").head

    def latest() -> UplinkReport:
        reports = uplink.stored(MessageType.UPLINK)
        return UplinkReport.from_content(body.decode(MessageType.UPLINK, reports[-1])[1])

    assert eventually(lambda: bool(uplink.stored(MessageType.UPLINK)) and latest().audit == head)
    report = latest()
    assert len(report.epoch) == 16
    assert report.counts["command-accepted"] == 1
    assert report.spool_bytes > 0


@pytest.mark.broker
def test_a_revoked_operator_is_refused_within_an_interval(uplink: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "REPORT_EVERY_S", 0.1)
    kit = uplink.kit
    entries = [
        TrustEntry.for_key(kit.agent.public, Role.AGENT, AGENT, SITE),
        TrustEntry.for_key(kit.collector.public, Role.COLLECTOR, "collector", SITE),
    ]
    trust = uplink.state / "uplink" / "trust.bin"
    trust.write_bytes(b"nonsense")
    assert eventually(lambda: any("stays as it was" in line for line in uplink.said))
    trust.write_bytes(build_trust(entries, kit.releases[1:], version=2, site=SITE))
    time.sleep(0.5)
    uplink.order(kit.command(id=b"e" * 16))
    log = uplink.state / "uplink" / "audit.log"
    assert eventually(lambda: '"reason":"unknown-key"' in log.read_text())
    assert uplink.states(b"e" * 16) == []


@pytest.mark.broker
def test_it_drains_and_says_goodbye(uplink: Program) -> None:
    uplink.stop()
    assert uplink.code == 0
    assert eventually(lambda: "state" in uplink.collector.presence)
    last = uplink.collector.presence["state"][-1]
    assert eventually(
        lambda: State.from_content(body.decode(MessageType.STATE, last)[1]).state in {"draining", "ready"}
    )
    assert eventually(
        lambda: (
            State.from_content(body.decode(MessageType.STATE, uplink.collector.presence["state"][-1])[1]).state
            == "draining"
        )
    )
    assert "will" not in uplink.collector.presence


def test_over_the_embedded_broker_too(tmp_path: Path) -> None:
    broker = EmbeddedBroker().start()
    uplink = Program(tmp_path, broker.url)
    try:
        assert eventually(uplink.connected)
        assert any("3.1.1" in line for line in uplink.said)
        uplink.order(uplink.kit.command(id=b"f" * 16))
        assert eventually(lambda: uplink.states(b"f" * 16) == ["accepted", "running", "done"])
    finally:
        uplink.stop()
        uplink.collector.stop()
        broker.kill()


def test_a_plain_address_is_warned_about(tmp_path: Path) -> None:
    said: list[str] = []
    kit = Kit(tmp_path).lay()
    stop = threading.Event()
    stop.set()
    assert run(kit.config(), tmp_path, "mqtt://127.0.0.1:1", stop=stop, say=said.append) == 0
    assert any(line.startswith("warning: mqtt://") for line in said)


Spoil = Callable[[Kit], object]
WRONG: dict[str, tuple[type[Exception], Spoil]] = {
    "no key": (StateError, lambda kit: (kit.state / "uplink" / "agent.key").unlink()),
    "a key for all": (PermissionNeeded, lambda kit: (kit.state / "uplink" / "agent.key").chmod(0o644)),
    "no trust": (StateError, lambda kit: (kit.state / "uplink" / "trust.bin").unlink()),
    "forged trust": (Refused, lambda kit: (kit.state / "uplink" / "trust.bin").write_bytes(b"x")),
    "odd policy": (ConfigError, lambda kit: (kit.state / "uplink" / "policy.json").write_text("x")),
    "a file for a folder": (StateError, lambda kit: (kit.state / "uplink" / "spool").write_text("x")),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_person_must_mend_is_one_sentence_and_leaves_nothing_open(tmp_path: Path, name: str) -> None:
    kind, spoil = WRONG[name]
    kit = Kit(tmp_path).lay()
    spoil(kit)
    before = threading.active_count()
    with pytest.raises(kind) as caught:
        run(kit.config(), tmp_path, "mqtt://127.0.0.1:1", say=lambda _: None)
    assert "\n" not in str(caught.value)
    assert threading.active_count() == before


@pytest.mark.parametrize("broker", ["ftp://x", "mqtts://localhost:8883"])
def test_an_address_or_papers_that_cannot_be_used(tmp_path: Path, broker: str) -> None:
    kit = Kit(tmp_path).lay()
    config = kit.config(ca=str(tmp_path / "missing.pem"))
    with pytest.raises(ConfigError):
        run(config, tmp_path, broker, say=lambda _: None)


def test_only_one_may_run(tmp_path: Path) -> None:
    kit = Kit(tmp_path).lay()
    first = SpoolWriter.open(tmp_path / "uplink" / "spool", Identity(AGENT, SITE, "uplink", boot_id()), SystemClock())
    with pytest.raises(StateError, match="another process"):
        run(kit.config(), tmp_path, "mqtt://127.0.0.1:1", say=lambda _: None)
    first.close()


@pytest.fixture
def desk(uplink: Program) -> Iterator[Desk]:
    """The sensor's side on the same state directory."""
    made = Desk(uplink.state)
    yield made
    made.close()


def walked(uplink: Program, identity: bytes) -> list[str]:
    """The states of a command's receipts; of two streams, or two runs, so they have no common order."""
    return sorted(uplink.states(identity))


@pytest.mark.broker
def test_the_sensor_is_asked_and_its_own_receipt_arrives(uplink: Program, desk: Desk) -> None:
    kit, device = uplink.kit, "00:d0:75:18:42:9b"
    orders = {
        b"l" * 16: kit.command("label-device", id=b"l" * 16, args={"device": device, "label": "Bed 3"}),
        b"t" * 16: kit.command("self-test", id=b"t" * 16),
        b"q" * 16: kit.command(
            "set-learning", signer=Role.ENGINEER, id=b"q" * 16, args={"action": "freeze", "role": "no-such-role"}
        ),
    }
    for order in orders.values():
        uplink.order(order)

    def ended() -> bool:
        desk.look()
        return all({"done", "failed"} & set(uplink.states(identity)) for identity in orders)

    assert eventually(ended)
    assert eventually(lambda: walked(uplink, b"l" * 16) == ["accepted", "done", "running"])
    assert eventually(lambda: walked(uplink, b"t" * 16) == ["accepted", "done", "running", "running"])
    results = [receipt.result for receipt in uplink.collector.receipts(b"t" * 16) if receipt.state == "done"]
    assert results[0]["checks"]["legs-silent"] == 1
    assert eventually(lambda: walked(uplink, b"q" * 16) == ["accepted", "failed", "running"])
    assert desk.errands.labels.all == {bytes.fromhex("00d07518429b"): "Bed 3"}
    log = uplink.state / "uplink" / "audit.log"
    assert eventually(lambda: log.read_text().count('"event":"done"') == 2)
    assert verify(log).broken_at == 0


@pytest.mark.broker
def test_told_to_restart_it_ends_and_says_done_when_it_is_back(uplink: Program) -> None:
    kit = uplink.kit
    uplink.order(kit.command("hold", signer=Role.ENGINEER, id=b"h" * 16, args={"why": "theatre 3"}))
    assert eventually(lambda: uplink.states(b"h" * 16)[-1:] == ["done"])
    uplink.order(kit.command("restart", signer=Role.ENGINEER, id=b"1" * 16, args={"what": "uplink"}))
    assert eventually(lambda: uplink.states(b"1" * 16) == ["refused"])
    uplink.order(kit.command("release-hold", signer=Role.ENGINEER, id=b"r" * 16))
    uplink.order(kit.command("restart", signer=Role.ENGINEER, id=b"2" * 16, args={"what": "uplink"}))
    assert eventually(lambda: uplink.code == 0)
    uplink.stop()
    uplink.start()
    assert eventually(lambda: walked(uplink, b"2" * 16) == ["accepted", "done", "running"])


@pytest.mark.broker
def test_a_key_is_changed_new_signed_by_old(uplink: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "REPORT_EVERY_S", 0.1)
    kit = uplink.kit
    uplink.order(kit.command("rotate-key", signer=Role.CUSTODIAN, id=b"k" * 16))
    assert eventually(lambda: uplink.states(b"k" * 16)[-1:] == ["done"])
    public = PublicKey.from_bytes(uplink.collector.receipts(b"k" * 16)[-1].result["public"])
    fresh = TrustEntry.for_key(public, Role.AGENT, AGENT, SITE)
    table = build_trust([*kit.entries, fresh], kit.releases[:2], version=2, site=SITE)
    write_atomically(uplink.state / "uplink" / "trust.bin", table)
    assert eventually(lambda: any("next key" in line for line in uplink.said))
    assert PrivateKey.load(uplink.state / "uplink" / "agent.key").public == public
    uplink.order(kit.command(id=b"s" * 16))
    log = uplink.state / "uplink" / "audit.log"
    assert eventually(lambda: log.read_text().count('"event":"done"') == 2)
    changes = [row for row in rows(log) if row["event"] in {"trust-table", "key"}]
    assert [(row["event"], row.get("version", row.get("fingerprint"))) for row in changes] == [
        ("trust-table", 2), ("key", public.fingerprint)
    ]  # fmt: skip


@pytest.mark.broker
def test_a_key_that_has_ended_is_refused_once_the_time_is_known(
    uplink: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "REPORT_EVERY_S", 0.1)
    kit, hour_ns = uplink.kit, 3600 * 10**9
    ended_ns = SystemClock().wall_ns() - hour_ns
    entries = [replace(e, not_after_ns=ended_ns) if e.role == Role.OPERATOR else e for e in kit.entries]
    write_atomically(
        uplink.state / "uplink" / "trust.bin", build_trust(entries, kit.releases[:2], version=2, site=SITE)
    )
    told = uplink.state / "uplink" / "time.json"
    assert eventually(lambda: told.exists() and json.loads(told.read_text())["told_ns"] > ended_ns)
    time.sleep(0.3)
    uplink.order(kit.command(id=b"e" * 16))
    log = uplink.state / "uplink" / "audit.log"
    assert eventually(lambda: '"reason":"unknown-key"' in log.read_text())
    uplink.order(kit.command(id=b"f" * 16, signer=Role.ENGINEER))
    assert eventually(lambda: uplink.states(b"f" * 16)[-1:] == ["done"])
    assert eventually(lambda: bool(uplink.stored(MessageType.CLOCK_ANCHOR)))
