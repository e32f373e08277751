"""What leaves the grouping: messages, each about one cause or a digest of several."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Settings:
    """How often a person may be told; the shape is Alertmanager's (group_wait, repeat_interval), with a hard cap.

    The cap counts messages of one route in `interval_s`: beyond it everything goes into one digest.
    """

    group_wait_s: float = 30.0  # let the repeats of one cause gather first
    repeat_s: float = 4 * 3600.0  # a cause that goes on is told again after this long
    interval_s: float = 600.0
    messages_max: int = 10  # a person reads ten messages in ten minutes, not a hundred
    retry_first_s: float = 2.0
    retry_max_s: float = 300.0
    timeout_s: float = 10.0  # a receiver that hangs


@dataclass(frozen=True, slots=True)
class Item:
    """One finding, ready for a person: every string is one visible line."""

    id: str
    severity: str
    site: str
    mac: str
    role: str
    count: int
    first: str  # ISO 8601, UTC
    last: str
    sentence: str
    evidence: tuple[tuple[str, str], ...]
    step: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message: one item, or the digest of several. `key` is the same when it is sent again after a crash."""

    key: str
    digest: bool
    items: tuple[Item, ...]
    left_out: int = 0  # of a digest: findings that are only counted


class Route(Protocol):
    """A way to a person."""

    @property
    def name(self) -> str:
        """Stable, the key in the outbox."""

    def deliver(self, message: Message) -> None:
        """Hand it over; LinkError when the receiver did not take it."""
