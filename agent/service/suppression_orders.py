"""Suppressions that people ordered by command: owned by who signed, over by themselves, and never of a control.

They lie in `sensor/suppressions.json` of the state folder, each under the id of its command, and are read by the same
rules as a row of a pack's file. What cannot be read any more is left out: then more is said, never less.
"""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

from agent.clock import NS_PER_S
from agent.commands.requests import ORDER, Request
from agent.devices.roles import ROLES
from agent.durable import write_atomically
from agent.errors import ConfigError, Refused
from agent.findings.suppressions import Suppression
from agent.findings.suppressions_file import suppression_of
from agent.findings.words import time_text

NAME: Final = "suppressions.json"
VERSION: Final = 1
ORDERED_MAX: Final = 64  # of the 256 in force at once; what holds for longer belongs into a signed pack
HOUR_NS: Final = 3600 * NS_PER_S
AHEAD_NS: Final = 24 * HOUR_NS  # one that begins later than this was made under a clock that was wrong
_BYTES_MAX: Final = 256 * 1024


class Ordered(NamedTuple):
    """One of them: the command that made it, its row as in a pack's file, and what that means."""

    order: str  # 32 hex digits
    row: dict[str, Any]
    rule: Suppression

    def over(self, now_ns: int) -> bool:
        """Whether it holds nothing back any more, and never will."""
        return not self.rule.start_ns - AHEAD_NS <= now_ns < self.rule.end_ns


def read_ordered(state: Path) -> tuple[Ordered, ...]:
    """Those of a state folder that can be used; none where there is no such file, or it is none."""
    try:
        with (state / "sensor" / NAME).open("rb") as file:
            held = json.loads(file.read(_BYTES_MAX))
        rows = held["suppressions"] if held["version"] == VERSION else {}
        return tuple(made for order, row in rows.items() if (made := _made(order, row)) is not None)[:ORDERED_MAX]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()


def _made(order: str, row: Any) -> Ordered | None:
    try:
        return Ordered(order, row, suppression_of(order, row, ROLES)) if ORDER.fullmatch(order) else None
    except (ConfigError, TypeError, ValueError):
        return None


class SuppressionOrders:
    """What was ordered and is not over."""

    def __init__(self, state: Path) -> None:
        self._path = state / "sensor" / NAME
        self.held = read_ordered(state)

    @property
    def rules(self) -> tuple[Suppression, ...]:
        """As the engine takes them."""
        return tuple(ordered.rule for ordered in self.held)

    def made_from(self, request: Request, now_ns: int) -> Ordered:
        """What a request asks for. Refused `bad-arguments` when it is too wide, no finding, or a control."""
        args = dict(request.args)
        row = {"id": args.pop("finding"), "start": time_text(now_ns)}
        row |= {"until": time_text(now_ns + args.pop("hours") * HOUR_NS), "owner": ", ".join(request.signers)}
        try:
            return Ordered(request.id.hex(), row | args, suppression_of("suppress", row | args, ROLES))
        except ConfigError as error:
            raise Refused(error.what, reason="bad-arguments") from error

    def put(self, made: Ordered, now_ns: int) -> None:
        """Durable when this returns. Refused `busy` when there is no room; OSError when it cannot be kept."""
        kept = tuple(one for one in self.held if not one.over(now_ns) and one.order != made.order)
        if len(kept) >= ORDERED_MAX:
            raise Refused(f"{ORDERED_MAX} were ordered and are not over", reason="busy")
        self._keep((*kept, made))

    def take_away(self, order: str) -> Ordered:
        """The one that is gone. Refused `not-found`; OSError when that cannot be kept."""
        gone = next((one for one in self.held if one.order == order), None)
        if gone is None:
            raise Refused("no command that is in force made it", reason="not-found")
        self._keep(tuple(one for one in self.held if one is not gone))
        return gone

    def forget_over(self, now_ns: int) -> bool:
        """Leave out what is over; whether that was any. A disk that refuses it is asked again by the next change."""
        kept = tuple(one for one in self.held if not one.over(now_ns))
        if len(kept) == len(self.held):
            return False
        try:
            self._keep(kept)
        except OSError:
            self.held = kept
        return True

    def _keep(self, held: tuple[Ordered, ...]) -> None:
        rows = {one.order: one.row for one in held}
        write_atomically(self._path, json.dumps({"version": VERSION, "suppressions": rows}).encode())
        self.held = held
