"""What is known of the way to an address: the stack behind it, how far it is, whose DICOM program answers there.

A memory of the first card that was heard with each address, so that another card with the same address can be compared
with it. Bounded; what is compared is never printed but for numbers.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from agent.devices.records import EdgeDirection, Sighting
from agent.findings.case import Case
from agent.findings.words import NS_PER_S

TRAITS_MAX: Final = 8192  # addresses and kinds of traits: twice the device table
VALUES_MAX: Final = 8  # of one trait: a server may have several programs
MARKS_MAX: Final = 1024
CARDS_MAX: Final = 4  # of one address: its owner, a stand-in and who comes between
STALE_NS: Final = 3600 * NS_PER_S  # a card that was not heard for so long says nothing of who has its address now
HOPS_MAX: Final = 3  # somebody on the path adds one; a step of many is another stack's start
IMPLEMENTATION: Final = "dicom.implementation"
ROWS_MAX: Final = 4096  # of an interval
STEP_US: Final = 2000  # a box that takes frames up and sends them on adds milliseconds, a switch microseconds
STEP_FACTOR: Final = 2
_TCP: Final = 6
_SYN: Final = {
    "tcp.syn": "syn", "tcp.passed-syn": "syn", "tcp.syn-ack": "syn-ack", "tcp.passed-syn-ack": "syn-ack",
}  # fmt: skip
KINDS: Final = (*_SYN, IMPLEMENTATION)


class Move(NamedTuple):
    """An address (128 bits, IPv4 mapped) that went from a card that is still there to another one."""

    address: int
    mac: int
    was: int
    time_ns: int


class Mark(NamedTuple):
    """How what comes from an address differs by the card that sends it."""

    kind: str  # hop, stack, implementation, delay, flap
    was: int  # MAC it is compared with
    text: str  # of numbers and fixed words


class _Trait(NamedTuple):
    """What one card showed with an address."""

    mac: int
    came: int  # the how manieth card it is, so that who was there first is known
    values: tuple[str, ...]


class Distances:
    """The shortest handshake of each service in the intervals before, from the tap to its responder and back."""

    def __init__(self) -> None:
        self._shortest: OrderedDict[tuple[int, int], int] = OrderedDict()  # by address and port, us
        self.steps: OrderedDict[int, Mark] = OrderedDict()  # by address: what became slower, as of the last interval

    def observe(self, case: Case) -> None:
        """At the end of an interval; of several peers of one service the quickest counts."""
        rows = case.turn.counted
        timed = (rows["protocol"] == _TCP) & (rows["rtt_us"] != 0)
        rows = rows[timed & (rows["direction"] == EdgeDirection.ORIGINATES)]
        now: dict[tuple[int, int], int] = {}
        columns = (rows[name][:ROWS_MAX].tolist() for name in ("peer_hi", "peer_lo", "port", "rtt_us"))
        for hi, lo, port, rtt_us in zip(*columns, strict=True):
            key = (hi << 64 | lo, port)
            now[key] = min(rtt_us, now.get(key, rtt_us))
        for key, rtt_us in sorted(now.items()):
            before = self._shortest.get(key)
            if before is not None and rtt_us >= max(before + STEP_US, STEP_FACTOR * before):
                what = f"it answers {(rtt_us - before) / 1000:.1f} ms later ({rtt_us / 1000:.1f} ms)"
                self.steps[key[0]] = Mark("delay", 0, what)
                self.steps.move_to_end(key[0])
                continue
            self.steps.pop(key[0], None)
            self._shortest[key] = rtt_us if before is None else min(rtt_us, before)
            self._shortest.move_to_end(key)
        while len(self._shortest) > TRAITS_MAX:
            self._shortest.popitem(last=False)
        while len(self.steps) > MARKS_MAX:
            self.steps.popitem(last=False)


class Paths:
    """Traits of addresses, and marks of those that a second card speaks for."""

    def __init__(self) -> None:
        self._distances = Distances()
        self._traits: OrderedDict[tuple[int, str], tuple[_Trait, ...]] = OrderedDict()  # of each card, newest last
        self._marks: OrderedDict[tuple[int, int], dict[tuple[int, str], Mark]] = OrderedDict()
        self._came = 0

    def observe(self, case: Case) -> None:
        """Take in what the turn's packets showed."""
        for sighting in case.sighted(*KINDS):
            if sighting.sender and sighting.word:
                self._take(case, sighting)
        if case.turn.interval_closed:
            self._distances.observe(case)
        while len(self._traits) > TRAITS_MAX:
            self._traits.popitem(last=False)
        while len(self._marks) > MARKS_MAX:
            self._marks.popitem(last=False)

    def marks(self, move: Move) -> list[Mark]:
        """How the new card's packets from a moved address differ from the old one's, in a fixed order."""
        found = self._marks.get((move.address, move.mac), {})
        told = [mark for (was, _), mark in sorted(found.items()) if was == move.was]
        slower = self._distances.steps.get(move.address)
        return [*told, slower._replace(was=move.was)] if slower is not None else told

    def _take(self, case: Case, sighting: Sighting) -> None:
        """A card says the same only once, so what the owner showed days ago counts for as long as it is heard at all.

        Only who came to an address later differs from who was there; one that comes back to its own does not.
        """
        key = (sighting.sender, _SYN.get(sighting.kind, IMPLEMENTATION))
        traits = self._traits.get(key, ())
        mine = next((trait for trait in traits if trait.mac == sighting.source), None)
        if mine is None:
            self._came += 1
            mine = _Trait(sighting.source, self._came, ())
        others = tuple(trait for trait in traits if trait.mac != sighting.source)
        for known in others:
            if known.came < mine.came and _is_heard(case, known.mac, sighting.time_ns):
                self._mark(sighting, _compared(key[1], known, sighting.word))
        values = tuple(dict.fromkeys((*mine.values, sighting.word)))[-VALUES_MAX:]
        self._traits[key] = (*others[1 - CARDS_MAX :], mine._replace(values=values))
        self._traits.move_to_end(key)

    def _mark(self, sighting: Sighting, marks: list[Mark]) -> None:
        for mark in marks:
            held = self._marks.setdefault((sighting.sender, sighting.source), {})
            self._marks.move_to_end((sighting.sender, sighting.source))
            held[mark.was, mark.kind] = mark


def _is_heard(case: Case, mac: int, now_ns: int) -> bool:
    slot = case.slot_of(mac)
    return slot is not None and now_ns - int(case.turn.devices.lasts_ns()[slot]) < STALE_NS


def _compared(what: str, known: _Trait, word: str) -> list[Mark]:
    if word in known.values:
        return []
    if what == IMPLEMENTATION:
        return [Mark("implementation", known.mac, "another maker's or another version's DICOM program answers there")]
    left, _, stack = word.partition(":")
    before = [value.partition(":") for value in known.values]
    marks = []
    steps = [int(was) - int(left) for was, _, _ in before if was.isdecimal() and left.isdecimal()]
    if steps and all(0 < step <= HOPS_MAX for step in steps):
        hops = f"{min(steps)} hop{'s' if min(steps) > 1 else ''} more"
        marks.append(Mark("hop", known.mac, f"its packets have come {hops} (time to live {int(left)})"))
    if all(other != stack for _, _, other in before):
        marks.append(Mark("stack", known.mac, "another TCP stack answers there"))
    return marks
