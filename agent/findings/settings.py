"""What a site may set about judging."""

from dataclasses import dataclass
from typing import Final, NamedTuple

CHANGE_WINDOWS_MAX: Final = 64  # declared at once


class ChangeWindow(NamedTuple):
    """A declared time in which devices of a role may do new things. A *never* is judged all the same."""

    role: str  # or "*" for every role
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """The `[findings]` section of the configuration, and the site's change windows."""

    page_confidence: float = 0.6  # below it a role is a guess: no page rests on it
    findings_per_interval_max: int = 50  # more fold into a digest that counts them
    loss_warn_permille: int = 1  # capture loss of an interval
    loss_critical_permille: int = 10
    change_windows: tuple[ChangeWindow, ...] = ()

    def in_change_window(self, role: str, now_ns: int) -> bool:
        """Whether somebody declared that this role changes now."""
        return any(w.role in (role, "*") and w.start_ns <= now_ns < w.end_ns for w in self.change_windows)
