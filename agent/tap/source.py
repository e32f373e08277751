"""What every backend of the tap is: something that gives bursts and says what it lost."""

from typing import Protocol

from agent.errors import InputError, PermissionNeeded
from agent.tap.records import LEGS_MAX, Burst, LegCounts

Faults = list[InputError]


class Legs(Protocol):
    """Where frames come from, whoever reads them."""

    @property
    def faults(self) -> Faults:
        """What was wrong with the input so far; a file's faults do not stop the files after it."""

    def legs(self) -> list[LegCounts]:
        """What each leg received, lost and (never) sent since takeover."""

    def deafen(self) -> None:
        """Hear no more, where the backend can; what was heard before can still be read."""

    def close(self) -> None:
        """Give everything back."""


class Source(Legs, Protocol):
    """Frames, burst by burst, from legs or from files."""

    @property
    def live(self) -> bool:
        """Whether time passes by itself (legs) or with the frames (files)."""

    def next_burst(self) -> Burst | None:
        """The next frames; an empty burst when nothing came in time; None at the end."""


def checked_legs(legs: list[str]) -> list[str]:
    """The legs, as many as there may be. InputError otherwise."""
    if not 1 <= len(legs) <= LEGS_MAX:
        raise InputError(f"{len(legs)} legs named", where="[tap] legs", todo=f"name 1 to {LEGS_MAX}")
    return legs


def cannot_listen(leg: str, reason: str) -> InputError | PermissionNeeded:
    """What a person is told when a leg cannot be taken up."""
    if "permission" in reason.lower() or "not permitted" in reason.lower():
        return PermissionNeeded(
            "opening a packet socket is not permitted", where=leg, todo="run as root or with CAP_NET_RAW"
        )
    return InputError(f"cannot listen: {reason}", where=leg, todo="`ip -br link` lists the interfaces")
