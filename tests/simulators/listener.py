"""A live backend in a namespace of its own, as a process that is told what to do: a line of JSON each way."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np

from agent.config import TapConfig
from agent.errors import WardtapError
from agent.packets.decoder import Decoder
from agent.tap.live import open_legs, open_shared
from agent.tap.records import BURST_FRAMES_MAX, FRAME, Burst, LegCounts
from agent.tap.shared import SharedLive
from agent.tap.source import Source
from tests.conftest import ROOT
from tests.simulators.lateness import waited_s
from tests.simulators.namespace import Namespace

NOBODY = 65534
FIELDS = ("time_ns", "caplen", "wirelen", "link", "leg", "vlan", "taken")


class Listener:
    """The other end of the process."""

    def __init__(self, namespace: Namespace, tap: TapConfig) -> None:
        fields = {name: getattr(tap, name) for name in ("legs", "buffer_bytes", "backend", "filter", "workers")}
        command = namespace.command(sys.executable, "-m", __name__, json.dumps(fields))
        self._child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.began: dict[str, Any] = self._answer()

    def ask(self, do: str, **more: object) -> Any:
        """One request."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self._child.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        stream: IO[str] | None = self._child.stdout
        assert stream is not None
        line = stream.readline()
        assert line, "the listener ended"
        return json.loads(line)

    def read(self, frames: int, seconds: float = 60.0) -> list[dict[str, Any]]:
        """Frames, until there are so many or nothing came for so long, however often it was asked."""
        found: list[dict[str, Any]] = self.ask("read", frames=frames, seconds=seconds)
        return found

    def count(self, seconds: float = 1.0) -> int:
        """How many frames come until that long nothing came."""
        return int(self.ask("count", seconds=seconds))

    def leg(self, number: int = 0) -> dict[str, Any]:
        """What a leg says of itself, after one more burst was asked for."""
        found: dict[str, Any] = self.ask("legs")[number]
        return found

    def close(self) -> None:
        """End it."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        try:
            self._child.wait(60)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(10)
        if self._child.stdout is not None:
            self._child.stdout.close()


@contextmanager
def listening(namespace: Namespace, tap: TapConfig) -> Iterator[Listener]:
    """A listener that has taken up its legs."""
    made = Listener(namespace, tap)
    try:
        assert made.began == {"began": True}, made.began
        yield made
    finally:
        made.close()


class _InTurn:
    """Shared legs whose readers are asked one after the other, by one thread."""

    live, faults = True, list[WardtapError]()

    def __init__(self, legs: SharedLive) -> None:
        self._legs, self._turn, self._look_s = legs, -1, 0.0
        self._frames = [np.zeros(BURST_FRAMES_MAX, FRAME) for _ in legs.readers]
        self._in_use = [0] * len(legs.readers)
        self._hears = False

    @property
    def worker(self) -> int:
        """Whose frames the last burst were."""
        return self._turn

    def next_burst(self) -> Burst:
        """Of the next worker; what it gave before is over."""
        if not self._hears:
            self._hears = True
            self._legs.hear()
        if time.monotonic() > self._look_s:
            self._look_s = time.monotonic() + 1
            for number in range(len(self._in_use)):
                self._release(number)
            self._legs.look()
        self._turn = (self._turn + 1) % len(self._in_use)
        self._release(self._turn)
        burst = self._legs.readers[self._turn].read(self._frames[self._turn])
        self._in_use[self._turn] = burst.count
        return burst

    def _release(self, number: int) -> None:
        if self._in_use[number]:
            self._legs.readers[number].release(1)
        self._in_use[number] = 0

    def legs(self) -> list[LegCounts]:
        return self._legs.legs()

    def grouped(self) -> list[bool]:
        """Of each leg."""
        return self._legs.grouped

    def deafen(self) -> None:
        self._hears = True
        self._legs.deafen()

    def close(self) -> None:
        self._legs.close()


def _told(burst: Burst, decoder: Decoder, worker: int = 0) -> list[dict[str, Any]]:
    rows = decoder.decode(burst, decoder.buffer()).rows
    told = []
    for number in range(burst.count):
        frame = burst.frames[number]
        at, size = int(frame["offset"]), int(frame["caplen"])
        fields = {name: int(frame[name]) for name in FIELDS} | {"worker": worker}
        row = {name: int(rows[number][name]) for name in ("wire_octets", "verdict", "l3_octets", "payload_octets")}
        row["row_vlan"] = int(rows[number]["vlan"])
        told.append(fields | row | {"octets": burst.octets[at : at + size].tobytes().hex()})
    return told


class _Silence:
    """Nothing came for so long and so often: a busy machine may let a second pass between two looks."""

    BURSTS = 10

    def __init__(self, seconds: float) -> None:
        self._seconds, self._empty = seconds, 0
        self._end = time.monotonic() + seconds

    @property
    def lasts(self) -> bool:
        return self._empty >= self.BURSTS and time.monotonic() > self._end

    def after(self, frames: int) -> None:
        """Of a burst."""
        self._empty = 0 if frames else self._empty + 1
        if frames:
            self._end = time.monotonic() + self._seconds


class _Child:
    """The process's side."""

    def __init__(self, source: Source | _InTurn) -> None:
        self._source, self._decoder = source, Decoder()
        self._kept: list[tuple[Burst, list[dict[str, Any]]]] = []

    def _burst(self) -> Burst:
        burst = self._source.next_burst()
        if burst is None:
            raise SystemExit("; ".join(str(fault) for fault in self._source.faults))
        assert burst.octets.flags.writeable
        return burst

    def read(self, frames: int, seconds: float) -> list[dict[str, Any]]:
        """Frames with their rows."""
        silence, found = _Silence(seconds), []
        while len(found) < frames and not silence.lasts:
            burst = self._burst()
            silence.after(burst.count)
            found += _told(burst, self._decoder, getattr(self._source, "worker", 0))
        return found

    def count(self, seconds: float) -> int:
        """Frames until there was silence for so long."""
        silence, found = _Silence(seconds), 0
        while not silence.lasts:
            size = self._burst().count
            silence.after(size)
            found += size
        return found

    def silent(self, bursts: int) -> list[tuple[int, float]]:
        """So many bursts: their frames, and how long each took while the machine let it work."""
        told = []
        for _ in range(bursts):
            began = time.monotonic() - waited_s()
            told.append((self._burst().count, time.monotonic() - waited_s() - began))
        return told

    def waited(self) -> float:
        """How long a busy machine let it wait so far, in seconds."""
        return waited_s()

    def keep(self, bursts: int) -> int:
        """Read so many bursts and remember what they said."""
        for _ in range(bursts):
            burst = self._burst()
            self._kept.append((burst, _told(burst, self._decoder)))
        return sum(burst.count for burst, _ in self._kept)

    def kept(self) -> bool:
        """Whether the bursts that were kept still say the same."""
        return all(_told(burst, self._decoder) == told for burst, told in self._kept)

    def forget(self) -> bool:
        """No longer remember them."""
        self._kept.clear()
        return True

    def legs(self) -> list[dict[str, Any]]:
        """Counts of the legs."""
        self._burst()
        return [leg._asdict() for leg in self._source.legs()]

    def grouped(self) -> list[bool]:
        """Whether the kernel shares out each leg."""
        assert isinstance(self._source, _InTurn)
        return self._source.grouped()

    def resign(self) -> bool:
        """Give up root and every capability; whether new packet sockets are refused from here on."""
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        try:
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
        except PermissionError:
            return True
        return False

    def deafen(self) -> bool:
        """Hear no more."""
        self._source.deafen()
        return True

    def close(self) -> bool:
        """Give everything back."""
        self._source.close()
        return True


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Take up the legs, then do as the lines say."""
    fields = json.loads(sys.argv[1])
    try:
        tap = TapConfig(**(fields | {"legs": tuple(fields["legs"])}))
        source = _InTurn(open_shared(tap)) if tap.workers > 1 else open_legs(tap)
    except WardtapError as error:
        _say({"error": type(error).__name__, "text": str(error)})
        return
    child = _Child(source)
    child.silent(1)  # the first burst opens the ears
    _say({"began": True})
    for line in sys.stdin:
        asked = json.loads(line)
        _say(getattr(child, asked.pop("do"))(**asked))


if __name__ == "__main__":
    main()
