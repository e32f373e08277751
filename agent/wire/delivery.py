"""What keeps delivery honest: acknowledgements, the collector's bell, and records of what had to be discarded."""

from dataclasses import dataclass
from typing import Any

from agent.wire.header import STREAMS
from agent.wire.schema import ID16, IDENT, TIME, U64_MAX, Choice, Int, ListOf, Octets, Places, Record, Text

ACK_RANGES_MAX = 256  # holes beyond the cumulative number; more are acknowledged later
GAP_RANGES_MAX = 200  # a larger loss makes several gap records
_SEQ = Int(1, U64_MAX)

ACK = Record(
    {
        "agent": IDENT,
        "site": IDENT,
        "run": ID16,
        "stream": Choice(STREAMS),
        "upto": Int(0, U64_MAX),
        "ranges": ListOf(Places((_SEQ, _SEQ)), ACK_RANGES_MAX),
        "epoch": Octets((0, 16)),
    }
)
EPOCH = Record({"site": IDENT, "id": ID16, "wall_ns": TIME})
GAP = Record(
    {
        "stream": Choice(STREAMS),
        "run": ID16,
        "ranges": ListOf(Places((_SEQ, _SEQ, Text(16), Text(32))), GAP_RANGES_MAX),
    }
)


@dataclass(frozen=True, slots=True)
class Ack:
    """Durable at the collector: everything up to `upto`, and the closed ranges beyond it, of one (run, stream)."""

    agent: str
    site: str
    run: bytes
    stream: str
    upto: int
    ranges: tuple[tuple[int, int], ...]
    epoch: bytes  # newest bell the collector rang; empty before the first

    def to_content(self) -> dict[str, Any]:
        """The map of the wire; ranges that do not fit are left out and acknowledged by a later one."""
        return {
            "agent": self.agent,
            "site": self.site,
            "run": self.run,
            "stream": self.stream,
            "upto": self.upto,
            "ranges": [list(pair) for pair in self.ranges[:ACK_RANGES_MAX]],
            "epoch": self.epoch,
        }

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> "Ack":
        """From content that `body.decode` has checked."""
        ranges = tuple((first, last) for first, last in content["ranges"])
        return cls(**(content | {"ranges": ranges}))


@dataclass(frozen=True, slots=True)
class Epoch:
    """The bell: a random number that cannot be known before `wall_ns`, the collector's time."""

    site: str
    id: bytes
    wall_ns: int

    def to_content(self) -> dict[str, Any]:
        """The map of the wire."""
        return {"site": self.site, "id": self.id, "wall_ns": self.wall_ns}

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> "Epoch":
        """From content that `body.decode` has checked."""
        return cls(**content)


@dataclass(frozen=True, slots=True)
class Gap:
    """What had to be discarded: closed ranges of (from, to, class, reason) of one (stream, run)."""

    stream: str
    run: bytes
    ranges: tuple[tuple[int, int, str, str], ...]

    def to_content(self) -> dict[str, Any]:
        """The map of the wire; more than GAP_RANGES_MAX ranges are the caller's to split."""
        return {"stream": self.stream, "run": self.run, "ranges": [list(part) for part in self.ranges]}

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> "Gap":
        """From content that `body.decode` has checked."""
        ranges = tuple((first, last, kind, reason) for first, last, kind, reason in content["ranges"])
        return cls(content["stream"], content["run"], ranges)
