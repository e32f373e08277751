"""TOML texts as tables; those of a release are kept parsed, because every start waits for them.

The standard library parses TOML in Python: 27 ms for the packs and contracts of a release. `KeptToml` keeps each table
as JSON in a folder of the user's own, beside the compiled kernels, under the SHA-256 of the text it was made of. A text
that changed has another name; a file that is damaged, not the user's own, or that others may write is passed over.
Either way the table is the one that parsing gives.
"""

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.durable import write_atomically

Parse = Callable[[str], dict[str, Any]]

FILE_BYTES_MAX = 1 << 20
FILES_MAX = 128  # a release has 16 texts; the oldest make room
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_DIGEST_BYTES = 64  # hex SHA-256 of what follows it


def parse_toml(text: str) -> dict[str, Any]:
    """The table of a text. ValueError (`tomllib.TOMLDecodeError`) or RecursionError as the parser raises them."""
    import tomllib  # noqa: PLC0415 - its patterns cost 7 ms, and a start that finds every table kept does without

    return tomllib.loads(text)


class KeptToml:
    """`parse_toml` that remembers. Never raises for the folder's sake: where it is of no use, it parses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._usable = False
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._usable = _is_own(folder.lstat(), stat.S_ISDIR)

    def __call__(self, text: str) -> dict[str, Any]:
        """The table of a text. Raises what `parse_toml` raises."""
        if not self._usable:
            return parse_toml(text)
        path = self._folder / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
        kept = _read(path)
        if kept is not None:
            return kept
        table = parse_toml(text)
        with contextlib.suppress(
            OSError, TypeError, ValueError
        ):  # a full disk; dates have no JSON; nor have some floats
            self._keep(path, table)
        return table

    def _keep(self, path: Path, table: dict[str, Any]) -> None:
        body = json.dumps(table, allow_nan=False).encode()
        if len(body) > FILE_BYTES_MAX - _DIGEST_BYTES:
            return
        write_atomically(path, _digest(body) + body, mode=0o600)
        by_age = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
        for file in by_age[:-FILES_MAX]:
            file.unlink()


def _read(path: Path) -> dict[str, Any] | None:
    """What was kept under a name; None when there is nothing that can be trusted."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not _is_own(os.fstat(handle), stat.S_ISREG):
                return None
            data = file.read(FILE_BYTES_MAX + 1)
        body = data[_DIGEST_BYTES:]
        if len(data) > FILE_BYTES_MAX or data[:_DIGEST_BYTES] != _digest(body):
            return None
        table = json.loads(body)
    except (OSError, ValueError, RecursionError):
        return None
    return table if isinstance(table, dict) else None


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()


def _is_own(status: os.stat_result, kind: Callable[[int], bool]) -> bool:
    """Of the right kind, the user's own, and nobody else may write it."""
    return kind(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_WRITE
