"""`update-to`: the uplink looks whether a release may run, and writes down that it is asked for. Root does the rest.

The request is two lines, the release's name and the command's id; install.sh's updater takes it away, verifies the
release again with the keys that root pinned, switches, waits until both programs have come up with it, and goes back to
the release before when they do not. Its answer lies where only root writes. Whoever then runs - the new release, the
old one, or either after a power cut - gives the command's last receipt.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from agent.clock import NS_PER_S, Clock
from agent.durable import write_atomically
from agent.errors import Refused
from agent.signing.trust import ROOT_NAME, load_root
from agent.update.laid import look
from agent.update.place import own_release, release_name
from agent.wire.command import Command, Receipt

NAME = "update-to"
REQUEST, JOURNAL, UP, ANSWER = "update/request", "uplink/update.json", "uplink/up.json", "update.answer"
ANSWER_WITHIN_NS = 900 * NS_PER_S  # two waits of 120 s, two restarts, and the files looked at twice, on a slow card
_BYTES_MAX = 1024


class Asked(NamedTuple):
    """The update that is under way: whose command, to which release, when asked, in which boot."""

    id: bytes
    release: str
    mono_ns: int
    boot: bytes


def installed() -> Path | None:
    """Where the releases of this appliance lie; None for a checkout."""
    own = own_release()
    return own.parent.parent if own else None


class UpdateOrder:
    """One at a time."""

    def __init__(self, state: Path, boot: bytes, clock: Clock, opt: Path | None = None) -> None:
        """`opt`: where releases lie, when that is not where this one lies."""
        self._state, self._boot, self._clock, self._opt = state, boot, clock, opt or installed()
        self._asked = self._read()
        self._started_ns = clock.mono_ns()

    def ask(self, command: Command, told_ns: int) -> dict[str, Any]:
        """Verify and write down. Refused as by `laid.look`, `busy`, `not-supported`; OSError of the disk."""
        if self._opt is None:
            raise Refused("this is no installed release", reason="not-supported")
        if self._asked is not None:
            raise Refused(f"an update to {self._asked.release} is under way", reason="busy")
        name = command.args["release"]
        release = look(self._opt, name, load_root(self._state / "uplink" / ROOT_NAME), told_ns)
        asked = Asked(command.id, name, self._clock.mono_ns(), self._boot)
        held = {"id": asked.id.hex(), "release": name, "mono_ns": asked.mono_ns, "boot": self._boot.hex()}
        write_atomically(self._state / JOURNAL, json.dumps(held).encode())
        self._asked = asked
        try:
            write_atomically(self._state / REQUEST, f"{name}\n{asked.id.hex()}\n".encode())
        except OSError:
            self.told()
            raise
        return {"release": name, "version": release.version, "serial": release.serial, "running": release_name()}

    def answer(self) -> Receipt | None:
        """How it ended, as soon as that is known; `told` when the receipt is durable."""
        if self._asked is None:
            return None
        asked, (identity, state, reason) = self._asked, self._answered()
        if identity == asked.id.hex() and state in {"done", "failed"}:
            return Receipt(asked.id, NAME, state, reason, {"release": asked.release, "running": release_name()})
        since_ns = asked.mono_ns if asked.boot == self._boot else self._started_ns
        if self._clock.mono_ns() - since_ns < ANSWER_WITHIN_NS:
            return None
        (self._state / REQUEST).unlink(missing_ok=True)  # what the updater has not taken by now it shall not take
        return Receipt(asked.id, NAME, "failed", "no-answer: the updater did not say how it ended", {})

    def told(self) -> None:
        """It is over."""
        self._asked = None
        (self._state / JOURNAL).unlink(missing_ok=True)

    def came_up(self) -> None:
        """This program has come up and has a link: the updater waits for it. OSError of the disk."""
        write_atomically(self._state / UP, json.dumps({"release": release_name()}).encode())

    def _answered(self) -> tuple[str, str, str]:
        try:
            with ((self._opt or Path("/nowhere")) / ANSWER).open("rb") as file:
                line = file.read(_BYTES_MAX).decode("ascii", "replace").splitlines()[0]
        except (OSError, IndexError):
            return "", "", ""
        identity, _, rest = line.partition(" ")
        state, _, reason = rest.partition(" ")
        return identity, state, "".join(c for c in reason if c.isprintable())

    def _read(self) -> Asked | None:
        try:
            with (self._state / JOURNAL).open("rb") as file:
                held = json.loads(file.read(_BYTES_MAX))
            asked = Asked(
                bytes.fromhex(held["id"]), str(held["release"]), int(held["mono_ns"]), bytes.fromhex(held["boot"])
            )
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return asked if len(asked.id) == 16 else None
