"""The workers' threads, what they have handed over, and the place where all meet once a second.

Between two seconds each worker reads its rings, decodes and meters; it hands a batch over, and has four, so that one
that the judge cannot follow waits, its ring fills, and what it loses is counted there. Once a second all stand still
with empty hands: then flows end, findings are judged, intervals close, legs are looked at - by one thread, in tables
that nobody else touches, as with one worker. A failure in any of them is raised where the judge waits.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from agent.clock import NS_PER_S, Clock
from agent.packets.kernels_order import LAST
from agent.packets.records import Rows
from agent.service.batches import Batch, Batches
from agent.service.overload import Detail
from agent.service.worker import Worker
from agent.tap.records import Burst

WAIT_S = 0.1  # the judge looks up as often, to see whether it was told to stop
LAST_BURSTS_MAX = 256  # four full rings of 32 MiB, of the smallest frames
QUIET_NS = 100_000_000  # at the end: what a deaf ring still held comes within its blocks' timer


class Reader(Protocol):
    """One worker's share of the legs."""

    def read(self, frames: Rows) -> Burst:
        """The next frames into `frames`; none after a moment of silence, and none at the end of a second."""

    def release(self, bursts: int) -> None:
        """Nobody needs the oldest bursts any more that had frames."""

    @property
    def known_ns(self) -> int:
        """Every frame that came before this time was given out."""


class _Hand:
    """What one worker has, what it has given, and how far it knows."""

    def __init__(self, batches: list[Batch]) -> None:
        self.free, self.given = deque(batches), deque[Batch]()
        self.back = 0  # batches that came back since it looked
        self.known_ns = 0
        self.meets = self.ended = False
        # As of the last time that the judge collected.
        self.out = 0  # batches that he has
        self.told_ns = 0  # what was known
        self.pressed = False  # no batch was left to fill


class Crew:
    """Threads that read, decode and meter; the judge collects."""

    def __init__(
        self, workers: Sequence[Worker], readers: Sequence[Reader], batches: Batches, clock: Clock,
        detail: Callable[[], Detail],
    ) -> None:  # fmt: skip
        self.batches = batches
        self._clock, self._detail = clock, detail
        self._hands = [_Hand(batches.of(number)) for number in range(len(workers))]
        self._changed = threading.Condition()
        self._news = self._still = self._finishing = self._closed = False
        self._second = 0
        self._failure: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._run, args=work, name=f"worker-{number}", daemon=True)
            for number, work in enumerate(zip(self._hands, workers, readers, strict=True))
        ]

    def start(self) -> None:
        """From here on they work."""
        for thread in self._threads:
            thread.start()

    # The worker's side.

    def _run(self, hand: _Hand, worker: Worker, reader: Reader) -> None:
        try:
            self._work(hand, worker, reader)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the judge waits
            self._failure = self._failure or error
        with self._changed:
            hand.ended = self._news = True
            self._changed.notify_all()

    def _work(self, hand: _Hand, worker: Worker, reader: Reader) -> None:
        second, last_bursts, quiet_ns = 0, 0, -1  # since when nothing came, at the end
        while last_bursts < LAST_BURSTS_MAX and (batch := self._claim(hand, reader)) is not None:
            now_ns, finishing = self._clock.mono_ns(), self._finishing
            if not finishing and self._clock.wall_ns() // NS_PER_S > second:
                second = self._meet(hand)
                continue
            if finishing and quiet_ns < 0:
                quiet_ns = now_ns
            elif finishing and now_ns - quiet_ns >= QUIET_NS:
                return
            burst = reader.read(batch.frames)
            if burst.count:
                quiet_ns, last_bursts = -1, last_bursts + finishing
                self._give(hand, batch, worker.take(burst, batch, self._detail()))
            else:
                self._give(hand, None, reader.known_ns)

    def _claim(self, hand: _Hand, reader: Reader) -> Batch | None:
        """The next batch to fill; it stays in the hand until it is given. None: nobody takes it any more."""
        with self._changed:
            while not hand.free and not self._closed:
                self._changed.wait()
            back, hand.back = hand.back, 0
            batch = None if self._closed else hand.free[0]
        if back:
            reader.release(back)
        return batch

    def _give(self, hand: _Hand, batch: Batch | None, known_ns: int) -> None:
        with self._changed:
            if batch is not None:
                hand.free.popleft()
                hand.given.append(batch)
            hand.known_ns = max(hand.known_ns, known_ns)
            self._news = True
            self._changed.notify_all()

    def _meet(self, hand: _Hand) -> int:
        """Stand still until the judge says that it goes on. The second that is judged."""
        with self._changed:
            hand.meets = self._news = True
            self._changed.notify_all()
            while hand.meets and not self._finishing:
                self._changed.wait()
            hand.meets = False
            return self._second

    # The judge's side.

    def collect(self) -> tuple[list[Batch], bool]:
        """Wait for what is new: batches that were handed over, and whether all stand still or have ended.

        What a worker failed of is raised here.
        """
        with self._changed:
            if not self._news:
                self._changed.wait(WAIT_S)
            self._news = False
            if self._failure is not None:
                raise self._failure
            given = [batch for hand in self._hands for batch in hand.given]
            for hand in self._hands:
                hand.out += len(hand.given)
                hand.told_ns, hand.pressed = hand.known_ns, not hand.free
                hand.given.clear()
            self._still = all(hand.meets or hand.ended for hand in self._hands)
            return given, self._still

    def until(self) -> int:
        """Up to which order the judge may take: what comes later may still be behind something that nobody has seen.

        All of it as of the last time that he collected: what was handed over since is not in his hands. A worker that
        had no batch left waits for nobody who is silent: order is worth less than a loss.
        """
        if self._still:
            return int(LAST)
        pressed = any(hand.pressed for hand in self._hands)
        return min((hand.told_ns for hand in self._hands if hand.out or not pressed), default=int(LAST))

    def give_back(self, batches: list[Batch]) -> None:
        """The judge is done with these."""
        with self._changed:
            for batch in batches:
                hand = self._hands[batch.worker]
                hand.free.append(batch)
                hand.back += 1
                hand.out -= 1
            self._changed.notify_all()

    def go_on(self, second: int) -> None:
        """That second is judged; all go on."""
        with self._changed:
            self._second = second
            for hand in self._hands:
                hand.meets = False
            self._changed.notify_all()

    def finish(self) -> None:
        """Read what the rings still hold, then end."""
        with self._changed:
            self._finishing = True
            self._changed.notify_all()

    @property
    def ended(self) -> bool:
        """Whether nobody works any more."""
        return all(hand.ended for hand in self._hands)

    def close(self) -> None:
        """End the threads, whatever they do, and wait for them."""
        with self._changed:
            self._finishing = self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
