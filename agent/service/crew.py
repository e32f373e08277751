"""The workers' threads, what they have handed over, and the place where all meet once a second.

Between two seconds each worker reads its rings, decodes and meters; it hands a batch over, and has four, so that one
that cannot be followed waits, its ring fills, and what it loses is counted there. Whoever hands over and finds nobody
judging takes what is there to the judge, in order: one at a time, while the others go on. Once a second all stand
still with empty hands: then flows end, findings are judged, intervals close, legs are looked at - by one thread, in
tables that nobody else touches, as with one worker. A failure in any of them is raised where that thread waits.
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

WAIT_S = 0.1  # whoever waits for the workers looks up as often, to see whether it was told to stop
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
        # As of the last time that batches were collected.
        self.out = 0  # batches that the judge has
        self.told_ns = 0  # what was known
        self.pressed = False  # no batch was left to fill


class Crew:
    """Threads that read, decode and meter. `judge` takes what is in the batches up to an order."""

    def __init__(
        self, workers: Sequence[Worker], readers: Sequence[Reader], clock: Clock, detail: Callable[[], Detail],
        judge: Callable[[Batches, int], None],
    ) -> None:  # fmt: skip
        self._batches = batches = Batches(len(workers))
        self._clock, self._detail, self._judge = clock, detail, judge
        self._judging = threading.Lock()
        self._hands = [_Hand(batches.of(number)) for number in range(len(workers))]
        self._changed = threading.Condition()
        self._still = self._finishing = self._closed = False
        self._second = 0
        self._failure: BaseException | None = None
        self.hear: Callable[[Rows, int], None] | None = None  # each batch's rows, once they are judged, by who judges
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
            hand.ended = True
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
            self._help()

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

    def _help(self) -> None:
        """Take what was handed over to the judge, unless somebody does; nothing stays behind that nobody saw."""
        while self._judging.acquire(blocking=False):
            try:
                self._take()
            finally:
                self._judging.release()
            if not any(hand.given for hand in self._hands):
                return

    def _meet(self, hand: _Hand) -> int:
        """Stand still until it is said that it goes on. The second that is judged."""
        with self._changed:
            hand.meets = True
            self._changed.notify_all()
            while hand.meets and not self._finishing:
                self._changed.wait()
            hand.meets = False
            return self._second

    # Who judges.

    def _take(self) -> None:
        """Add what was handed over, and take all whose turn has come."""
        self._collect()
        while True:
            self._judge(self._batches, self._until())
            over = self._batches.done()
            if not over:
                return
            if self.hear is not None:
                for batch in over:
                    self.hear(batch.rows, batch.count)
            self._give_back(over)

    def _collect(self) -> None:
        with self._changed:
            for hand in self._hands:
                hand.out += len(hand.given)
                hand.told_ns, hand.pressed = hand.known_ns, not hand.free
                while hand.given:
                    self._batches.add(hand.given.popleft())
            self._still = self._all_still()

    def _until(self) -> int:
        """Up to which order the judge may take: what comes later may still be behind something that nobody has seen.

        All of it as of the last time that was collected: what was handed over since is not in his hands. A worker that
        had no batch left waits for nobody who is silent: order is worth less than a loss.
        """
        if self._still:
            return int(LAST)
        pressed = any(hand.pressed for hand in self._hands)
        return min((hand.told_ns for hand in self._hands if hand.out or not pressed), default=int(LAST))

    def _give_back(self, batches: list[Batch]) -> None:
        with self._changed:
            for batch in batches:
                hand = self._hands[batch.worker]
                hand.free.append(batch)
                hand.back += 1
                hand.out -= 1
            self._changed.notify_all()

    # Who waits for all of them.

    def stand_still(self) -> bool:
        """Wait a moment for all to stand still or to have ended; then everything they gave is taken. Whether they do.

        What a worker failed of is raised here.
        """
        with self._changed:
            if not self._all_still() and self._failure is None:
                self._changed.wait(WAIT_S)
            still = self._all_still()
        if self._failure is not None:
            raise self._failure
        if still:
            with self._judging:
                self._take()
        return still

    def _all_still(self) -> bool:
        return all(hand.meets or hand.ended for hand in self._hands)

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
