"""How fast a pipeline runs once it knows the ward: the rate over the later part of the frames, not over all of them.

The first seconds of a capture cost what no later second does: every device is new and named, every table's memory is
touched for the first time. A rate over all frames would say more about the capture's length than about the pipeline.
"""


class Pace:
    """Remembers when each doubling of the frames was reached; memory for one number each."""

    def __init__(self) -> None:
        self._marks: list[tuple[int, float]] = []

    def note(self, frames: int, now_s: float) -> None:
        """`frames` have been taken in all, at this time of a stopwatch."""
        if frames and (not self._marks or frames >= 2 * self._marks[-1][0]):
            self._marks.append((frames, now_s))

    def steady_per_s(self, frames: int, now_s: float) -> float | None:
        """Frames a second since the last mark in the first half of them all; None: too few to tell."""
        for marked, then_s in reversed(self._marks):
            if 2 * marked <= frames and now_s > then_s:
                return (frames - marked) / (now_s - then_s)
        return None
