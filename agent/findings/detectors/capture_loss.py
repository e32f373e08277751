"""capture-loss: the kernel dropped frames before this tap could read them. Said when it becomes worse."""

from collections.abc import Iterator
from typing import Final

from agent.findings.case import Case, Told
from agent.findings.draft import Draft, Subject
from agent.findings.records import Severity
from agent.findings.words import time_text

_STATES: Final = ("none", "warning", "critical")
EXPECTED: Final = "The tap reads every frame; what it cannot read it counts."


class CaptureLoss:
    """Remembers how bad it was: 0 none, 1 warning, 2 critical."""

    def __init__(self) -> None:
        self._state = 0

    def judge(self, case: Case) -> Iterator[Draft]:
        """Judged once for each interval; a state that lasts or becomes better is not said again."""
        turn, settings = case.turn, case.settings
        if not turn.interval_closed:
            return
        received = max(turn.frames, turn.dropped)  # received = processed + ignored + dropped
        state = 0
        if turn.dropped * 1000 >= settings.loss_critical_permille * received > 0:
            state = 2
        elif turn.dropped * 1000 >= settings.loss_warn_permille * received > 0:
            state = 1
        before, self._state = self._state, state
        if state > before:
            yield self._draft(case, _STATES[state], received)

    @staticmethod
    def _draft(case: Case, state: str, received: int) -> Draft:
        turn = case.turn
        percent = f"{100 * turn.dropped / received:.2f}".rstrip("0").rstrip(".")
        text = (
            f"the tap could not read {turn.dropped} of {received} frames ({percent} %) in this interval, which is "
            f"{'critical: it may have missed what mattered' if state == 'critical' else 'a warning'}"
        )
        told = Told(
            text=text,
            evidence=(
                ("dropped", turn.dropped),
                ("received", received),
                ("state", state),
                ("interval-end", time_text(turn.now_ns)),
                ("detail", turn.detail),
            ),
            cause=f"capture-loss|{state}",
            first_ns=turn.now_ns,
            last_ns=turn.now_ns,
            expected=EXPECTED,
        )
        return Draft(case.without_device("capture-loss", Severity.HEALTH, told), Subject(0))
