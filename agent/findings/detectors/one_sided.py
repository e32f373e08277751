"""one-sided: the tap hears one direction only: a leg without a frame beside a busy one, or sessions without answers.

Then half of what happens is not seen, silence cannot be told from deafness, and many findings cannot be raised.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.findings.case import Case, Evidence, Told
from agent.findings.draft import Draft, Subject
from agent.findings.records import Severity
from agent.findings.words import bounded, time_text

INTERVALS_MIN: Final = 2  # in a row: a session may end at a border
CONTACTS_MIN: Final = 8  # one-way in an interval, and more than there are of both ways
PACKETS_MIN: Final = 4
# An unanswered SYN, again and again, is a try; who sends data into a session that nobody answers is half of one.
OCTETS_A_PACKET_MIN: Final = 80
LEG_FRAMES_MIN: Final = 1000  # of the busy leg in an interval in which the other hears nothing
EXPECTED: Final = "A tap hears both directions of the ward's link: each session has packets both ways."
_TCP: Final = 6


class OneSided:
    """Remembers for how many intervals it has been so."""

    def __init__(self) -> None:
        self._contacts = 0
        self._frames: dict[str, int] = {}
        self._deaf: dict[str, int] = {}

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval in which the tap looked closely at all there was."""
        if not case.turn.interval_closed or case.turn.detail != "full":
            return
        yield from self._of_contacts(case)
        yield from self._of_legs(case)

    def _of_contacts(self, case: Case) -> Iterator[Draft]:
        one, both = _ways(case)
        if one + both == 0:
            return  # nothing to tell by
        self._contacts = self._contacts + 1 if one >= CONTACTS_MIN and one > both else 0
        if self._contacts == INTERVALS_MIN:
            text = f"{one} of {one + both} sessions of the last interval were heard in one direction only"
            yield _draft(case, text, "contacts", (("one-way", one), ("both-ways", both)))

    def _of_legs(self, case: Case) -> Iterator[Draft]:
        grown = {leg.name: leg.frames - self._frames.get(leg.name, 0) for leg in case.turn.legs}
        self._frames = {leg.name: leg.frames for leg in case.turn.legs}
        busiest = max(grown.values(), default=0)
        for leg in case.turn.legs:
            deaf = len(grown) > 1 and grown[leg.name] == 0 and busiest >= LEG_FRAMES_MIN and not leg.fault.blind
            self._deaf[leg.name] = self._deaf.get(leg.name, 0) + 1 if deaf else 0
            if self._deaf[leg.name] == INTERVALS_MIN:
                name = bounded(leg.name)
                text = f"leg {name} of the tap hears nothing although it has a link, and another heard {busiest} frames"
                yield _draft(case, text, f"leg|{name}", (("leg", name), ("frames-of-the-other", busiest)))


def _ways(case: Case) -> tuple[int, int]:
    """TCP contacts of the interval that carry data: (one way only, both ways)."""
    rows = case.turn.counted
    out, back = rows["packets_out"].astype(np.int64), rows["packets_in"].astype(np.int64)
    octets = (rows["octets_out"] + rows["octets_in"]).astype(np.int64)
    packets = out + back
    talks = (rows["protocol"] == _TCP) & (packets >= PACKETS_MIN) & (octets >= OCTETS_A_PACKET_MIN * packets)
    both = talks & (out > 0) & (back > 0)
    return int(np.count_nonzero(talks & ~both)), int(np.count_nonzero(both))


def _draft(case: Case, text: str, what: str, evidence: Evidence) -> Draft:
    now_ns = case.turn.now_ns
    told = Told(
        text=f"{text}, so half of what happens is not seen",
        evidence=(*evidence, ("interval-end", time_text(now_ns))),
        cause=f"one-sided|{what}",
        first_ns=now_ns - INTERVALS_MIN * case.turn.span_ns,
        last_ns=now_ns,
        expected=EXPECTED,
    )
    return Draft(case.without_device("one-sided", Severity.HEALTH, told), Subject(0))
