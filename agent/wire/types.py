"""The message types, how large each may be, on which topic leaf it travels and who may sign it: one table."""

import re
from dataclasses import dataclass
from enum import StrEnum

from agent.errors import WireError

KIB = 1024
ENVELOPE_OVERHEAD_BYTES = 512  # version, type, lengths and four signatures of 77 octets: 380 at most (see docs/wire.md)
TYPE_BYTES_MAX = 40
_TYPE = re.compile(r"wardtap/([a-z][a-z-]{0,23})\.v([1-9][0-9]{0,2})")


class MessageType(StrEnum):
    """What a body is. A signature for one type is worth nothing for another: the type is part of what is signed."""

    SUMMARY = "wardtap/summary.v2"
    FINDING = "wardtap/finding.v1"
    GAP = "wardtap/gap.v1"
    BIRTH = "wardtap/birth.v1"
    STATE = "wardtap/state.v1"
    RECEIPT = "wardtap/receipt.v1"
    CLOCK_ANCHOR = "wardtap/clock-anchor.v1"
    UPLINK = "wardtap/uplink.v1"
    ACK = "wardtap/ack.v1"
    EPOCH = "wardtap/epoch.v1"
    CONFIG = "wardtap/config.v1"
    COMMAND = "wardtap/command.v1"
    ENROL = "wardtap/enrol.v1"
    TRUST = "wardtap/trust.v1"
    RELEASE = "wardtap/release.v1"
    PACK = "wardtap/pack.v1"
    SUMMARY_V1 = "wardtap/summary.v1"  # read only: spools of agents that were updated hold some


class Role(StrEnum):
    """What a key may stand for (trust table)."""

    AGENT = "agent"
    COLLECTOR = "collector"
    OPERATOR = "operator"
    ENGINEER = "engineer"
    CUSTODIAN = "custodian"
    RELEASE = "release"


AGENT = frozenset({Role.AGENT})
COLLECTOR = frozenset({Role.COLLECTOR})
PEOPLE = frozenset({Role.OPERATOR, Role.ENGINEER, Role.CUSTODIAN})
RELEASES = frozenset({Role.RELEASE})
ENGINEERS = frozenset({Role.ENGINEER, Role.CUSTODIAN})  # of a site: what its own devices are and may do
NOBODY: frozenset[Role] = frozenset()  # enrol.v1: signed by a key that nobody knows yet
SENSOR_TYPES = frozenset(
    {MessageType.SUMMARY, MessageType.SUMMARY_V1, MessageType.FINDING, MessageType.GAP, MessageType.RECEIPT}
)
UPLINK_TYPES = frozenset({MessageType.RECEIPT, MessageType.CLOCK_ANCHOR, MessageType.UPLINK, MessageType.GAP})
STREAM_TYPES: dict[str, frozenset[MessageType]] = {"sensor": SENSOR_TYPES, "uplink": UPLINK_TYPES}
SEQUENCED = SENSOR_TYPES | UPLINK_TYPES


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for one type: sealed size, topic leaf ("" = never on a topic), who signs, how many do."""

    sealed_bytes_max: int
    leaf: str
    signers: frozenset[Role]
    signers_min: int = 1
    signers_max: int = 1

    @property
    def body_bytes_max(self) -> int:
        """Largest body, inflated or not: a body never inflates to more than the largest plain one."""
        return self.sealed_bytes_max - ENVELOPE_OVERHEAD_BYTES


RULES: dict[MessageType, Rule] = {
    MessageType.SUMMARY: Rule(64 * KIB, "summary", AGENT),
    MessageType.FINDING: Rule(8 * KIB, "finding", AGENT),
    MessageType.GAP: Rule(16 * KIB, "gap", AGENT),
    MessageType.BIRTH: Rule(8 * KIB, "birth", AGENT),
    MessageType.STATE: Rule(1 * KIB, "state", AGENT),
    MessageType.RECEIPT: Rule(16 * KIB, "receipt", AGENT),
    MessageType.CLOCK_ANCHOR: Rule(2 * KIB, "uplink", AGENT),
    MessageType.UPLINK: Rule(8 * KIB, "uplink", AGENT),
    MessageType.ACK: Rule(8 * KIB, "ack", COLLECTOR),
    MessageType.EPOCH: Rule(1 * KIB, "epoch", COLLECTOR),
    MessageType.CONFIG: Rule(64 * KIB, "config", PEOPLE, signers_max=2),
    MessageType.COMMAND: Rule(16 * KIB, "command", PEOPLE | COLLECTOR, signers_max=2),
    MessageType.ENROL: Rule(2 * KIB, "enrol", NOBODY),
    MessageType.TRUST: Rule(1024 * KIB, "trust", RELEASES, signers_min=2, signers_max=3),
    MessageType.RELEASE: Rule(256 * KIB, "", RELEASES, signers_min=2, signers_max=3),
    MessageType.PACK: Rule(16 * KIB, "", RELEASES | ENGINEERS, signers_max=3),  # release keys: two (signing/packs.py)
    MessageType.SUMMARY_V1: Rule(64 * KIB, "summary", AGENT),
}
UNKNOWN_RULE = Rule(64 * KIB, "uplink", AGENT)
"""A type of a newer agent: signed by an agent, on the leaf `uplink`, stored opaque and acknowledged, never acted on."""


def message_type(name: str) -> MessageType | None:
    """The type of that name, None when this release does not know it."""
    return MessageType(name) if name in _NAMES else None


def rule_for(name: str) -> Rule:
    """The rule of a type; a later version keeps the rule of the first. WireError `wrong-type` if it is no type."""
    known = message_type(name)
    if known is not None:
        return RULES[known]
    found = _TYPE.fullmatch(name)
    if found is None:
        raise WireError(f"{name[:TYPE_BYTES_MAX]!r} is not a message type", reason="wrong-type")
    return _BY_BASE.get(found[1], UNKNOWN_RULE)


def leaf_for(name: str) -> str:
    """The topic leaf of a type; `""` for what never travels on a topic."""
    return rule_for(name).leaf


_NAMES = frozenset(str(kind) for kind in MessageType)
_BY_BASE = {str(kind).removeprefix("wardtap/").partition(".")[0]: rule for kind, rule in RULES.items()}
