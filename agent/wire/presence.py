"""Who an agent is and how it is: birth, state, clock anchor and the uplink's own report."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from agent.wire.schema import COUNT, I64_MAX, ID16, IDENT, TIME, Choice, Int, ListOf, MapOf, Octets, Record, Text

STATES = ("ready", "degraded", "blind", "draining", "lost")  # lost: only in the will, which is unsigned and a hint
BIRTH = Record(
    {
        "agent": IDENT,
        "site": IDENT,
        "boot": ID16,
        "run": ID16,
        "version": Text(40),
        "legs": ListOf(Text(32), 8),
        "contracts": Text(72),
        "limits": MapOf(COUNT, 32),
        "key_id": Octets((8,)),
        "mono_ns": TIME,
    }
)
STATE = Record({"agent": IDENT, "state": Choice(STATES), "since_mono_ns": TIME, "run": ID16})
CLOCK_ANCHOR = Record(
    {"boot": ID16, "mono_ns": TIME, "wall_ns": TIME, "error_ns": Int(-1, I64_MAX), "epoch": Octets((0, 16))}
)
UPLINK = Record(
    {
        "epoch": Octets((0, 16)),
        "epoch_mono_ns": TIME,
        "audit": Octets((0, 32)),
        "spool_bytes": COUNT,
        "waiting": COUNT,
        "counts": MapOf(COUNT, 64, 40),
    }
)


@dataclass(frozen=True, slots=True)
class Birth:
    """Who I am: kept by the broker, so a collector that starts later knows the boot that commands must name."""

    agent: str
    site: str
    boot: bytes
    run: bytes
    version: str
    legs: Sequence[str]
    contracts: str
    limits: dict[str, int]
    key_id: bytes
    mono_ns: int

    def to_content(self) -> dict[str, Any]:
        """The map of the wire."""
        return asdict(self) | {"legs": list(self.legs)}

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> "Birth":
        """From content that `body.decode` has checked."""
        return cls(**(content | {"legs": tuple(content["legs"])}))


@dataclass(frozen=True, slots=True)
class State:
    """How I am, since when."""

    agent: str
    state: str
    since_mono_ns: int
    run: bytes

    def to_content(self) -> dict[str, Any]:
        """The map of the wire."""
        return asdict(self)

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> "State":
        """From content that `body.decode` has checked."""
        return cls(**content)


@dataclass(frozen=True, slots=True)
class ClockAnchor:
    """A moment in both times: dates everything else of a boot afterwards."""

    boot: bytes
    mono_ns: int
    wall_ns: int
    error_ns: int  # -1: unknown
    epoch: bytes = b""  # newest bell heard

    def to_content(self) -> dict[str, Any]:
        """The map of the wire."""
        return asdict(self)

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> "ClockAnchor":
        """From content that `body.decode` has checked."""
        return cls(**content)


@dataclass(frozen=True, slots=True)
class UplinkReport:
    """The uplink about itself: newest bell heard and when, head of the audit log, spool, its counters."""

    epoch: bytes = b""
    epoch_mono_ns: int = 0
    audit: bytes = b""
    spool_bytes: int = 0
    waiting: int = 0  # records not yet acknowledged
    counts: dict[str, int] = field(default_factory=dict)

    def to_content(self) -> dict[str, Any]:
        """The map of the wire."""
        return asdict(self)

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> "UplinkReport":
        """From content that `body.decode` has checked."""
        return cls(**content)
