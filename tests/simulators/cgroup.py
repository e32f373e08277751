"""A control group of a test's own: memory, processor or tasks of a process are bounded as systemd bounds a unit's.

Both hierarchies are spoken: the old one, a folder for each controller, and the unified one.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import pytest

ROOT = Path("/sys/fs/cgroup")
PERIOD_US = 1_000_000  # the longest there is: a percent of it and then nothing, so that a slow sender fills a ring too
ENTER = 'IFS=:; for group in $1; do echo $$ > "$group/cgroup.procs"; done; shift; exec "$@"'


@dataclass(frozen=True)
class Cgroup:
    """The group's folders: one, or one for each controller."""

    folders: dict[str, Path]
    unified: bool

    def command(self) -> list[str]:
        """What a command is put behind to run inside from its first instruction."""
        return ["sh", "-c", ENTER, "enter", ":".join(map(str, dict.fromkeys(self.folders.values())))]

    def take(self, process: int) -> None:
        """A running process goes in; one that it starts later stays with it."""
        for folder in dict.fromkeys(self.folders.values()):
            (folder / "cgroup.procs").write_text(f"{process}\n")

    def free_cpu(self) -> None:
        """As much of the processor as there is."""
        name, value = ("cpu.max", "max") if self.unified else ("cpu.cfs_quota_us", "-1")
        (self.folders["cpu"] / name).write_text(value)

    def refused(self) -> int:
        """How often memory was asked for beyond the limit."""
        if not self.unified:
            return int((self.folders["memory"] / "memory.failcnt").read_text())
        events = dict(line.split() for line in (self.folders["memory"] / "memory.events").read_text().splitlines())
        return int(events["max"]) + int(events["oom"])

    def peak_bytes(self) -> int:
        """The most that was held at once."""
        name = "memory.peak" if self.unified else "memory.max_usage_in_bytes"
        return int((self.folders["memory"] / name).read_text())


def _settings(
    memory_bytes: int, cpu: tuple[int, int], tasks: int, *, unified: bool
) -> dict[str, list[tuple[str, str]]]:
    """File and value by controller, of what is asked for."""
    cpu_percent, period_us = cpu
    quota = period_us * cpu_percent // 100
    found: dict[str, list[tuple[str, str]]] = {}
    if memory_bytes:
        found["memory"] = [("memory.max" if unified else "memory.limit_in_bytes", str(memory_bytes))]
    if cpu_percent and unified:
        found["cpu"] = [("cpu.max", f"{quota} {period_us}")]
    elif cpu_percent:
        found["cpu"] = [("cpu.cfs_period_us", str(period_us)), ("cpu.cfs_quota_us", str(quota))]
    if tasks:
        found["pids"] = [("pids.max", str(tasks))]
    return found


@contextmanager
def cgroup(
    *, memory_bytes: int = 0, cpu_percent: int = 0, tasks: int = 0, period_us: int = PERIOD_US
) -> Iterator[Cgroup]:
    """A group with these limits; skips with the reason where none can be made."""
    if os.geteuid() != 0:
        pytest.skip("needs root for a control group")
    unified = (ROOT / "cgroup.controllers").exists()
    wanted = _settings(memory_bytes, (cpu_percent, period_us), tasks, unified=unified)
    name = f"wardtap-test-{os.getpid()}-{token_hex(3)}"  # nobody inherits the limits of a group that is still held
    folders = {one: (ROOT / name if unified else ROOT / one / name) for one in wanted}
    try:
        for controller, folder in folders.items():
            if unified:
                (ROOT / "cgroup.subtree_control").write_text(f"+{controller}")
            folder.mkdir(exist_ok=True)
            for file, value in wanted[controller]:
                (folder / file).write_text(value)
    except OSError as error:
        _remove(folders)
        pytest.skip(f"no control group can be made here: {error}")
    try:
        yield Cgroup(folders, unified)
    finally:
        _remove(folders)


def _remove(folders: dict[str, Path]) -> None:
    for folder in dict.fromkeys(folders.values()):
        for _ in range(300):  # a process that has just ended may hold it for a while
            with contextlib.suppress(OSError):
                folder.rmdir()
            if not folder.is_dir():
                break
            time.sleep(0.1)
