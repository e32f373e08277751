"""What the real kernels hand to the readers, of a whole capture."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from agent.flows.cache import FlowCache, FlowLimits
from agent.packets.decoder import Decoder
from agent.packets.hints import READERS
from agent.packets.hints.records import Signal
from agent.packets.news import Heard, Hint, News
from agent.tap.replay import ReplaySource
from tests.simulators.bursts import SECRET


def news(path: Path) -> Iterator[Hint]:
    """Hints of a capture, a second at a time as far as the budget goes."""
    decoder, cache, told = Decoder(), FlowCache(FlowLimits(), SECRET), list[Hint]()
    worth = News(SECRET, READERS)
    source, rows = ReplaySource([path]), Decoder.buffer()
    while (burst := source.next_burst()) is not None:
        decoded = decoder.decode(burst, rows)
        cache.hash(rows, decoded.count)
        heard = Heard(burst.frames, rows, burst.octets)
        for at in range(decoded.count):
            worth.tell(heard, np.array([at], np.int64), int(rows[at]["time_ns"]) // 1_000_000_000, told.append)
    yield from told


def signals(path: Path) -> Iterator[tuple[Hint, Signal]]:
    """What the readers say of it."""
    for hint in news(path):
        for signal in READERS[hint.kind](hint.payload):
            yield hint, signal
