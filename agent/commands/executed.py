"""Which commands were taken, durable before they are executed: what makes "at most once" true across a crash."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from agent.clock import Clock
from agent.durable import write_atomically
from agent.errors import Refused

IDS_MAX = 4096  # 24 h at one every 20 s; a full table refuses, it never forgets early
_RECORD_BYTES_MAX = 1024


@dataclass(frozen=True, slots=True)
class Taken:
    """A command that was taken in this boot."""

    id: bytes
    name: str
    not_after_mono_ns: int
    final: bool
    waits: str = ""  # for whom, once the command has left our hands: `sensor`, `update`, `restart` of us


class ExecutedIds:
    """One small file per id, named after it, so that taking it is one exclusive creation."""

    def __init__(self, folder: Path, boot: bytes, clock: Clock) -> None:
        """Reads what is there; ids of another boot go, since their commands are refused for that anyway."""
        self._folder, self._boot, self._clock = folder, boot, clock
        folder.mkdir(parents=True, exist_ok=True)
        self._taken: dict[bytes, Taken] = {}
        for path in sorted(folder.iterdir()):
            taken = self._read(path)
            if taken is not None:
                self._taken[taken.id] = taken
            elif path.is_file():
                path.unlink()

    def _read(self, path: Path) -> Taken | None:
        """None for what is not one of ours or another boot's. Damage keeps the id taken: its file name says it."""
        try:
            identity = bytes.fromhex(path.name)
        except ValueError:
            return None
        if len(identity) != 16:
            return None
        try:
            held = json.loads(path.read_bytes()[:_RECORD_BYTES_MAX])
            if bytes.fromhex(held["boot"]) != self._boot:
                return None
            waits = str(held.get("waits", ""))[:16]
            return Taken(identity, str(held["name"])[:32], int(held["not_after_mono_ns"]), bool(held["final"]), waits)
        except (OSError, ValueError, KeyError, TypeError):
            return Taken(identity, "", self._clock.mono_ns() + 86_400_000_000_000, final=True)

    def __contains__(self, identity: bytes) -> bool:
        return identity in self._taken

    def take(self, identity: bytes, name: str, not_after_mono_ns: int, waits: str = "") -> None:
        """Durable when this returns. Refused `replayed` or `busy`; OSError when it cannot be made durable."""
        if identity in self._taken:
            raise Refused("this command was taken before", reason="replayed")
        self._forget_old()
        if len(self._taken) >= IDS_MAX:
            raise Refused("too many commands", reason="busy")
        self._write(Taken(identity, name, not_after_mono_ns, final=False, waits=waits))

    def finish(self, identity: bytes) -> None:
        """Its last receipt is durable: nothing to say about it after a restart."""
        self._write(replace(self._taken[identity], final=True))

    def unfinished(self) -> list[Taken]:
        """Taken, but how they ended was not said yet: the process died in between, or somebody else has them."""
        return [taken for taken in self._taken.values() if not taken.final]

    def _write(self, taken: Taken) -> None:
        held = {"boot": self._boot.hex(), "name": taken.name, "not_after_mono_ns": taken.not_after_mono_ns}
        held["waits"] = taken.waits
        write_atomically(self._folder / taken.id.hex(), json.dumps({**held, "final": taken.final}).encode())
        self._taken[taken.id] = taken

    def _forget_old(self) -> None:
        now_ns = self._clock.mono_ns()
        for identity in [key for key, taken in self._taken.items() if taken.final and taken.not_after_mono_ns < now_ns]:
            (self._folder / identity.hex()).unlink(missing_ok=True)
            del self._taken[identity]
