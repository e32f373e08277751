"""The hash-chained audit log: one JSON line per decision, each with the hash of the one before.

The head's hash goes out in every uplink record, so a log that was cut, changed or replaced shows at the collector.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from agent.clock import Clock

AUDIT_BYTES_MAX = 4 * 1024 * 1024  # then the file is kept once as `.1`; the chain goes on
LINE_BYTES_MAX = 4096
NO_HEAD = bytes(32)
HEAD_EVENT = "agent-head"  # in a collector's log: the head that a tap reported


@dataclass(frozen=True, slots=True)
class Verified:
    """What a log shows: its last number and hash, and the line (from 1) where the chain breaks, or 0."""

    number: int
    head: bytes
    broken_at: int


def _line(fields: dict[str, Any], previous: bytes) -> tuple[bytes, bytes]:
    """The line and its hash, which covers everything else in it."""
    core = {**fields, "prev": previous.hex()}
    head = sha256(json.dumps(core, sort_keys=True, separators=(",", ":")).encode()).digest()
    return json.dumps({**core, "hash": head.hex()}, sort_keys=True, separators=(",", ":")).encode() + b"\n", head


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Every line of a log that is whole and true, as it was written; nothing for a log that is not there."""
    try:
        with path.open("rb") as file:
            for raw in file:
                if _read(raw) is not None:
                    yield json.loads(raw)
    except FileNotFoundError:
        return


def heads(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and hash of every such line: each was the log's head once."""
    for row in rows(path):
        yield int(row["n"]), bytes.fromhex(row["hash"])


def last_head(path: Path) -> tuple[int, bytes] | None:
    """Number and hash of a log's last line, for whoever may only read it; None when that is no whole line of one."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LINE_BYTES_MAX))
            lines = file.read(LINE_BYTES_MAX).splitlines(keepends=True)
    except OSError:
        return None
    found = _read(lines[-1]) if lines else None
    return (found[0], found[2]) if found is not None else None


def verify(path: Path) -> Verified:
    """Check a log from its first line; the first `prev` is taken as given (an older part may have been put away)."""
    number, head, at = 0, b"", 0
    try:
        with path.open("rb") as file:
            for raw in file:
                at += 1
                found = _read(raw)
                if found is None or (head and found[1] != head):
                    return Verified(number, head or NO_HEAD, at)
                number, head = found[0], found[2]
    except FileNotFoundError:
        pass
    return Verified(number, head or NO_HEAD, 0)


def _read(raw: bytes) -> tuple[int, bytes, bytes] | None:
    """Number, previous hash and hash of a line that is whole and true."""
    try:
        held = json.loads(raw)
        fields = {key: value for key, value in held.items() if key not in {"hash", "prev"}}
        previous = bytes.fromhex(held["prev"])
        line, head = _line(fields, previous)
        return (int(held["n"]), previous, head) if line == raw and len(raw) <= LINE_BYTES_MAX else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


class AuditLog:
    """Appends decisions, durable before `append` returns. Continues after whatever it finds, and says so."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """OSError when the file cannot be opened: no audit, no commands."""
        self.path, self._clock = path, clock
        path.parent.mkdir(parents=True, exist_ok=True)
        found = verify(path)
        self.number, self.head = found.number, found.head
        self._damaged_at = found.broken_at
        if not found.number and not found.broken_at:  # the power went after the file was put away
            older = verify(self._older)
            self.number, self.head = older.number, older.head
        self._descriptor = self._open()
        if self._damaged_at:
            if not self._ends_whole():
                os.write(self._descriptor, b"\n")  # a torn last line keeps its own line
            self.append("log-damaged", line=self._damaged_at)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(self.path, flags, 0o640)

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            if file.tell() == 0:
                return True
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def append(self, event: str, **fields: str | int) -> bytes:
        """Write one decision; the new head. OSError when it cannot be made durable: then nothing may be executed."""
        row = {"n": self.number + 1, "event": event, "mono_ns": self._clock.mono_ns(), "wall_ns": self._clock.wall_ns()}
        line, head = _line({**row, **{key: _short(value) for key, value in fields.items()}}, self.head)
        if os.fstat(self._descriptor).st_size > AUDIT_BYTES_MAX:
            self._put_away()
        os.write(self._descriptor, line)
        os.fsync(self._descriptor)
        self.number, self.head = self.number + 1, head
        return head

    @property
    def _older(self) -> Path:
        return self.path.with_name(self.path.name + ".1")

    def _put_away(self) -> None:
        os.close(self._descriptor)
        self.path.replace(self._older)
        self._descriptor = self._open()

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _short(value: str | int) -> str | int:
    return value if isinstance(value, int) else value[:256]
