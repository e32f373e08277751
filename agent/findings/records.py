"""What leaves the judge: findings. What it is given: a Turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from agent.devices.records import EDGE, Grant, Posture, Remark, Sighting
from agent.tap.records import LegCounts

Rows = npt.NDArray[np.void]
Roles = npt.NDArray[np.int16]  # role index by device slot
NO_ROWS: Rows = np.zeros(0, EDGE)


class EdgeMark(IntEnum):
    """What an edge may be to a detector. All that needs no more than its row and both roles."""

    ASKED = 0  # a clinical device answered one that is none
    NAMED = 1  # a device was answered by DNS
    MINES = 2  # it speaks Stratum, and was answered
    LISTED = 3  # the peer is on the list of addresses that nobody should contact
    STEERED = 4  # by a remote access tool, which no contract names; by its port
    PUBLIC = 5  # data went to a public address that the contract does not name
    ACCEPTED = 6  # a clinical device accepted a session from a peer that its contract lets it answer on no port
    NEVER = 7  # it breaks a *never*
    OUTSIDE = 8  # a clinical device did what its contract does not name, not with a public address
    NEWS = 9  # something happened that no contract names
    HL7 = 10  # HL7 was spoken with a peer that the device chose
    ODD_ANSWER = 11  # a clinical device answered outside its contract
    ODD_TRY = 12  # a device of unknown role tried a clinical one
    WAITS = 13  # it is held until its device has a role
    SPOKEN = 14  # as STEERED, by what is spoken; told as STEERED


NO_CONTRACT: Final = -32768  # a verdict's code: the device's role has no contract


class Verdict(IntEnum):
    """What a contract says of an edge, in short."""

    NONE = 0  # the device's role has no contract
    NEVER = 1
    OUTSIDE = 2
    DOES = 3


class Marks(NamedTuple):
    """What each value of a column allows: a bit for each EdgeMark (marks.py)."""

    gates: npt.NDArray[np.uint16]
    direction: npt.NDArray[np.uint16]
    verdict: npt.NDArray[np.uint16]  # by Verdict and Scope
    role: npt.NDArray[np.uint16]  # by role index
    peer: npt.NDArray[np.uint16]  # likewise; the last one: a peer without a role
    protocol: npt.NDArray[np.uint16]
    port: npt.NDArray[np.uint16]
    application: npt.NDArray[np.uint16]


class Rules(NamedTuple):
    """Contracts and lists as the kernel reads them (contract_table.py says how the cells are found)."""

    row_of_role: npt.NDArray[np.int16]  # contract number by role index, -1 when there is none
    protocol_class: npt.NDArray[np.uint8]
    port_class: npt.NDArray[np.uint16]
    cells: npt.NDArray[np.int16]
    answers: npt.NDArray[np.bool_]
    listed: npt.NDArray[np.uint64]  # networks that nobody should contact: (hi, lo, mask hi, mask lo)
    unknown_role: int  # role index that says nothing about a peer


class Verdicts(NamedTuple):
    """What the kernel says of edges."""

    codes: npt.NDArray[np.int16]  # contract_table.py
    places: npt.NDArray[np.uint32]  # a row for each EdgeMark: where the edges with it are
    counts: list[int]  # how many there are in each row


class Severity(StrEnum):
    """Who must know, and when."""

    PAGE = "page"  # a person now
    REVIEW = "review"  # today's list
    POSTURE = "posture"  # an inventory fact, once
    HEALTH = "health"  # the tap itself


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a person should read. No string in it is from the wire, unless it is a pack's token or a pseudonym."""

    id: str  # stable catalogue id
    severity: Severity
    mac: int  # the device; 0 for findings about the tap
    role: str
    tier: str  # clinical tier of the role: vital, clinical, support, general, none
    time_ns: int  # when it was judged
    first_ns: int  # first and last evidence
    last_ns: int
    count: int  # repeats that were folded into it, itself included
    sentence: str  # plain, one sentence, ends with a full stop
    evidence: tuple[tuple[str, str | int], ...]
    attack: tuple[str, ...]  # ATT&CK technique ids
    cause: str  # the key by which repeats fold, without the agent: same cause, same finding
    expected: str  # what the role normally does
    next_step: str  # the next safe step; never "probe it", never "reboot it"


class DeviceView(Protocol):
    """What the judge may ask about a device slot."""

    def mac(self, slot: int) -> int:
        """Its MAC address."""

    def role(self, slot: int) -> str:
        """Its role, `unknown` when none is sure enough."""

    def confidence(self, slot: int) -> float:
        """How sure the role is, 0..1."""

    def is_gateway(self, slot: int) -> bool:
        """Whether it speaks for other addresses."""

    def first_ns(self, slot: int) -> int:
        """When it was first seen."""

    def lasts_ns(self) -> npt.NDArray[np.int64]:
        """When each slot's device was last heard."""

    def confidences(self) -> npt.NDArray[np.float64]:
        """How sure the role of each slot is."""

    def gateways(self) -> npt.NDArray[np.bool_]:
        """Which slots speak for addresses that are not their own."""

    def macs(self) -> npt.NDArray[np.uint64]:
        """MAC address of every slot."""

    def claims(self) -> npt.NDArray[np.uint64]:
        """By slot: IPv4 addresses that it claimed by ARP, in the order they came, 0 where it did not."""

    def speaks_smb1(self, slot: int) -> bool:
        """Whether it was heard to speak SMB1 itself."""

    def hobby_boards(self) -> npt.NDArray[np.bool_]:
        """Which slots' cards are a hobby board's."""

    def contradictions(self, slot: int) -> tuple[str, ...]:
        """What of it does not fit together, in pack words."""

    def posture(self, slot: int) -> Posture:
        """Its system and support, versions, services of old, advisories about its kind."""

    def arps(self) -> int:
        """ARP messages heard so far: while there are no more, nothing new was claimed."""

    def roles(self) -> npt.NDArray[np.int16]:
        """Role index (see `devices.identity.ROLES`) for every slot of the table; for judging many edges at once."""

    def label(self, slot: int) -> str:
        """How a sentence names it: `infusion pump 00:d0:75:18:42:9b (Alaris Medical)`."""


class Usual(Protocol):
    """What the judge asks of, and tells, the baseline (devices/baseline.py)."""

    def keys(self, edges: Rows, roles: npt.NDArray[np.int16]) -> npt.NDArray[np.uint64]:
        """The kind of each edge as a number."""

    def observe(
        self,
        slots: npt.NDArray[np.uint32],
        keys: npt.NDArray[np.uint64],
        macs: npt.NDArray[np.uint64],
        now_ns: int,
    ) -> None:
        """Contacts to learn from; `macs` by slot."""

    def hear(self, span_ns: int) -> None:
        """So much time was listened to without loss."""

    def watched(self) -> npt.NDArray[np.bool_]:
        """By role index: whether a contact of it can be new at all."""

    def shared(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        """Which contacts are usual for every device of their role."""

    def known(self, keys: npt.NDArray[np.uint64], macs: Sequence[int]) -> list[bool]:
        """Whether each contact was learned."""

    def unknown(self, keys: npt.NDArray[np.uint64], macs: Sequence[int], now_ns: int) -> list[bool]:
        """Whether each contact is outside what was learned, of a pool that learns no more."""

    def said(self, mac: int, key: int) -> bool:
        """A contact is said: a person may approve it. Whether it was not said before."""

    def confidence(self, role: str) -> float:
        """How sure the role's pool is that it has seen all that is usual, 0..1."""


class Pressure(NamedTuple):
    """What the fixed tables had to give up since the start of the run."""

    flows: int = 0  # ended early, for lack of room
    edges: int = 0  # forgotten
    devices: int = 0  # lost their slot
    frames: int = 0  # whose sender found no slot: in no device's counts

    def since(self, before: "Pressure") -> "Pressure":
        """What was added."""
        return Pressure(*(now - then for now, then in zip(self, before, strict=True)))


class ClockNote(NamedTuple):
    """What is known of the wall clock's worth."""

    behind: bool = False  # earlier than the software that reads it
    kept: bool | None = None  # whether something keeps it right; None where the kernel does not say
    stepped_ns: int = 0  # by how much it was set since the last turn


class Turn(NamedTuple):
    """What changed since the last turn, once a second of capture time."""

    now_ns: int
    devices: DeviceView
    edges: Rows  # EDGE rows that are new or whose gates changed (copies)
    fans: Rows  # FAN rows that crossed a threshold (copies)
    new_devices: npt.NDArray[np.uint32]  # slots first seen in this turn
    interval_closed: bool  # the interval's coverage below is complete
    frames: int  # of the interval so far
    dropped: int
    lossy: bool  # capture loss of the interval is at or over the warning threshold
    settled: bool  # the run has lasted longer than the settling time
    legs: Sequence[LegCounts] = ()  # the newest counts of the tap's legs
    pressure: Pressure = Pressure()
    detail: str = "full"  # how closely frames are looked at: full, headers-only, totals-only
    silent_ns: int = 0  # since a live leg heard its last frame; a file has no silence
    counted: Rows = NO_ROWS  # when an interval closed: its EDGE rows, with the interval's counts (copies)
    whole: bool = True  # `counted` has all of them; else absence cannot be told from a cut list
    span_ns: int = 0  # length of the interval that closed
    grants: Sequence[Grant] = ()  # what DHCP servers gave since the last turn
    sightings: Sequence[Sighting] = ()  # facts of payloads since the last turn, in the order heard
    remarks: Sequence[Remark] = ()  # what was asked, called and sent by name since the last turn
