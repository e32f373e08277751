"""Bursts through the whole sensor, and what must hold at the end of them whatever they held."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from agent.errors import InputError
from agent.packets.decoder import Decoder
from agent.packets.records import Rows
from agent.service.lines import device_line
from agent.service.pipeline import Pipeline
from agent.service.replay import Screen, Wanted
from agent.tap.records import Burst
from agent.tap.replay import ReplaySource
from tests.service.bench import parts, small
from tests.simulators.bursts import SECRET, Heard

CONFIG = small()  # tables so small that a capture of some size fills them


@dataclass
class Nowhere:
    """A screen that nobody looks at: how much was written, for every line is made."""

    size: int = 0

    def write(self, text: str) -> int:
        self.size += len(text)
        return len(text)


@cache
def _buffer() -> Rows:
    return Decoder.buffer()


def journey(bursts: Iterable[Burst]) -> int:
    """Decode, recognise, hash, meter, attribute, relate, judge, seal and print; every count adds up. The frames."""
    out = Nowhere()
    pipeline = Pipeline(CONFIG, parts(), Screen(out, Wanted(json=True, flows=True), CONFIG), SECRET)  # type: ignore[arg-type]
    received = 0
    for burst in bursts:
        received += burst.count
        for _ in pipeline.take_steps(pipeline.decode(burst, _buffer())):
            pass
    pipeline.settle()
    pipeline.drain()
    for slot in pipeline.table.occupied().tolist():
        assert device_line(pipeline.table, slot, pipeline.ward, parts().pseudonyms, plain_names=True)
    assert pipeline.conserved(), "frames received = processed + ignored, and each is in its flow and its device"
    assert pipeline.frames.frames == received
    return received


def heard(burst: Burst) -> Iterator[Heard]:
    """The frames of a burst, as the twin takes them."""
    table, whole = burst.frames[: burst.count], burst.octets
    named = ("offset", "caplen", "wirelen", "link", "time_ns")
    for at, caplen, wirelen, link, time_ns in zip(*(table[name].tolist() for name in named), strict=True):
        yield Heard(whole[at : at + caplen].tobytes(), wirelen, link, time_ns=time_ns)


@dataclass
class Files:
    """Capture files as bursts; keeps up to `most` frames that are not known, and what was wrong with the files."""

    paths: list[Path]
    known: set[tuple[bytes, int, int]] = field(default_factory=set)
    most: int = 0
    fresh: list[Heard] = field(default_factory=list)
    faults: list[InputError] = field(default_factory=list)

    def __iter__(self) -> Iterator[Burst]:
        with closing(ReplaySource(self.paths)) as source:  # at once: 16 MiB of buffers for each of 180 files add up
            while (burst := source.next_burst()) is not None:
                for frame in heard(burst) if len(self.fresh) < self.most else ():
                    if frame[:3] not in self.known:
                        self.fresh.append(frame)
                yield burst
            self.faults = source.faults
