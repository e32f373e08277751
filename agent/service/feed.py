"""Decodes ahead: while one burst is metered, the next are walked and decoded on a second core.

Kernels release the interpreter lock, and decoding keeps nothing between frames, so a file is read as fast as two cores
allow.
"""

import queue
import threading
from collections.abc import Callable, Iterator

from agent.packets.decoder import Decoded, Decoder
from agent.packets.records import Rows
from agent.tap.records import BURSTS_AHEAD, Burst
from agent.tap.source import Source

AHEAD = BURSTS_AHEAD - 2  # one burst is metered, one is being decoded, the rest wait in the queue


def decoded_bursts(source: Source, decode: Callable[[Burst, Rows], Decoded]) -> Iterator[Decoded]:
    """Bursts of a file, decoded, in order. A failure in the reading thread is raised here."""
    buffers = [Decoder.buffer() for _ in range(BURSTS_AHEAD)]
    ready: queue.Queue[Decoded | BaseException | None] = queue.Queue(AHEAD)
    stopped = threading.Event()

    def put(item: Decoded | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.2)
            except queue.Full:
                continue
            return

    def read() -> None:
        turn = 0
        try:
            while not stopped.is_set() and (burst := source.next_burst()) is not None:
                put(decode(burst, buffers[turn % BURSTS_AHEAD]))
                turn += 1
        except BaseException as error:  # noqa: BLE001 - it is raised again on the other side
            put(error)
            return
        put(None)

    thread = threading.Thread(target=read, name="decode", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        thread.join()
