"""Watches over one leg: is it there, does it hear, what has its interface counted since we took it over."""

from agent.tap.link import Counters, Link
from agent.tap.records import Fault

LOOK_EVERY_NS = 1_000_000_000  # a leg that is back is taken up within 5 s, a blind one is told of within 10 s
_NOTHING = Counters(0, 0, 0, 0)


class LegWatch:
    """A leg is a name in the configuration; the interface behind it may go, come back as another, be renamed."""

    def __init__(self, name: str, first: Link) -> None:
        self.name = name
        self.number = first.number
        self.fault = _condition(first)
        self.blind_ns = 0
        self.grown = _NOTHING  # since takeover
        self._last = first.counters
        self._seen_ns: int | None = None  # monotonic

    def look(self, named: Link | None, numbered: Link | None, now_ns: int) -> Link | None:
        """Note what bears the leg's name and what bears its number. The answer is an interface to attach to.

        As long as nothing else has the name, a renamed interface is still the cable that we listen to.
        """
        if self.fault.blind and self._seen_ns is not None:
            self.blind_ns += now_ns - self._seen_ns
        self._seen_ns = now_ns
        if named is not None and named.number != self.number:
            self.fault = Fault.GONE
            return named
        ours = named or numbered
        if ours is None:
            self.fault = Fault.GONE
            return None
        self._count(ours.counters)
        self.fault = _condition(ours) or (Fault.NONE if named else Fault.RENAMED)
        return None

    def attached(self, link: Link) -> None:
        """Another interface is the leg now. If it was made after ours, all that it sent it sent as our leg."""
        self._last = _NOTHING if link.number > self.number else link.counters  # the kernel numbers upwards
        self.number = link.number
        self._count(link.counters)
        self.fault = _condition(link)

    def _count(self, now: Counters) -> None:
        """Counters only grow; one that is lower than before was started over by its driver."""
        steps = (new - old if new >= old else new for new, old in zip(now, self._last, strict=True))
        self.grown = Counters(*(total + step for total, step in zip(self.grown, steps, strict=True)))
        self._last = now


def _condition(link: Link) -> Fault:
    if not link.up:
        return Fault.DOWN
    return Fault.NONE if link.carrier else Fault.NO_CARRIER
