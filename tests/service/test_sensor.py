"""The sensor as it runs: captures into a spool, SIGTERM in the middle, a silent leg, keys that may not be read."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.clock import SystemClock, boot_id
from agent.commands.requests import Request, submit
from agent.devices.baseline import Phase
from agent.errors import PermissionNeeded, StateError
from agent.findings.settings import ChangeWindow
from agent.service.learning import BaselineKeeper, baseline_path
from agent.service.memory import Memory
from agent.service.sensor import _EachSecond, _listen, pseudonym_key, run
from agent.service.status import ENDED, parse
from agent.spool.reader import SpoolReader
from agent.spool.records import Identity
from agent.spool.writer import SpoolWriter
from agent.tap.records import FRAME, Burst, LegCounts
from agent.wire import body
from agent.wire.header import Header
from agent.wire.summary import Summary
from agent.wire.types import MessageType
from tests.conftest import ROOT
from tests.devices.bench import hello, session, tries
from tests.faults.conftest import eventually
from tests.faults.sensing import feed
from tests.flows.talks import HOSTS, START_S
from tests.forge.pcap import Frame, Pcap
from tests.service.bench import Sensor, small
from tests.simulators.bursts import HASHES, THIN, Heard, burst_of
from tests.simulators.namespace import Namespace, cable

pytestmark = HASHES
A, B = HOSTS[0], HOSTS[1]
S = 1_000_000_000
LIVE = """[tap]
legs = ["eth1"]
[summaries]
interval_s = 1
[metering]
flow_slots_max = 4096
edge_slots_max = 4096
device_slots_max = 256
fan_slots_max = 256
"""


def spooled(state: Path) -> list[tuple[MessageType, Header, dict[str, Any]]]:
    """Every record of the sensor's spool, opened."""
    opened = []
    for record in SpoolReader(state / "sensor" / "spool").records():
        header, content = body.decode(record.type, record.body)
        assert header is not None
        assert header.seq == record.seq
        opened.append((MessageType(record.type), header, content))
    return opened


def summaries(state: Path) -> list[Summary]:
    """The summaries of the spool."""
    return [Summary.from_content(content) for kind, _, content in spooled(state) if kind == MessageType.SUMMARY]


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """Two devices that talk and one sweep: 3 minutes."""
    targets = [((f"10.1.0.{n}", f"00:1b:78:00:00:{n:02x}"), 445) for n in range(30, 60)]
    frames: list[Frame] = [hello(A), hello(B), *(hello(end, 0.1) for end, _ in targets), *session((A, B), 1)]
    frames += tries(A, targets, refused=True, at_s=70)
    frames.append(hello(A, 170))
    path = tmp_path / "scan.pcap"
    path.write_bytes(Pcap().octets(sorted(frames, key=lambda frame: frame.time_ns)))
    return path


def test_a_capture_is_read_back_from_the_spool(scan: Path, tmp_path: Path) -> None:
    state, said = tmp_path / "state", []
    assert run(small(), state, [scan], say=said.append) == 0
    records = spooled(state)
    kinds = [kind for kind, _, _ in records]
    assert kinds.count(MessageType.FINDING) >= 1
    told = summaries(state)
    assert sum(summary.processed for summary in told) == 2 + 30 + 9 + 60 + 1
    assert sorted(header.seq for _, header, _ in records) == list(range(1, len(records) + 1))
    assert {(header.agent, header.site, header.stream) for _, header, _ in records} == {("tap-1", "ward", "sensor")}
    assert all("spool_bytes" in summary.health for summary in told)
    assert {leg.tx_packets for summary in told for leg in summary.legs} == {0}
    introduced = json.loads((state / "sensor" / "run.json").read_text())
    assert introduced["run"] == records[0][1].run.hex()
    assert said[-1].startswith("drained: 102 frames, ")
    assert f"{len(records)} records spooled" in said[-1]


def test_a_second_run_continues_the_chain(scan: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    for _ in range(2):
        run(small(), state, [scan], say=lambda _: None)
    runs = list(dict.fromkeys(header.run for _, header, _ in spooled(state)))
    assert len(runs) == 2
    assert {header.before_run for _, header, _ in spooled(state) if header.run == runs[1]} == {runs[0]}


def test_damage_is_exit_code_2_and_what_came_before_is_spooled(scan: Path, tmp_path: Path) -> None:
    scan.write_bytes(scan.read_bytes()[:-5])
    said: list[str] = []
    assert run(small(), tmp_path / "state", [scan], say=said.append) == 2
    assert sum(summary.processed for summary in summaries(tmp_path / "state")) == 101
    assert "ends inside a frame" in said[-1]


def test_told_to_stop_it_drains(scan: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    assert run(small(), tmp_path / "state", [scan], stop=stop, say=lambda _: None) == 0
    told = summaries(tmp_path / "state")
    assert len(told) == 1
    assert 0 < told[0].processed < 102


def test_the_pseudonym_key_is_drawn_once(tmp_path: Path) -> None:
    path = tmp_path / "sensor" / "pseudonym.key"
    key = pseudonym_key(path)
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert pseudonym_key(path) == key
    assert pseudonym_key(tmp_path / "other.key") != key


def test_keys_that_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.key"
    path.write_bytes(bytes(32))
    path.chmod(0o640)
    with pytest.raises(PermissionNeeded, match="others may read"):
        pseudonym_key(path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(StateError, match="too short"):
        pseudonym_key(path)
    with pytest.raises(StateError):
        pseudonym_key(path / "below-a-file")


def words_of(command: str, state: Path) -> list[str]:
    """A command line for a state directory."""
    return [sys.executable, "-m", "agent", command, "--state", str(state)]


def top_of(namespace: Namespace, state: Path) -> dict[str, Any]:
    """What `wardtap top` shows of a sensor."""
    words = (*words_of("top", state), "--once", "--json")
    seen: dict[str, Any] = json.loads(namespace.run("sh", "-c", '"$@" || :', "-", *words))  # 7: none runs
    return seen


def heard_now(namespace: Namespace, state: Path) -> int:
    """Frames of all legs that it shows of a sensor that runs; a busy machine may let it be late for once."""
    seen = top_of(namespace, state)
    assert not seen["running"] or seen["why"] == ""
    return sum(leg["frames"] for leg in seen["status"]["legs"]) if seen["running"] else 0


def program(state: Path, *more: str) -> list[str]:
    """The command line of the sensor."""
    return [*words_of("sensor", state), *more]


@pytest.mark.skipif(THIN > 1, reason="too long without the JIT")
def test_sigterm_drains(tmp_path: Path) -> None:
    """In the middle of a long capture."""
    octets = Pcap().octets([hello(HOSTS[n % 8], n / 50) for n in range(200_000)])
    state, asked = tmp_path / "state", threading.Event()
    command = program(state, "--replay", "-")
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stderr is not None
        feeder = threading.Thread(target=feed, args=(child, octets, asked))
        feeder.start()
        try:
            for line in child.stderr:
                if b"frames," in line:
                    break
            child.send_signal(signal.SIGTERM)
        finally:
            asked.set()
        rest = child.stderr.read().decode()
        feeder.join()
        assert child.wait(60) == 0
    assert "drained" in rest
    assert "NOT ALL DURABLE" not in rest
    told = summaries(state)
    processed = sum(summary.processed for summary in told)
    assert f"drained: {processed} frames" in rest


class Ticking:
    """A clock that goes on by a quarter of a second whenever it is asked."""

    def __init__(self) -> None:
        self.now_ns = START_S * S

    def wall_ns(self) -> int:
        self.now_ns += S // 4
        return self.now_ns

    def mono_ns(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        """Nobody waits."""


class Drowning:
    """A leg made of memory whose ring overflows for some seconds; ends the program when all is said."""

    live, faults = True, ()

    def __init__(self, clock: Ticking, stop: threading.Event, drowns_s: int, ends_s: int) -> None:
        self._clock, self._stop, self._drowns_s, self._ends_s = clock, stop, drowns_s, ends_s
        self.given = self.dropped = self.polls = 0

    def next_burst(self) -> Burst:
        """A frame; none once it was told to be deaf."""
        seconds = self._clock.now_ns // S - START_S
        if self._stop.is_set():
            return burst_of([])
        self.given += 1
        self.dropped += 5 if seconds < self._drowns_s else 0
        if seconds >= self._ends_s:
            self._stop.set()
        return burst_of([Heard(hello(A).octets, 60, time_ns=self._clock.now_ns)])

    def legs(self) -> list[LegCounts]:
        return [LegCounts("eth1", self.given, self.dropped, 0, 0, received=self.given + self.dropped)]

    def deafen(self) -> None:
        """Nothing more comes."""

    def close(self) -> None:
        """Nothing is held."""


def test_a_tap_that_drowns_looks_less_closely_and_says_so(tmp_path: Path) -> None:
    clock, stop, said = Ticking(), threading.Event(), list[str]()
    source, bench = Drowning(clock, stop, drowns_s=10, ends_s=130), Sensor(small(interval_s=10))
    identity, now = Identity("tap-1", "ward", "sensor", boot_id()), SystemClock()
    with contextlib.closing(SpoolWriter.open(tmp_path / "spool", identity, now)) as writer:
        each_second = _EachSecond(small(), tmp_path, writer, now, said.append)
        _listen(source, bench.pipeline, clock, stop, each_second)  # type: ignore[arg-type]
        each_second.close()
    kept = bench.end()
    assert [line.split(" (")[0] for line in said] == [
        "detail: headers-only", "detail: totals-only", "detail: headers-only", "detail: full",
    ]  # fmt: skip
    details = [summary.health["detail"] for summary in kept.summaries]
    assert details[0] == "totals-only"
    assert set(details[7:]) == {"full"}, "within a minute"
    assert sum(summary.processed + sum(summary.ignored.values()) for summary in kept.summaries) == source.given
    assert sum(summary.ignored.get("overload", 0) for summary in kept.summaries) > 0
    assert [finding.id for finding in kept.findings] == ["capture-loss"]
    assert dict(kept.findings[0].evidence)["detail"] == "totals-only"


def test_orders_about_learning_reach_the_sensor(tmp_path: Path) -> None:
    clock, stop, said = Ticking(), threading.Event(), list[str]()
    source, bench = Drowning(clock, stop, drowns_s=0, ends_s=20), Sensor(small(interval_s=10))
    memory = Memory(tmp_path, said.append)
    keeper = memory.learning
    submit(tmp_path / "requests", Request(bytes(16), "set-learning", {"action": "freeze", "role": "printer"}))
    submit(tmp_path / "requests", Request(bytes([7] * 16), "change-window", {"role": "*", "start_s": 1, "end_s": 9}))
    identity, now = Identity("tap-1", "ward", "sensor", boot_id()), SystemClock()
    with contextlib.closing(SpoolWriter.open(tmp_path / "spool", identity, now)) as writer:
        each_second = _EachSecond(small(), tmp_path, writer, now, said.append, memory)
        _listen(source, bench.pipeline, clock, stop, each_second)  # type: ignore[arg-type]
        each_second.close()
    assert keeper.baseline.learned("printer").phase is Phase.FROZEN
    assert bench.pipeline.engine.settings.change_windows == (ChangeWindow("*", S, 9 * S),)
    memory.close(bench.pipeline, START_S)
    again = BaselineKeeper(baseline_path(tmp_path), said.append)
    assert again.baseline.learned("printer").phase is Phase.FROZEN
    assert len(again.windows) == 1


def test_what_the_site_has_explained_reaches_the_sensor(tmp_path: Path) -> None:
    clock, stop, said = Ticking(), threading.Event(), list[str]()
    source, bench = Drowning(clock, stop, drowns_s=0, ends_s=20), Sensor(small(interval_s=10))
    folder = tmp_path / "packs" / "ward-explained" / "1"
    folder.mkdir(parents=True)
    span = 'start = "2026-01-01T00:00:00Z"\nuntil = "2026-01-05T00:00:00Z"\nowner = "R. Okafor"\nwhy = "a test"\n'
    work = f'[[maintenance]]\ndevice = "00:d0:75:18:60:3e"\n{span}'
    (folder / "suppressions.toml").write_text(f'version = "1"\n{work}[[window]]\nrole = "pacs"\n{span}')
    identity, now = Identity("tap-1", "ward", "sensor", boot_id()), SystemClock()
    with contextlib.closing(SpoolWriter.open(tmp_path / "spool", identity, now)) as writer:
        each_second = _EachSecond(small(), tmp_path, writer, now, said.append)
        _listen(source, bench.pipeline, clock, stop, each_second)  # type: ignore[arg-type]
        each_second.close()
    assert said == ["1 suppressions and 1 change windows declared"]
    assert [rule.device for rule in bench.pipeline.engine.silence.rules] == [0x00D07518603E]
    assert [window.role for window in bench.pipeline.engine.settings.change_windows] == ["pacs"]
    assert each_second.errands.suppressions.health() == {"suppressions": 1, "findings_suppressed": 0}


def test_what_is_learned_is_told_and_kept(tmp_path: Path, scan: Path) -> None:
    run(small(), tmp_path / "state", [scan], say=lambda _: None)
    assert not baseline_path(tmp_path / "state").exists(), "a replay neither reads nor writes it"
    assert all("learning" not in summary.health for summary in summaries(tmp_path / "state"))


def test_a_replay_has_no_ladder(scan: Path, tmp_path: Path) -> None:
    run(small(), tmp_path / "state", [scan], say=lambda _: None)
    assert {summary.health["detail"] for summary in summaries(tmp_path / "state")} == {"full"}


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    with cable() as made:
        yield made


class SilentLegs:
    """A source on which nothing ever comes; the program is told to end once it said something, or after some turns."""

    live, faults = True, list[Exception]()

    def __init__(self, stop: threading.Event, turns: int = 1200, said: Sequence[str] = (), until: str = "-") -> None:
        self._stop, self._turns, self._last, self._said, self._until = stop, 0, turns, said, until

    def next_burst(self) -> Burst:
        self._turns += 1
        SystemClock().sleep(0.1)
        if self._turns == self._last or any(self._until in line for line in self._said):
            self._stop.set()
        return Burst(np.zeros(0, FRAME), 0, np.zeros(0, np.uint8))

    def legs(self) -> list[LegCounts]:
        return [LegCounts("eth1", 0, 0, 0, 0)]

    def deafen(self) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_status_that_cannot_be_written_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And listening goes on."""
    (tmp_path / "file").write_text("no folder")
    stop, said = threading.Event(), list[str]()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "file"))
    monkeypatch.setattr("agent.service.sensor.open_legs", lambda _: SilentLegs(stop, 1200, said, "cannot be written"))
    assert run(small(), tmp_path / "state", stop=stop, say=said.append) == 0
    assert len([line for line in said if "cannot be written" in line]) == 1
    assert said[-1].startswith("drained: 0 frames")


@pytest.mark.root
@pytest.mark.skipif(THIN > 1, reason="too long without the JIT")
def test_a_silent_leg_closes_intervals_and_sends_nothing(namespace: Namespace, tmp_path: Path) -> None:
    config, state = tmp_path / "wardtap.toml", tmp_path / "state"
    config.write_text(LIVE)
    command = namespace.command(*program(state, "--config", str(config)))
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        try:
            assert "listening on eth1" in child.stderr.readline()
            namespace.put([frame.octets for frame in [hello(A), hello(B), *session((A, B))]])
            assert eventually(lambda: sum(s.processed for s in summaries(state)) == 11), "an interval closed on silence"
            assert namespace.transmitted("eth1") == 0
            assert eventually(lambda: heard_now(namespace, state) == 11)
            seen = top_of(namespace, state)
            assert (seen["status"]["devices"], seen["status"]["legs"][0]["frames"]) == (2, 11)
            assert seen["status"]["pid"] == child.pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
            rest = child.stderr.read()
        assert child.wait(60) == 0
    assert "drained: 11 frames, 2 devices" in rest
    last = parse((state / "sensor" / "status.json").read_bytes())
    assert (last.state, last.legs[0].tx_packets, last.board.status_failed) == (ENDED, 0, 0)
    told = summaries(state)
    assert {leg.name for summary in told for leg in summary.legs} == {"eth1"}
    assert sum(leg.tx_packets for summary in told for leg in summary.legs) == 0
    assert sum(summary.flows_exported for summary in told) == 1


def test_times_of_a_capture_are_its_own(scan: Path, tmp_path: Path) -> None:
    assert run(small(), tmp_path / "state", [scan], clock=SystemClock(), say=lambda _: None) == 0
    times = [header.wall_ns // S - START_S for _, header, _ in spooled(tmp_path / "state")]
    assert 0 <= min(times) <= max(times) <= 240
