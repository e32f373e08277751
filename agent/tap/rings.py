"""The live legs of Linux and all their rings: taken up together, looked at once a second, counted, given back.

A leg keeps its sockets and its rings as long as it can. An interface that went away and came back, perhaps with another
number, is bound to the same sockets, for which no capability is needed; where a fanout group forbids it, to the spare
ones, whose rings are laid where the old ones were.
"""

import secrets
from contextlib import ExitStack, closing

import numpy as np

from agent.clock import Clock
from agent.tap.leg import Leg, Shares
from agent.tap.link import Link, Links
from agent.tap.packet_socket import NOTHING, BpfProgram, geometry, lay_ring, place_for
from agent.tap.records import LegCounts, Octets
from agent.tap.ring_reader import RingReader, load_kernels
from agent.tap.source import checked_legs


class Rings:
    """All legs, and a reader for each worker."""

    def __init__(self, legs: list[str], buffer_bytes: int, capture_filter: str, clock: Clock, workers: int = 1) -> None:
        """`buffer_bytes`: of each leg, for all workers together. `capture_filter`: in libpcap's language."""
        self._opened = ExitStack()
        self._shape = geometry(buffer_bytes // workers)
        self._clock = clock
        try:
            self._take_up(checked_legs(legs), capture_filter, Shares(workers, secrets.randbits(32)))
        except BaseException:
            self._opened.close()
            raise

    def _take_up(self, legs: list[str], capture_filter: str, shares: Shares) -> None:
        links = self._opened.enter_context(closing(Links()))
        self.legs = [Leg(name, links, self._shape, shares, self._opened) for name in legs]
        self._octets: Octets = place_for(self._shape, len(legs) * shares.workers)
        for number in range(len(legs)):
            self._lay(number)
        self.readers = [
            self._opened.enter_context(closing(RingReader(self.legs, worker, self._octets, self._shape, self._clock)))
            for worker in range(shares.workers)
        ]
        load_kernels()
        self._programs = _programs(self.legs, capture_filter)
        for leg in self.legs:
            leg.take_up()

    def _lay(self, number: int) -> None:
        leg = self.legs[number]
        for worker, ring in enumerate(leg.rings):
            lay_ring(self._octets, worker * len(self.legs) + number, self._shape, ring, leg.name)

    def hear(self) -> None:
        """From here on frames come in."""
        for leg, program in zip(self.legs, self._programs, strict=True):
            leg.hear(program)

    def look(self) -> None:
        """See to the interfaces. With several workers, none of them reads or holds a burst meanwhile."""
        for number, leg in enumerate(self.legs):
            other = leg.look(self._clock.mono_ns())
            if other is not None:
                self._move(number, other)

    def _move(self, number: int, other: Link) -> None:
        """To the interface that bears the leg's name now; what a group's rings still hold is read before."""
        leg = self.legs[number]
        if leg.grouped:
            if not all(reader.is_empty(number) and reader.in_use == 0 for reader in self.readers):
                return
            leg.replace()
            self._lay(number)
            for reader in self.readers:
                reader.begin_anew(number)
        leg.move(other)

    def counts(self) -> list[LegCounts]:
        """Counters of every leg since takeover, of all its rings together."""
        told = np.sum([reader.counted() for reader in self.readers], axis=0).tolist()
        return [leg.counts(frames, damaged) for leg, (frames, damaged) in zip(self.legs, told, strict=True)]

    def deafen(self) -> None:
        """Hear no more; what was heard can still be read."""
        for leg in self.legs:
            leg.hear(NOTHING)

    def close(self) -> None:
        """Give everything back; the memory goes with the last burst that points into it."""
        self._opened.close()
        self._octets = np.zeros(1, np.uint8)


def _programs(legs: list[Leg], capture_filter: str) -> list[BpfProgram | None]:
    if not capture_filter:
        return [None] * len(legs)
    from agent.tap.pcapy_live import compiled_filter  # noqa: PLC0415 - libpcap is loaded only to compile

    return [compiled_filter(capture_filter, leg.link) for leg in legs]
