"""Disks that misbehave: the store's system calls with faults on chosen calls, and a real small one."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.spool import store


@dataclass
class FaultyDisk:
    """Stands where `agent.spool.store` finds `os`: everything is the real thing but the calls told to fail.

    `fail[name]` is the error number of every call of `name` while it is set; `fail_at[name]` that of only the calls
    with these numbers, counted from 1. With `partial_bytes` a failing write first writes that much, as a filling disk
    does.
    """

    fail: dict[str, int] = field(default_factory=dict)
    fail_at: dict[str, dict[int, int]] = field(default_factory=dict)
    partial_bytes: int = 0
    calls: dict[str, int] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def write(self, descriptor: int, octets: bytes | memoryview) -> int:
        """As os.write."""
        try:
            self._fault("write")
        except OSError:
            if self.partial_bytes:
                os.write(descriptor, octets[: self.partial_bytes])
            raise
        return os.write(descriptor, octets)

    def fsync(self, descriptor: int) -> None:
        """As os.fsync."""
        self._fault("fsync")
        os.fsync(descriptor)

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        """As os.open."""
        self._fault("open")
        return os.open(path, flags, mode)

    def _fault(self, name: str) -> None:
        number = self.calls[name] = self.calls.get(name, 0) + 1
        code = self.fail_at.get(name, {}).get(number, self.fail.get(name, 0))
        if code:
            raise OSError(code, os.strerror(code))


@contextmanager
def faulty_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyDisk]:
    """The store works on this disk while the block runs."""
    disk = FaultyDisk()
    with monkeypatch.context() as patch:
        patch.setattr(store, "os", disk)
        yield disk


@contextmanager
def small_disk(folder: Path, size: str, inodes: int = 0) -> Iterator[Path]:
    """A tmpfs of `size`, if asked for so few files, mounted on `folder` (root only); skips where that fails."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder.mkdir(exist_ok=True)
    options = f"size={size},nr_inodes={inodes}" if inodes else f"size={size}"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no mounting here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remount(disk: Path, how: str) -> None:
    """`ro` or `rw`, while programs have files open there."""
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)


NO_SPACE, BROKEN, READ_ONLY = errno.ENOSPC, errno.EIO, errno.EROFS
