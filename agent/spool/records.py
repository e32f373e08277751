"""What the spool's two sides share: who writes, how much, what a record is, and which lane it travels in."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from agent.wire.types import MessageType

KIB, MIB = 1024, 1024 * 1024


class Lane(StrEnum):
    """Records of different worth lie in different segment files, so that a whole file can be given up.

    The value is the letter in the file's name and the class in a gap record is its `label`.
    """

    URGENT = "f"  # findings, gaps, receipts: durable within 50 ms, given up last
    BULK = "s"  # summaries and health: durable within 1 s, given up first

    @property
    def label(self) -> str:
        """The class a gap record names."""
        return "finding" if self is Lane.URGENT else "summary"


_BULK_TYPES = frozenset({MessageType.SUMMARY, MessageType.SUMMARY_V1, MessageType.UPLINK, MessageType.CLOCK_ANCHOR})


def lane_of(kind: str) -> Lane:
    """The lane of a message type; whatever is not known to be bulk is worth keeping."""
    return Lane.BULK if kind in _BULK_TYPES else Lane.URGENT


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose stream a spool holds. `boot` is the kernel's boot id, 16 octets."""

    agent: str
    site: str
    stream: str
    boot: bytes


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """Bounds of one spool, all in octets or seconds."""

    limit_bytes: int = 512 * MIB  # 72 h at nominal rate several times over
    segment_bytes: int = MIB  # what one damaged or given-up file can cost
    pending_bytes: int = 4 * MIB  # memory for what the disk does not take
    gather_urgent_s: float = 0.01  # group commit: the rest of 50 ms is the disk's
    gather_bulk_s: float = 0.5  # the rest of 1 s is the disk's
    retry_s: float = 1.0  # between attempts while the disk refuses


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a spool folder: segment file and octet."""

    segment: str
    offset: int


@dataclass(frozen=True, slots=True)
class SpoolRecord:
    """One durable record as it lies on disk: `body` is complete and unsigned."""

    run: bytes
    stream: str
    seq: int
    type: str
    body: bytes
    lane: Lane
    position: Position


@dataclass(slots=True)
class SpoolCounts:
    """Counts since opening. *dropped* was never written; *given up* was durable and had to go."""

    appended: int = 0
    committed: int = 0
    dropped: int = 0
    given_up: int = 0
    acknowledged_segments_deleted: int = 0
    write_errors: int = 0
    fresh_segments_after_error: int = 0
    recovered: int = 0
    damaged_regions: int = 0
    damaged_bytes: int = 0
    foreign_files: int = 0
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment file by its name. `generation` counts the runs of the folder, `attempt` tells equal firsts apart."""

    path: Path
    generation: int
    lane: Lane
    first_seq: int
    attempt: int
    run: bytes
    size_bytes: int = field(compare=False)

    @property
    def order(self) -> tuple[int, int, int]:
        """Oldest first within a lane."""
        return self.generation, self.first_seq, self.attempt
