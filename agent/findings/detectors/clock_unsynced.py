"""clock-unsynced: the tap's wall clock is wrong, was set while it listened, or nothing keeps it right.

Times are evidence: findings of several taps, and a hospital's own records, are compared by the second.
"""

from collections.abc import Iterator
from typing import Final

from agent.findings.case import Case, Evidence, Told
from agent.findings.draft import Draft, Subject
from agent.findings.records import ClockNote, Severity
from agent.findings.words import NS_PER_S, time_text

STEP_NS: Final = 5 * NS_PER_S  # two taps and a hospital's records are compared by the second
UNKEPT_NS: Final = 900 * NS_PER_S  # a time server may be away for a moment, and after a start it takes a while
HOUR_NS: Final = 3600 * NS_PER_S
EXPECTED: Final = "The hospital's time servers keep the tap's clock right to a fraction of a second."


class ClockUnsynced:
    """Remembers since when nothing keeps the clock, and what was said."""

    def __init__(self) -> None:
        self._unkept_ns: int | None = None
        self._behind = self._told = False

    def judge(self, case: Case, clock: ClockNote) -> Iterator[Draft]:
        """Each fault once for as long as it lasts; a step each time."""
        now_ns = case.turn.now_ns
        if clock.behind and not self._behind:
            yield _draft(case, "the tap's clock is behind the time of its own software, so it is wrong", "behind")
        self._behind = clock.behind
        if abs(clock.stepped_ns) >= STEP_NS:
            way = "forwards" if clock.stepped_ns > 0 else "backwards"
            seconds = abs(clock.stepped_ns) // NS_PER_S
            text = f"the tap's clock was set {way} by {seconds} seconds while it listened: earlier times differ"
            yield _draft(case, text, f"step|{time_text(now_ns - now_ns % HOUR_NS)}", (("seconds", seconds),))
        if clock.kept is not False:
            self._unkept_ns, self._told = None, False
            return
        self._unkept_ns = now_ns if self._unkept_ns is None else self._unkept_ns
        if now_ns - self._unkept_ns >= UNKEPT_NS and not self._told:
            self._told = True
            yield _draft(case, "no time server keeps the tap's clock right", "unkept")


def _draft(case: Case, text: str, what: str, evidence: Evidence = ()) -> Draft:
    now_ns = case.turn.now_ns
    told = Told(
        text=text,
        evidence=(*evidence, ("state", what.partition("|")[0]), ("now", time_text(now_ns))),
        cause=f"clock-unsynced|{what}",
        first_ns=now_ns,
        last_ns=now_ns,
        expected=EXPECTED,
    )
    return Draft(case.without_device("clock-unsynced", Severity.HEALTH, told), Subject(0))
