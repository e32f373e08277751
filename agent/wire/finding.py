"""A finding's content. What a person reads is cut to fit; it is never refused for being long."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agent.wire.schema import COUNT, I64_MAX, TIME, Choice, Int, ListOf, Octets, OneOf, Places, Record, Text, clip

SEVERITIES = ("page", "review", "posture", "health")
TEXT_OCTETS = 768
ADVICE_OCTETS = 512
CAUSE_OCTETS = 160
EVIDENCE_MAX = 24
EVIDENCE_NAME_OCTETS, EVIDENCE_VALUE_OCTETS = 40, 144
ATTACK_MAX = 8
_EVIDENCE_INT = Int(-I64_MAX, I64_MAX)

SCHEMA = Record(
    {
        "id": Text(40),
        "sev": Choice(SEVERITIES),
        "mac": Octets((0, 6, 8)),
        "role": Text(32),
        "tier": Text(16),
        "t": TIME,
        "first": TIME,
        "last": TIME,
        "count": COUNT,
        "text": Text(TEXT_OCTETS),
        "ev": ListOf(
            Places((Text(EVIDENCE_NAME_OCTETS), OneOf((_EVIDENCE_INT, Text(EVIDENCE_VALUE_OCTETS))))), EVIDENCE_MAX
        ),
        "attack": ListOf(Text(16), ATTACK_MAX),
        "cause": Text(CAUSE_OCTETS),
        "expected": Text(ADVICE_OCTETS),
        "step": Text(ADVICE_OCTETS),
    }
)


class FindingLike(Protocol):
    """What the judge's finding has (`findings.records.Finding`; not imported: that file needs numpy)."""

    @property
    def id(self) -> str:
        """Catalogue id."""

    @property
    def severity(self) -> str:
        """page, review, posture or health."""

    @property
    def mac(self) -> int:
        """The device; 0 for the tap."""

    @property
    def role(self) -> str:
        """Its role."""

    @property
    def tier(self) -> str:
        """Its clinical tier."""

    @property
    def time_ns(self) -> int:
        """When it was judged."""

    @property
    def first_ns(self) -> int:
        """First evidence."""

    @property
    def last_ns(self) -> int:
        """Last evidence."""

    @property
    def count(self) -> int:
        """Repeats folded in."""

    @property
    def sentence(self) -> str:
        """What a person reads."""

    @property
    def evidence(self) -> Sequence[tuple[str, str | int]]:
        """What was seen."""

    @property
    def attack(self) -> Sequence[str]:
        """Technique ids."""

    @property
    def cause(self) -> str:
        """Folding key."""

    @property
    def expected(self) -> str:
        """What the role does."""

    @property
    def next_step(self) -> str:
        """What to do."""


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """A finding as it arrives."""

    id: str
    severity: str
    mac: bytes  # 6 octets; 8 for a device of a link without MACs; empty for the tap
    role: str
    tier: str
    time_ns: int
    first_ns: int
    last_ns: int
    count: int
    text: str
    evidence: tuple[tuple[str, str | int], ...]
    attack: tuple[str, ...]
    cause: str
    expected: str
    step: str

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> "FindingRecord":
        """From content that `body.decode` has checked."""
        values = [content[key] for key in SCHEMA.fields]
        values[10] = tuple((name, value) for name, value in content["ev"])
        values[11] = tuple(content["attack"])
        return cls(*values)


def mac_octets(mac: int) -> bytes:
    """The number of a device as octets: none for 0, 6, or 8 for the keyed hashes of links without MACs."""
    if mac == 0:
        return b""
    return mac.to_bytes(6 if mac < 1 << 48 else 8, "big")


def finding_content(finding: FindingLike) -> dict[str, Any]:
    """The map of the wire."""
    evidence = [
        [
            clip(name, EVIDENCE_NAME_OCTETS),
            clip(value, EVIDENCE_VALUE_OCTETS) if isinstance(value, str) else int(value),
        ]
        for name, value in finding.evidence[:EVIDENCE_MAX]
    ]
    return {
        "id": finding.id,
        "sev": str(finding.severity),
        "mac": mac_octets(int(finding.mac)),
        "role": clip(finding.role, 32),
        "tier": clip(finding.tier, 16),
        "t": int(finding.time_ns),
        "first": int(finding.first_ns),
        "last": int(finding.last_ns),
        "count": int(finding.count),
        "text": clip(finding.sentence, TEXT_OCTETS),
        "ev": evidence,
        "attack": [clip(technique, 16) for technique in finding.attack[:ATTACK_MAX]],
        "cause": clip(finding.cause, CAUSE_OCTETS),
        "expected": clip(finding.expected, ADVICE_OCTETS),
        "step": clip(finding.next_step, ADVICE_OCTETS),
    }
