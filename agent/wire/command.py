"""Commands and their receipts."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from agent.wire.schema import ID16, IDENT, TIME, Choice, Free, Record, Text, clip

COMMAND_ROLES = ("operator", "engineer", "custodian")
RECEIPT_STATES = ("accepted", "running", "done", "failed", "refused")
FINAL_STATES = frozenset({"done", "failed", "refused"})
# What the sensor does itself: its last receipt comes through its own spool. Of other commands it has nothing to say.
SENSOR_COMMANDS = frozenset(
    {"set-learning", "change-window", "label-device", "record-headers", "self-test", "restart", "quiesce"}
    | {"suppress", "unsuppress"}
)
ARGS_OCTETS = 12 * 1024
RESULT_OCTETS = 14 * 1024
REASON_OCTETS = 256

COMMAND = Record(
    {
        "agent": IDENT,
        "site": IDENT,
        "name": Text(32),
        "args": Free(ARGS_OCTETS),
        "boot": ID16,
        "id": ID16,
        "not_after_mono_ns": TIME,
        "role": Choice(COMMAND_ROLES),
    }
)
RECEIPT = Record(
    {
        "id": ID16,
        "name": Text(32),
        "state": Choice(RECEIPT_STATES),
        "reason": Text(REASON_OCTETS),
        "result": Free(RESULT_OCTETS),
    }
)


@dataclass(frozen=True, slots=True)
class Command:
    """One order for one agent in its present boot.

    `boot` (from the agent's verified birth) is the nonce, `id` is random, `not_after_mono_ns` is in that boot's
    monotonic time, `role` is the one it is given under; who signed must hold it (`signing.envelope.require_role`).
    `signers` are the names behind the signatures, once those were verified: no field of the wire.
    """

    agent: str
    site: str
    name: str
    args: dict[str, Any]
    boot: bytes
    id: bytes
    not_after_mono_ns: int
    role: str
    signers: tuple[str, ...] = ()

    def to_content(self) -> dict[str, Any]:
        """The map of the wire."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name in COMMAND.fields}

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> "Command":
        """From content that `body.decode` has checked."""
        return cls(**content)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a command: walks accepted -> running -> done | failed | refused."""

    id: bytes
    name: str
    state: str
    reason: str
    result: dict[str, Any]

    def to_content(self) -> dict[str, Any]:
        """The map of the wire; a long reason is cut."""
        return asdict(self) | {"reason": clip(self.reason, REASON_OCTETS)}

    @property
    def sensors(self) -> bool:
        """Whether it is one that a sensor may write: the end of something that only it can do."""
        return self.name in SENSOR_COMMANDS and self.state in FINAL_STATES

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> "Receipt":
        """From content that `body.decode` has checked."""
        return cls(**content)
