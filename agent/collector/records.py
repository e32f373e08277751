"""What leaves the intake: verified records, presences and refusals; and what the store says about them."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from agent.wire.command import Receipt
from agent.wire.delivery import Gap
from agent.wire.finding import FindingRecord
from agent.wire.header import Header
from agent.wire.presence import Birth, ClockAnchor, State, UplinkReport
from agent.wire.summary import Summary

Meaning = Summary | FindingRecord | Gap | Receipt | ClockAnchor | UplinkReport | None
SEQ_MAX = 2**63 - 1  # SQLite integers are signed 64 bit; at one record a nanosecond this still takes 292 years
COUNT_MAX = 2**48  # a larger count in one message is a lie; sums of thousands of these still fit SQLite's integers


class Arrival(NamedTuple):
    """A message as the broker gave it."""

    topic: str
    payload: bytes
    received_ns: int


@dataclass(frozen=True, slots=True)
class Record:
    """One verified record of an agent's stream.

    `meaning` is None when only its author is understood (opaque); `unread` is then the reason, where there is one.
    """

    header: Header
    type: str
    sha256: bytes  # of the body
    envelope: bytes
    body_octets: int
    received_ns: int
    meaning: Meaning
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Presence:
    """A verified birth or state, or an unsigned will (`signed` False: a hint)."""

    site: str
    agent: str
    content: Birth | State
    signed: bool
    received_ns: int


class Refusal(NamedTuple):
    """Why a message was not taken; `agent` is empty unless the trust table knows it: strangers add no rows."""

    reason: str
    agent: str
    received_ns: int


class StreamKey(NamedTuple):
    """One sequence of records."""

    site: str
    agent: str
    run: bytes
    stream: str


class Position(NamedTuple):
    """What of a stream is stored or declared lost: everything to `upto`, and the closed `ranges` beyond it."""

    key: StreamKey
    upto: int
    ranges: tuple[tuple[int, int], ...]


class Outcome(StrEnum):
    """What became of a record."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"  # same key, other body: kept beside the first


@dataclass(slots=True)
class Batch:
    """What is committed together."""

    records: list[Record] = field(default_factory=list)
    presences: list[Presence] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self.records or self.presences or self.refusals or self.counts)


@dataclass(frozen=True, slots=True)
class Committed:
    """What is durable now: one outcome per record, and where each touched stream stands."""

    outcomes: tuple[Outcome, ...]
    positions: tuple[Position, ...]
