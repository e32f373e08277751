"""A file system that forgets what it may forget: what POSIX lets a power cut take from files that were not synced.

The real calls go to a real folder; beside it is kept what is certainly on the disk - the content of a file at its last
fsync, the names of a folder at its own. After a failed fsync the pages count as written and never are (ATC'20, "Can
Applications Recover from fsync Failures?"). `cut` then turns the folder into one that a power cut could have left.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from agent import durable
from agent.spool import disk as spool_disk
from agent.spool import store
from tests.simulators.disk import FaultyDisk

SECTOR = 512
Span = tuple[int, int]


class Died(BaseException):
    """The process ended between two system calls. No Exception: nothing may catch it and go on."""


@dataclass
class _Synced:
    """What of one file is certainly on the disk, and which octets never will be."""

    content: bytes = b""
    poisoned: list[Span] = field(default_factory=list)


@dataclass
class PowerDisk(FaultyDisk):
    """Everything below `root`. `die_in` counts down over calls that change something; at 0 the process dies."""

    root: Path = field(default_factory=Path)
    chance: Random | None = None  # where identities come from, so that a seed gives the same names
    parts: tuple[str, ...] = ("",)  # only paths with one of these in them are ours
    die_in: int = -1
    steps: int = 0
    _ids: dict[int, int] = field(default_factory=dict)  # inode -> file, since inodes are used again
    _files: dict[int, _Synced] = field(default_factory=dict)
    _names: dict[Path, int] = field(default_factory=dict)  # durable name -> file

    def write(self, descriptor: int, octets: bytes | memoryview) -> int:
        """As os.write; dying in it leaves half."""
        if self.die_in == 1:
            os.write(descriptor, octets[: len(octets) // 2])
        self.step()
        return super().write(descriptor, octets)

    def pwrite(self, descriptor: int, octets: bytes, offset: int) -> int:
        """As os.pwrite, into blocks that the file has: a full disk takes it."""
        self.step()
        return os.pwrite(descriptor, octets, offset)

    def ftruncate(self, descriptor: int, length: int) -> None:
        """As os.ftruncate."""
        self.step()
        os.ftruncate(descriptor, length)

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        """As os.open."""
        if not flags & os.O_CREAT:
            return os.open(path, flags, mode)
        self.step()
        descriptor = super().open(path, flags, mode)
        if flags & os.O_EXCL:
            self._ids[os.fstat(descriptor).st_ino] = self._new()
        return descriptor

    def fsync(self, descriptor: int) -> None:
        """Takes down what is durable from now on; the disk of this machine is not asked."""
        self.step()
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            self._fault("fsync")
            self._sync_names(Path(f"/proc/self/fd/{descriptor}").readlink())
            return
        synced, content = self._files[self._id(status)], Path(f"/proc/self/fd/{descriptor}").read_bytes()
        try:
            self._fault("fsync")
        except OSError:
            synced.poisoned.append((len(synced.content), len(content)))
            raise
        synced.content = _without(content, synced.poisoned)

    def urandom(self, size: int) -> bytes:
        """As os.urandom, or the same each time."""
        return self.chance.randbytes(size) if self.chance else os.urandom(size)

    def step(self) -> None:
        """One call that changes something."""
        self.steps += 1
        if self.die_in > 0:
            self.die_in -= 1
            if self.die_in == 0:
                raise Died

    def cut(self, chance: Random) -> None:
        """The power goes: of what was not synced any part may be there."""
        now = {path: self._id(path.stat()) for path in self._walk()}
        content = {self._id(path.stat()): path.read_bytes() for path in now}
        left: dict[Path, bytes] = {}
        for path in sorted({*now, *self._names}):
            choices = {now.get(path), self._names.get(path)}
            file = chance.choice(sorted(choices, key=lambda each: -1 if each is None else each))
            if file is not None:
                left[path] = self._torn(file, content, chance)
        for path in now:
            os.unlink(path)  # noqa: PTH108 - Path.unlink is watched
        for path, octets in left.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(octets)
        self.settle()

    def settle(self) -> None:
        """Everything that is there now is durable, as after a clean mount."""
        self._ids, self._files, self._names = {}, {}, {}
        for path in self._walk():
            file = self._names[path] = self._id(path.stat())
            self._files[file].content = path.read_bytes()

    def _torn(self, file: int, content: dict[int, bytes], chance: Random) -> bytes:
        """The synced beginning, then sectors that were written or were not."""
        synced = self._files[file]
        base = synced.content
        cached = _without(content.get(file, base), synced.poisoned)
        if chance.random() < 0.3:
            return base
        if not cached.startswith(base):  # written over, not appended to
            return chance.choice((cached, cached[:SECTOR] + base[SECTOR:]))
        end = len(cached) if chance.random() < 0.5 else chance.randint(min(len(base), len(cached)), len(cached))
        octets = bytearray(cached[:end])
        octets[: len(base)] = base
        hole = chance.choice((0.0, 0.0, 0.3, 1.0))
        for at in range(len(base) - len(base) % SECTOR, end, SECTOR):
            if chance.random() < hole:
                first = max(at, len(base))
                octets[first : at + SECTOR] = bytes(len(octets[first : at + SECTOR]))
        return bytes(octets)

    def _walk(self) -> list[Path]:
        return [path for path in self.root.rglob("*") if self._ours(path) and path.is_file() and not path.is_symlink()]

    def _ours(self, path: Path) -> bool:
        return any(part in str(path) for part in self.parts)

    def _sync_names(self, folder: Path) -> None:
        for path in [path for path in self._names if path.parent == folder]:
            del self._names[path]
        for path in folder.iterdir():
            if self._ours(path) and path.is_file():
                self._names[path] = self._id(path.stat())

    def _id(self, status: os.stat_result) -> int:
        if status.st_ino not in self._ids:
            self._ids[status.st_ino] = self._new()
        return self._ids[status.st_ino]

    def _new(self) -> int:
        self._files[len(self._files)] = _Synced()
        return len(self._files) - 1


def _without(content: bytes, spans: list[Span]) -> bytes:
    octets = bytearray(content)
    for first, last in spans:
        octets[first:last] = bytes(len(octets[first:last]))
    return bytes(octets)


@contextmanager
def power_disk(root: Path) -> Iterator[PowerDisk]:
    """Spool and small files work on this disk while the block runs."""
    disk = PowerDisk(root=root.resolve())
    unlink, replace = Path.unlink, Path.replace

    def watched(path: Path, missing_ok: bool = False) -> None:
        disk.step()
        unlink(path, missing_ok=missing_ok)

    def renamed(path: Path, target: Any) -> Path:
        disk.step()
        return replace(path, target)

    with pytest.MonkeyPatch.context() as patch:
        for module in (store, spool_disk, durable):
            patch.setattr(module, "os", disk)
        patch.setattr(Path, "unlink", watched)
        patch.setattr(Path, "replace", renamed)
        yield disk
