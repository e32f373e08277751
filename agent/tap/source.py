"""What every backend of the tap is: something that gives bursts and says what it lost."""

from typing import Protocol

from agent.errors import InputError
from agent.tap.records import Burst, LegCounts


class Source(Protocol):
    """Frames, burst by burst, from legs or from files."""

    @property
    def live(self) -> bool:
        """Whether time passes by itself (legs) or with the frames (files)."""

    @property
    def faults(self) -> list[InputError]:
        """What was wrong with the input so far; a file's faults do not stop the files after it."""

    def next_burst(self) -> Burst | None:
        """The next frames; an empty burst when nothing came in time; None at the end."""

    def legs(self) -> list[LegCounts]:
        """What each leg received, lost and (never) sent since takeover."""

    def close(self) -> None:
        """Give everything back."""
