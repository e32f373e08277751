"""Decodes ahead: while one burst is metered, the next are walked and decoded on a second core.

Kernels release the interpreter lock, so a file is read as fast as two cores allow. Which of them has more to do depends
on the file: where its octets come fast, whoever reads has time to hash the flows as well.
"""

import queue
import threading
from collections.abc import Iterator
from typing import Protocol

from agent.packets.decoder import Decoded, Decoder
from agent.packets.records import Rows
from agent.tap.records import BURSTS_AHEAD, Burst
from agent.tap.source import Source


class Decode(Protocol):
    """What is done to a burst before its turn."""

    def __call__(self, burst: Burst, rows: Rows, *, hashed: bool) -> Decoded:
        """Fill `rows`; with `hashed`, their flows' digests too."""


def decoded_bursts(source: Source, decode: Decode) -> Iterator[Decoded]:
    """Bursts of a file, decoded, in order. A failure in the reading thread is raised here.

    A burst is read when a row buffer is free for it: one is metered, one is being decoded, the others wait. As long as
    one waits the other side is the slower.
    """
    free: queue.SimpleQueue[Rows | None] = queue.SimpleQueue()
    ready: queue.SimpleQueue[Decoded | BaseException | None] = queue.SimpleQueue()
    stopped = threading.Event()
    for _ in range(BURSTS_AHEAD):
        free.put(Decoder.buffer())

    def read() -> None:
        try:
            while (rows := free.get()) is not None and not stopped.is_set():
                if (burst := source.next_burst()) is None:
                    break
                ready.put(decode(burst, rows, hashed=not ready.empty()))
        except BaseException as error:  # noqa: BLE001 - it is raised again on the other side
            ready.put(error)
            return
        ready.put(None)

    thread = threading.Thread(target=read, name="decode", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
            free.put(item.rows)
    finally:
        stopped.set()
        free.put(None)
        thread.join()
