"""table-pressure: the tap's fixed tables are full and give things up. A flood does that, or a ward that is too large.

Nothing is lost from the totals then, but flows end early and contacts are forgotten. Said once for each episode, within
a second or two of its beginning; whoever began most of the new contacts is named when it is one device.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection
from agent.findings.case import Case, Evidence, Told
from agent.findings.draft import Draft, Subject
from agent.findings.records import Pressure, Severity
from agent.findings.words import NS_PER_S, time_text, within_text

# In a window; a full set of eight gives up one now and then in a ward that fits, a thousand in a minute it does not.
MOST: Final = Pressure(flows=1000, edges=1000, devices=1000, frames=1000)
WINDOW_NS: Final = 60 * NS_PER_S
HOUR_NS: Final = 3600 * NS_PER_S
# New contacts of one turn, at least half of them of one device, that name it: fewer than are kept of one that scans
# (devices/trying.py), so that it is named in whichever second it is told.
CONTACTS_MIN: Final = 24
EXPECTED: Final = "The tables hold ten times a busy ward."
_WORDS: Final = (
    "flows ended early", "contacts not kept", "devices gave up their place", "frames of senders without a place",
)  # of the columns of Pressure  # fmt: skip


class TablePressure:
    """Remembers what had been given up when the window began, and whether this episode was told."""

    def __init__(self) -> None:
        self._before = Pressure()
        self._began_ns = 0
        self._told = False

    def judge(self, case: Case) -> Iterator[Draft]:
        """An episode is over when a whole window stays below the threshold."""
        turn = case.turn
        grown = turn.pressure.since(self._before)
        pressed = any(now >= most for now, most in zip(grown, MOST, strict=True))
        began_ns = self._began_ns or turn.now_ns - NS_PER_S
        if turn.now_ns - began_ns >= WINDOW_NS:
            self._told = self._told and pressed
            self._before, self._began_ns = turn.pressure, turn.now_ns
        elif not self._began_ns:
            self._began_ns = began_ns
        if pressed and not self._told:
            self._told = True
            yield _draft(case, grown, began_ns)


def _busiest(case: Case) -> tuple[int, int]:
    """(slot, new contacts) of the device that began most of this turn's contacts; -1 when it is not one device."""
    began = case.edges["device"][case.edges["direction"] == EdgeDirection.ORIGINATES]
    if began.size < CONTACTS_MIN:
        return -1, 0
    counts = np.bincount(began[began < case.roles.shape[0]], minlength=1)
    slot = int(counts.argmax())
    return (slot, int(counts[slot])) if 2 * counts[slot] >= began.size else (-1, 0)


def _draft(case: Case, grown: Pressure, began_ns: int) -> Draft:
    now_ns, (slot, contacts) = case.turn.now_ns, _busiest(case)
    gave_up = ", ".join(f"{count} {word}" for count, word in zip(grown, _WORDS, strict=True) if count)
    by = f"; most of the new contacts are those of the {case.label(slot)}" if slot >= 0 else ""
    named: Evidence = (("busiest", case.label(slot)), ("its-contacts", contacts)) if slot >= 0 else ()
    told = Told(
        text="more happens on the ward's network than the tap's tables hold, "
        f"{within_text(began_ns, now_ns)}: {gave_up}{by}",
        evidence=(
            *zip(("flows-evicted", "edges-evicted", "devices-evicted", "frames-unplaced"), grown, strict=True),
            ("since", time_text(began_ns)),
            ("detail", case.turn.detail),
            *named,
        ),
        # A flood that comes in waves is one cause within the hour; one later in the day is told again.
        cause=f"table-pressure|{time_text(began_ns - began_ns % HOUR_NS)}",
        first_ns=began_ns,
        last_ns=now_ns,
        expected=EXPECTED,
    )
    return Draft(case.without_device("table-pressure", Severity.HEALTH, told), Subject(0))
