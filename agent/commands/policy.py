"""Who may order what: one table. A local file can narrow it, no message can widen it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.errors import ConfigError, Refused
from agent.wire.types import Role

ROLES = (Role.OPERATOR, Role.ENGINEER, Role.CUSTODIAN)  # rising; viewers order nothing
NEVER = "never"
POLICY_BYTES_MAX = 16 * 1024


@dataclass(frozen=True, slots=True)
class Rule:
    """The least role that may give a command, and how many different people must sign it."""

    role: Role
    signers: int = 1


COMMANDS: Mapping[str, Rule] = {
    "status": Rule(Role.OPERATOR),
    "resend": Rule(Role.OPERATOR),
    "rebirth": Rule(Role.OPERATOR),
    "label-device": Rule(Role.OPERATOR),
    "suppress": Rule(Role.OPERATOR),
    "unsuppress": Rule(Role.OPERATOR),
    "self-test": Rule(Role.OPERATOR),
    "set-learning": Rule(Role.ENGINEER),
    "change-window": Rule(Role.ENGINEER),
    "support-bundle": Rule(Role.ENGINEER),
    "hold": Rule(Role.ENGINEER),
    "release-hold": Rule(Role.ENGINEER),
    "restart": Rule(Role.ENGINEER),
    "quiesce": Rule(Role.ENGINEER),
    "config": Rule(Role.ENGINEER),  # the desired configuration, which is no command
    "rotate-key": Rule(Role.CUSTODIAN),
    "update-to": Rule(Role.CUSTODIAN),
    "record-headers": Rule(Role.CUSTODIAN, signers=2),  # looks at one device's traffic: two people
}


class Policy:
    """The table of this appliance."""

    def __init__(self, narrowed: Mapping[str, Role | None] | None = None) -> None:
        """`narrowed` gives commands a higher least role, or None for never; a lower one is not taken."""
        self._roles: dict[str, Role | None] = {name: rule.role for name, rule in COMMANDS.items()}
        for name, role in (narrowed or {}).items():
            shipped = COMMANDS[name].role
            self._roles[name] = None if role is None else max(shipped, role, key=ROLES.index)

    def check(self, name: str, role: str, signers: int) -> None:
        """Refused `unknown-command`, `wrong-role` or `too-few-signers` when this may not be ordered so."""
        if name not in COMMANDS:
            raise Refused(f"no command {name[:32]!r}", reason="unknown-command")
        least = self._roles[name]
        if least is None:
            raise Refused(f"{name} is switched off here", reason="wrong-role")
        if role not in ROLES or ROLES.index(Role(role)) < ROLES.index(least):
            raise Refused(f"{name} needs the role {least}, not {role}", reason="wrong-role")
        if signers < COMMANDS[name].signers:
            raise Refused(f"{name} needs {COMMANDS[name].signers} signers", reason="too-few-signers")


def load_policy(path: Path) -> Policy:
    """The shipped table, narrowed by a local `{"command": "engineer" | "never"}` if there is one; ConfigError."""
    try:
        with path.open("rb") as file:
            raw = file.read(POLICY_BYTES_MAX + 1)
    except FileNotFoundError:
        return Policy()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from error
    try:
        rows = json.loads(raw)
        return Policy(
            {name: None if role == NEVER else Role(role) for name, role in rows.items() if _known(name, role)}
        )
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError) as error:
        raise ConfigError("is no policy", where=str(path), todo='a map such as {"restart": "never"}') from error


def _known(name: str, role: object) -> bool:
    if name not in COMMANDS or role not in {NEVER, *ROLES}:
        raise ValueError(name)
    return True
