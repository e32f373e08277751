"""The header of every sequenced body: who, which stream and run, which place in the chain, when."""

from dataclasses import astuple, dataclass
from typing import Any

from agent.clock import ClockState
from agent.wire.schema import I64_MAX, ID16, IDENT, TIME, U64_MAX, Choice, Int, Octets, Places

STREAMS = ("sensor", "uplink")
CLOCK_STATES: tuple[ClockState, ...] = ("none", "floor", "holdover", "synced")
NO_PREVIOUS = bytes(32)  # `prev` of a run's first record

_PLACES = Places(
    (
        IDENT,  # agent
        IDENT,  # site
        Choice(STREAMS),
        ID16,  # boot
        ID16,  # run
        Octets((0, 16)),  # before_run
        Int(0, U64_MAX),  # before_seq
        Int(1, U64_MAX),  # seq
        Octets((32,)),  # prev
        TIME,  # mono_ns
        TIME,  # wall_ns
        Choice(CLOCK_STATES),
        Int(-1, I64_MAX),  # clock_error_ns
    )
)
HEADER_BYTES_MAX = _PLACES.max_bytes


@dataclass(frozen=True, slots=True)
class Header:
    """One record's place in its stream.

    `boot` is the kernel's boot id, `run` a random 128-bit number of the process; (`before_run`, `before_seq`) is where
    the run before it ended, empty for the first. `seq` counts from 1 per run and stream; `prev` is SHA-256 of the
    previous body.
    """

    agent: str
    site: str
    stream: str
    boot: bytes
    run: bytes
    before_run: bytes
    before_seq: int
    seq: int
    prev: bytes
    mono_ns: int
    wall_ns: int
    clock_state: str
    clock_error_ns: int

    def to_list(self) -> list[Any]:
        """In field order; WireError when a field is out of range."""
        places = list(astuple(self))
        _PLACES.check(places, "header")
        return places

    @classmethod
    def from_list(cls, places: Any) -> "Header":
        """Checked; WireError `bad-schema` names the place."""
        _PLACES.check(places, "header")
        return cls(*places)
