"""One leg: the sockets that listen to its interface - one for each worker - and what all of them have counted.

Workers share a leg out as a fanout group, where the kernel gives one. A group cannot be moved to another interface. So
beside it lie spare sockets without a ring, opened while that was still permitted: when the interface was replaced they
take over, each with the share of its worker as a filter. Filters cost more - every socket looks at every frame - but
such sockets can be bound anew as often as need be, and give the same shares.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from agent.tap.fanout import EVERYTHING, number_program, share_program
from agent.tap.link import Link, Links
from agent.tap.packet_socket import (
    NOTHING,
    BpfProgram,
    Geometry,
    Ring,
    RingCounts,
    attach,
    clear_filter,
    join,
    leave,
    link_type,
    make_ring,
    open_socket,
    read_counts,
    set_filter,
)
from agent.tap.records import LegCounts
from agent.tap.source import cannot_listen
from agent.tap.watch import LegWatch

HEADERS = {1: 14}  # LINKTYPE_* -> octets before the network header; others have none


class Shares(NamedTuple):
    """How a leg is shared out: to so many workers, by a hash with this key."""

    workers: int = 1
    key: int = 0


class Leg:
    """An interface, its sockets, what was counted."""

    def __init__(self, name: str, links: Links, shape: Geometry, shares: Shares, opened: ExitStack) -> None:
        self._opened = opened
        self.rings = [opened.enter_context(open_socket(name)) for _ in range(shares.workers)]
        self._spares = [opened.enter_context(open_socket(name)) for _ in self.rings] if shares.workers > 1 else []
        first = links.named(name)
        if first is None:
            raise cannot_listen(name, "no such interface")
        kind = link_type(first)
        if kind is None:
            raise cannot_listen(name, f"its kind (ARPHRD {first.kind}) is not read")
        self.name, self.link, self.first = name, kind, first
        self.watch = LegWatch(name, first)
        self.grouped = False
        self._links, self._shape, self._shares = links, shape, shares
        self._counts = RingCounts(0, 0, 0)
        self._heard: BpfProgram | None = NOTHING
        for ring in self.rings:
            make_ring(ring, name, shape)

    def take_up(self) -> None:
        """Attach, still deaf: until somebody reads, a ring would only fill and overflow."""
        for ring in self.rings:
            set_filter(ring, NOTHING)
            try:
                attach(ring, self.first)
            except OSError as error:
                raise cannot_listen(self.name, str(error.strerror)) from error
        if len(self.rings) > 1:
            self.grouped = join(self.rings, number_program(self._shares.key))

    def hear(self, program: BpfProgram | None) -> None:
        """From here on frames come in: all, or those that a program passes; none, with NOTHING."""
        self._heard = program
        for worker, ring in enumerate(self.rings):
            self._let_in(ring, worker)

    def _let_in(self, ring: Ring, worker: int) -> None:
        program = self._heard
        if len(self.rings) > 1 and not self.grouped and program is not NOTHING:
            shares, header = self._shares, HEADERS.get(self.link, 0)
            program = share_program(shares.key, worker, shares.workers, header, program or EVERYTHING)
        if program is None:
            clear_filter(ring)
        else:
            set_filter(ring, program)

    def look(self, now_ns: int) -> Link | None:
        """See to the interface. The answer is another one to move to, which bears the name now."""
        named = self._links.named(self.name)
        numbered = None if named else self._links.numbered(self.watch.number)
        other = self.watch.look(named, numbered, now_ns)
        return other if other is not None and link_type(other) == self.link else None

    def move(self, other: Link) -> None:
        """Attach to another interface; rings of a group are no longer there, see `replace`."""
        before = self.watch.number
        try:
            for ring in self.rings:
                attach(ring, other)
        except OSError:
            return  # gone again; the next look will tell
        for ring in self.rings:
            leave(ring, before)
        self.watch.attached(other)

    def replace(self) -> Sequence[Ring]:
        """New rings in place of those of a group, deaf and attached to nothing yet. Nobody may hold a burst."""
        self._note(self.rings)
        for spare in self._spares:
            make_ring(spare, self.name, self._shape)
        for old in self.rings:
            old.close()
        self.rings, self._spares, self.grouped = self._spares, [], False
        self.hear(self._heard)
        return self.rings

    def _note(self, rings: Sequence[Ring]) -> None:
        """The kernel sets its counters back when it is asked."""
        for ring in rings:
            steps = read_counts(ring)
            self._counts = RingCounts(*(total + step for total, step in zip(self._counts, steps, strict=True)))

    def counts(self, frames: int, damaged: int) -> LegCounts:
        """All that is known of the leg since takeover."""
        self._note(self.rings)
        interface = self.watch.grown
        return LegCounts(
            self.name,
            frames,
            self._counts.dropped + damaged + interface.lost,
            self._counts.frozen,
            interface.sent,
            received=self._counts.received,
            nic_received=interface.received,
            nic_lost=interface.lost,
            nic_errors=interface.errors,
            blind_ns=self.watch.blind_ns,
            fault=self.watch.fault,
        )
