"""The sensor with several workers: it meters and judges as with one, says what it must, and ends in good order."""

import contextlib
import json
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from agent.clock import SystemClock
from agent.commands.requests import Request
from agent.service.header_rows import FILE_BYTES_MAX, HeaderRows
from agent.service.pipeline import Pipeline
from agent.service.together import SharedLegs, listen_together
from agent.tap.records import Burst, LegCounts
from agent.tap.replay import ReplaySource
from agent.tap.ring import RingLive
from agent.tap.shared import SharedLive
from agent.wire.types import MessageType
from tests.conftest import ROOT
from tests.devices.bench import hello, session, tries
from tests.faults.conftest import eventually
from tests.flows.talks import HOSTS
from tests.forge.pcap import Frame
from tests.service.bench import Kept, parts, small
from tests.service.test_sensor import LIVE, heard_now, program, spooled, summaries, top_of
from tests.simulators.bursts import HASHES, SECRET, THIN, Heard, burst_of
from tests.simulators.namespace import Namespace, cable
from tests.simulators.shares import share_of

pytestmark = HASHES
S = 1_000_000_000
A, B = HOSTS[0], HOSTS[1]
TARGETS = [((f"10.1.{n >> 6}.{30 + (n & 63)}", f"00:1b:78:00:00:{n:02x}"), 445) for n in range(40)]


def everything() -> list[Frame]:
    """Sessions of many pairs, and a scan whose tries come to different workers."""
    frames = [hello(end) for end in HOSTS] + [hello(end) for end, _ in TARGETS]
    for number, end in enumerate(HOSTS[1:]):
        frames += session((A, end), 1 + number / 10, (50000 + number, 3613))
    return [*frames, *tries(A, TARGETS, refused=True, at_s=3)]


class Clock(SystemClock):
    """The second is over when every reader is empty, not in the middle of what is read."""

    def __init__(self) -> None:
        super().__init__()
        self._began_ns = SystemClock().wall_ns() // S * S
        self.seconds = 0

    def wall_ns(self) -> int:
        return self._began_ns + self.seconds * S


class Legs:
    """Legs made of memory; when all readers are empty, the second is over, and then the sensor is told to stop."""

    def __init__(self, frames: list[Frame], workers: int, stop: threading.Event, clock: Clock) -> None:
        now_ns = clock.wall_ns()
        shares: list[list[Heard]] = [[] for _ in range(workers)]
        for number, frame in enumerate(frames):
            worker = share_of(frame.octets[:66], workers)
            shares[worker].append(Heard(frame.octets, len(frame.octets), time_ns=now_ns + number * 1000))
        whole = burst_of([heard for share in shares for heard in share])
        cuts = np.cumsum([0, *map(len, shares)])
        self.readers = [Reader(whole, start, stop, self._next_second) for start, stop in pairwise(cuts.tolist())]
        self._clock = clock
        self.stop, self.looks, self.told = stop, 0, list[str]()
        self.faults = list[Exception]()

    def _next_second(self) -> int:
        """An empty reader asks what it knows."""
        if all(reader.left == 0 for reader in self.readers):
            self._clock.seconds = 1
        return self._clock.wall_ns() + S

    def hear(self) -> None:
        self.told.append("hear")

    def look(self) -> None:
        self.looks += 1
        if all(reader.left == 0 for reader in self.readers):
            self.stop.set()

    def legs(self) -> list[LegCounts]:
        return []

    def deafen(self) -> None:
        self.told.append("deafen")

    def close(self) -> None:
        self.told.append("close")


class Reader:
    """A share, in three bursts: fewer than a worker has batches."""

    known_ns = 0

    def __init__(self, whole: Burst, start: int, stop: int, at_end: Callable[[], int]) -> None:
        self._whole, self._at, self._stop, self._at_end = whole, start, stop, at_end
        self._size = -(-(stop - start) // 3)

    @property
    def left(self) -> int:
        return self._stop - self._at

    def read(self, frames: np.ndarray) -> Burst:  # type: ignore[type-arg]
        count = min(self.left, self._size)
        frames[:count] = self._whole.frames[self._at : self._at + count]
        self._at += count
        if not count:
            self.known_ns = self._at_end()
            SystemClock().sleep(0.002)
        return Burst(frames, count, self._whole.octets)

    def release(self, bursts: int) -> None:
        """Nothing is reused."""


def listened(workers: int) -> tuple[Pipeline, Kept, Legs]:
    """A sensor that heard everything and was told to stop."""
    kept, stop, seconds = Kept(), threading.Event(), list[int]()
    pipeline = Pipeline(small(), parts(), kept, SECRET, workers)
    clock = Clock()
    legs = Legs(everything(), workers, stop, clock)
    assert isinstance(legs, SharedLegs)
    listen_together(legs, pipeline, clock, stop, lambda: seconds.append(pipeline.frames.frames))
    pipeline.drain()
    assert pipeline.conserved()
    assert seconds[0] == 0, "all meet before the first frame"
    return pipeline, kept, legs


def test_four_workers_say_what_two_say() -> None:
    (two, kept, legs), (four, other, _) = listened(2), listened(4)
    assert two.frames.frames == four.frames.frames == len(everything())
    records = [sorted(int(r["key_ports"]) for rows in told.records for r in rows) for told in (kept, other)]
    assert records[0] == records[1]
    of_the_clock = {"first_ns", "last_ns", "tries_s"}  # the second in which it was listened, another for each
    for name in set(two.table.devices.dtype.names or ()) - of_the_clock:
        assert (two.table.devices[name] == four.table.devices[name]).all(), name
    assert two.table.stats.tobytes() == four.table.stats.tobytes()
    findings = [[finding.id for finding in told.findings] for told in (kept, other)]
    assert findings[0] == findings[1]
    assert any(name in {"host-sweep", "smb-spread"} for name in findings[0])
    assert legs.told == ["hear", "deafen"]
    assert legs.looks >= 2


@pytest.mark.parametrize("workers", [2, 4])
def test_headers_of_one_device_are_recorded_from_all_workers(tmp_path: Path, workers: int) -> None:
    """Every row of the device and of nobody else, whichever worker it came to; no octet of a payload."""
    kept, stop, clock = Kept(), threading.Event(), Clock()
    pipeline = Pipeline(small(), parts(), kept, SECRET, workers)
    recorder, frames = HeaderRows(tmp_path), everything()
    recorder.start(Request(bytes(16), "record-headers", {"device": A[1], "seconds": 60}, bytes(16), 9, ("a", "b")), 0)
    legs = Legs(frames, workers, stop, clock)
    listen_together(legs, pipeline, clock, stop, lambda: None, recorder.take)
    told = recorder.finish()[2]
    mac = bytes.fromhex(A[1].replace(":", ""))
    ours = [frame.octets for frame in frames if mac in {frame.octets[:6], frame.octets[6:12]}]
    lines = (tmp_path / "sensor" / told["file"]).read_bytes().splitlines()
    assert told["rows"] == len(ours) == len(lines)
    ends = Counter((json.loads(line)["dst_mac"], json.loads(line)["src_mac"]) for line in lines)
    assert ends == Counter((octets[:6].hex(":"), octets[6:12].hex(":")) for octets in ours)
    assert len({json.loads(line).get("dst") for line in lines}) > 10, "they came to more than one worker"
    assert told["octets"] <= FILE_BYTES_MAX


def test_a_worker_s_failure_ends_it_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a worker cannot go on")

    monkeypatch.setattr(Reader, "read", fail)
    with pytest.raises(ValueError, match="cannot go on"):
        listened(2)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("worker-")]


def test_who_can_be_shared() -> None:
    assert issubclass(SharedLive, object)
    for one in (ReplaySource, RingLive):
        assert not hasattr(one, "readers")


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    with cable() as made:
        yield made


def live(namespace: Namespace, folder: Path, workers: int, frames: list[Frame]) -> Path:
    """A real sensor on two legs of a real link, one direction on each, until it has heard everything. Its state."""
    config, state = folder / f"{workers}.toml", folder / f"state-{workers}"
    text = LIVE.replace('["eth1"]', f'["eth1", "eth2"]\nworkers = {workers}').replace(
        "interval_s = 1", "interval_s = 3600"
    )
    config.write_text(text)
    command = namespace.command(*program(state, "--config", str(config)))
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        try:
            assert "listening on eth1, eth2" in child.stderr.readline()
            sent = [frame.octets for frame in frames]
            there = [octets[6:12] > octets[:6] for octets in sent]
            namespace.put(sent, *("ward" if way else "ward2" for way in there))
            assert eventually(lambda: heard_now(namespace, state) >= len(sent))
            seen = top_of(namespace, state)["status"]
            assert (len(seen["legs"]), sum(leg["frames"] for leg in seen["legs"])) == (2, len(sent))
            assert seen["workers"] == workers
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
            rest = child.stderr.read()
        assert child.wait(60) == 0
    assert f"drained: {len(sent)} frames" in rest
    return state


def live_in_one_interval(namespace: Namespace, folder: Path, workers: int) -> Path:
    """As `live`: what a device sends before it is sure to be one counts for no row of an interval that then closes.

    An interval is an hour and ends when the sensor is told to end; only at the turn of an hour it is tried again.
    """
    for attempt in ("first", "second", "third"):
        place = folder / attempt
        place.mkdir(exist_ok=True)
        state = live(namespace, place, workers, everything())
        if sum(one.processed > 0 for one in summaries(state)) == 1:
            break
    return state


@pytest.mark.root
@pytest.mark.skipif(THIN > 1, reason="too long without the JIT")
def test_two_workers_on_two_legs_say_what_one_says(namespace: Namespace, tmp_path: Path) -> None:
    namespace.add_cable("eth2", "ward2")
    told = []
    for workers in (1, 2):
        state = live_in_one_interval(namespace, tmp_path, workers)
        kept = summaries(state)
        sent = Counter[int]()
        for summary in kept:
            sent.update({row.number: row.tx_packets for row in summary.rows})
        findings = {str(content["id"]) for kind, _, content in spooled(state) if kind == MessageType.FINDING}
        flows = sum(one.flows_exported for one in kept)
        told.append((sum(one.processed for one in kept), flows, sorted(sent.values()), findings))
        assert sum(leg.tx_packets + leg.dropped for one in kept for leg in one.legs) == 0
        assert {one.health.get("workers", 1) for one in kept} == {workers}
    shares = [sum(int(one.health[f"worker{number}_frames"]) for one in kept) for number in (0, 1)]
    assert min(shares) > 0
    assert sum(shares) == told[0][0]
    assert told[0] == told[1]
    assert told[0][3], "a scan over two workers and two legs is found"
    assert namespace.transmitted("eth1") == namespace.transmitted("eth2") == 0
