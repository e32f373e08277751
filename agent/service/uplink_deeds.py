"""What the uplink does for a command: what it can do itself, and what it asks of the sensor."""

import json
import os
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent import __version__
from agent.clock import NS_PER_S, Clock, discipline
from agent.commands import requests
from agent.commands.audit import verify
from agent.commands.hold import Hold
from agent.config import Config
from agent.errors import Refused
from agent.service.key_change import KeyChange
from agent.service.update_order import UpdateOrder
from agent.signing.roster import Trust
from agent.uplink.courier import Courier
from agent.uplink.presence import Presence
from agent.wire.command import RESULT_OCTETS, Command

BUNDLE_OCTETS_MAX = RESULT_OCTETS - 512  # deflated, beside its own names
AUDIT_LINES = 40
SUPPRESSIONS_BYTES_MAX, SUPPRESSIONS_TOLD_MAX, SUPPRESSION_CHARACTERS_MAX = 256 << 10, 32, 140
AUDIT_KEPT = ("n", "event", "command", "reason", "role", "mono_ns")  # not who: names of people stay on the appliance
DISK_LOW_BYTES = 256 << 20
# Of the configuration a bundle tells no place, no address and no name; whether something is set is enough to help.
CONFIG_HIDDEN = {
    "site": {"site", "agent"},
    "identity": {"site_networks", "plain_name_patterns"},
    "uplink": {"broker", "ca", "certificate", "key"},
    "findings": {"contracts"},
    "state": {"directory"},
    "tap": {"filter"},
}


@dataclass(slots=True)
class Reach:
    """The parts of the uplink that a command may touch."""

    config: Config
    state: Path
    clock: Clock
    courier: Courier
    presence: Presence
    hold: Hold
    keys: KeyChange
    trust: Callable[[], Trust]
    account: Callable[[], dict[str, Any]]


@dataclass(slots=True)
class UplinkDeeds:
    """`commands.handlers.Deeds`."""

    reach: Reach
    updates: UpdateOrder
    released: Callable[[], None] = lambda: None  # a hold has ended
    restarting: bool = field(default=False, init=False)

    def status(self) -> dict[str, Any]:
        """`status`."""
        return self.reach.account() | {"held": self.reach.hold.why, "suppressed": suppressed(self.reach.state)}

    def resend(self, stream: str, run: bytes, first: int, last: int) -> None:
        """`resend`."""
        self.reach.courier.send_again(stream, run, first, last)

    def rebirth(self, identity: bytes) -> None:
        """`rebirth`."""
        self.reach.presence.renew()
        requests.submit(self._requests, requests.Request(identity, "cards"))

    def ask_sensor(self, command: Command) -> None:
        """As a request with the command's boot and end, which the sensor looks at again."""
        until_ns, signers = command.not_after_mono_ns, command.signers
        asked = requests.Request(command.id, command.name, command.args, command.boot, until_ns, signers)
        requests.submit(self._requests, asked)

    def withdraw(self, identity: bytes) -> bool:
        """Take a request back."""
        return requests.withdraw(self._requests, identity)

    @property
    def _requests(self) -> Path:
        return self.reach.state / "requests"

    def restart(self) -> None:
        """The program's loop sees it and drains."""
        self.restarting = True

    def hold(self, why: str) -> None:
        """`hold` and `release-hold`."""
        self.reach.hold.set(why)
        if not why:
            self.released()

    def update(self, command: Command) -> dict[str, Any]:
        """`update-to`."""
        return self.updates.ask(command, getattr(self.reach.clock, "told_ns", 0))

    def rotate_key(self) -> dict[str, Any]:
        """`rotate-key`."""
        return self.reach.keys.draw()

    def self_test(self) -> dict[str, Any]:
        """Each check by name: 1 good, 0 not."""
        checks = dict(self._checks())
        return {"checks": {name: int(good) for name, (good, _) in checks.items()}} | {
            name.replace("-", "_"): told for name, (_, told) in checks.items()
        }

    def _checks(self) -> Iterable[tuple[str, tuple[bool, int | str]]]:
        reach, now_ns = self.reach, self.reach.clock.wall_ns()
        log = verify(reach.state / "uplink" / "audit.log")
        yield "audit-whole", (not log.broken_at, log.broken_at)
        entry = reach.trust().find(reach.keys.key.key_id)
        yield "key-trusted", (entry is not None and entry.valid_at(now_ns), reach.keys.key.public.fingerprint)
        left_ns = reach.trust().not_after_ns - now_ns
        yield "trust-valid-days", (left_ns > 0, left_ns // (86_400 * NS_PER_S))
        space = os.statvfs(reach.state / "uplink")
        free_bytes = space.f_bavail * space.f_frsize
        yield "disk-free-bytes", (free_bytes > DISK_LOW_BYTES, free_bytes)
        kept = discipline()
        yield "clock-synced", (kept is not None and kept.synced, kept.error_ns if kept else -1)
        yield "linked", (reach.presence.state != "", reach.presence.state or "no link")

    def bundle(self) -> dict[str, Any]:
        """`support-bundle`: JSON, deflated; sections that do not fit are named and left out, the last first."""
        status = {name: value for name, value in self.status().items() if name not in {"agent", "held", "suppressed"}}
        sections = {
            "about": {
                "version": __version__,
                "status": status,
                "held": "yes" if self.reach.hold.why else "no",  # people write places and names into the reason
                "test": self.self_test(),
            },
            "config": redacted(self.reach.config),
            "sensor": sensor_says(self.reach.state),
            "audit": self._audit_tail(),
        }
        left_out: list[str] = []
        octets = _deflated(sections)
        while len(octets) > BUNDLE_OCTETS_MAX and sections:
            left_out.append(sections.popitem()[0])
            octets = _deflated(sections)
        if not sections:
            raise Refused("not even the first section fits", reason="too-large")
        return {"bundle": octets, "encoding": "zlib-json", "sections": list(sections), "left_out": left_out}

    def _audit_tail(self) -> list[dict[str, Any]]:
        try:
            lines = (self.reach.state / "uplink" / "audit.log").read_bytes().splitlines()[-AUDIT_LINES:]
            rows = [json.loads(line) for line in lines]
        except (OSError, ValueError, RecursionError):
            return []
        return [{name: row[name] for name in AUDIT_KEPT if name in row} for row in rows if isinstance(row, dict)]


def sensor_says(state: Path) -> dict[str, str]:
    """What the sensor wrote down of its run, such as its contracts' version; empty when it did not."""
    try:
        held = json.loads((state / "sensor" / "run.json").read_bytes()[:4096])
    except (OSError, ValueError, RecursionError):
        return {}
    return {str(key)[:32]: str(value)[:80] for key, value in held.items()} if isinstance(held, dict) else {}


def suppressed(state: Path) -> list[str]:
    """What was ordered to be held back, as the sensor wrote it down: id, finding, whose, until when, by whom."""
    try:
        held = json.loads((state / "sensor" / "suppressions.json").read_bytes()[:SUPPRESSIONS_BYTES_MAX])
        rows = [(order, row["id"], row.get("device") or row["role"], row["until"], row["owner"])
                for order, row in held["suppressions"].items()]  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
    told = ["{} {} of {} until {}, {}".format(*row) for row in rows[-SUPPRESSIONS_TOLD_MAX:]]
    return ["".join(c for c in text if c.isprintable())[:SUPPRESSION_CHARACTERS_MAX] for text in told]


def redacted(config: Config) -> dict[str, dict[str, Any]]:
    """Every section and key; what could name a place, a person or an address only as set or not set."""
    return {
        section: {
            key: ("set" if value else "not set") if key in CONFIG_HIDDEN.get(section, ()) else value
            for key, value in keys.items()
        }
        for section, keys in config.tables().items()
    }


def _deflated(sections: Mapping[str, Any]) -> bytes:
    return zlib.compress(json.dumps(sections, default=_hex, sort_keys=True).encode(), 9)


def _hex(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
