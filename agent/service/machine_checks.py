"""Is the machine under the sensor fit: kernel, processor, memory, heat, clock, disk. Files of the kernel, read only."""

import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from agent.clock import NS_PER_S, Clock, Discipline
from agent.config import Config
from agent.errors import InputError, PermissionNeeded, StateError
from agent.service.board import ROOT, line_of, number_of, temperature_mc, throttle, throttle_words
from agent.service.check import Check, fail, ok, warn
from agent.service.status import Status
from agent.service.top_view import HOT_MC, size

KERNEL_RING, KERNEL_EGRESS = (4, 20), (5, 16)  # PACKET_IGNORE_OUTGOING; the netdev egress hook
CORES_MIN = 2  # one decodes while the other meters, and the uplink needs a little
SENSOR_BYTES = 350 << 20  # what its tables and its code may take, rings not counted
DISK_LOW_BYTES = 256 << 20  # less and the system itself stumbles
CAP_NET_RAW = 13
CLOCK_ERROR_NS = 5 * NS_PER_S  # two taps and a hospital's records are compared by the second
PROGRAM = Path(__file__).resolve()


def machine_checks(config: Config | None, status: Status | None, root: Path = ROOT) -> Iterator[Check]:
    """Every line about the machine. `status` is the running sensor's."""
    yield _kernel(root)
    yield _cores(root, config.tap.workers if config is not None else 1)
    if config is not None:
        yield _memory(config, status, root)
    yield _capabilities(status, root)
    yield _heat(root)
    yield from _throttled(root)


def _kernel(root: Path) -> Check:
    release = line_of(root / "proc/sys/kernel/osrelease") or ""
    found = re.match(r"(\d+)\.(\d+)", release)
    if found is None:
        return warn("kernel", "", "does not say its version")
    version = (int(found[1]), int(found[2]))
    if version < KERNEL_RING:
        return warn(
            "kernel", release, "is older than 4.20 and gives the ring what this machine itself sends", "update it"
        )
    if version < KERNEL_EGRESS:
        return warn(
            "kernel", release, "is older than 5.16: no egress hook, tc must drop what a leg would send", "update it"
        )
    return ok("kernel", release, "new enough for packet rings and the egress hook")


def _cores(root: Path, workers: int) -> Check:
    online = line_of(root / "sys/devices/system/cpu/online")
    cores = count_of(online) if online else os.cpu_count() or 1
    if cores < CORES_MIN:
        return warn("processor", "", f"{cores} core: frames are dropped sooner", f"give it {CORES_MIN}")
    if workers > cores:
        return warn("processor", "", f"{cores} cores for {workers} workers", f"set [tap] workers to at most {cores}")
    return ok("processor", "", f"{cores} cores" + (f", {workers} workers" if workers > 1 else ""))


def count_of(ranges: str) -> int:
    """How many numbers a list like `0-3,6` names; 0 when it is none."""
    try:
        ends = [[int(end) for end in part.split("-")] for part in ranges.split(",")]
    except ValueError:
        return 0
    return sum(end[-1] - end[0] + 1 for end in ends)


def _memory(config: Config, status: Status | None, root: Path) -> Check:
    available = _available_bytes(root)
    rings = config.tap.buffer_bytes * len(config.tap.legs)
    if available is None:
        return warn("memory", "", "the kernel does not say how much is free")
    need = rings + SENSOR_BYTES if status is None else 0  # a running sensor has taken its part
    told = f"{size(available)} free; rings take {size(rings)}"
    if available < need:
        return warn("memory", "", f"{told}, tables and code up to {size(SENSOR_BYTES)}", "lower [tap] buffer_bytes")
    return ok("memory", "", told)


def _available_bytes(root: Path) -> int | None:
    try:
        lines = (root / "proc/meminfo").read_text("ascii").splitlines()
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)
    except (OSError, ValueError, IndexError):
        return None


def _capabilities(status: Status | None, root: Path) -> Check:
    """Of the sensor when it runs, else whether we ourselves might listen."""
    held = _effective(root / "proc" / (str(status.pid) if status else "self") / "status")
    if held is None:
        return warn("capability", "", "what the sensor may do is not readable", "run this with sudo")
    raw = 1 << CAP_NET_RAW
    if status is not None:
        if held & ~raw:
            what = f"the sensor (process {status.pid}) may do more than listen (capabilities {held:x})"
            return warn("capability", "", what, "run it as wardtap-sensor.service")
        return ok(
            "capability", "", f"the sensor (process {status.pid}) may {'listen' if held else 'do nothing'} and no more"
        )
    if held & raw:
        return ok("capability", "", "may open packet sockets")
    todo = "run this with sudo, and the sensor as its service"
    return fail("capability", "", "this user may not open packet sockets (CAP_NET_RAW)", todo, PermissionNeeded)


def _effective(path: Path) -> int | None:
    try:
        lines = path.read_text("ascii", errors="replace").splitlines()
        return next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), None)
    except (OSError, ValueError, IndexError):
        return None


def _heat(root: Path) -> Check:
    heat = temperature_mc(root)
    if heat is None:
        return ok("heat", "", "this machine tells no temperature")
    told = f"{heat / 1000:.1f} °C"
    return ok("heat", "", told) if heat < HOT_MC else warn("heat", "", f"{told}: it will slow down", "give it air")


def _throttled(root: Path) -> Iterator[Check]:
    flags = throttle(root)
    if flags is None:
        return
    words = throttle_words(flags)
    if words:
        yield warn("power", "", words, "use the power supply that the board's maker names, and give it air")
    else:
        yield ok("power", "", "voltage and clock as they should be since boot")


def clock_checks(held: Discipline | None, clock: Clock, root: Path = ROOT) -> Iterator[Check]:
    """The wall clock: right, kept right, and kept over a power cut."""
    now_ns = clock.wall_ns()
    built_ns = PROGRAM.stat().st_mtime_ns
    if now_ns < built_ns:
        told = datetime.fromtimestamp(now_ns // NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M UTC")
        yield fail(
            "clock",
            "",
            f"it says {told}, which is before this release was laid",
            "set it: chronyc makestep",
            StateError,
        )
    if held is None:
        yield warn("clock", "", "the kernel does not say whether it is kept right")
    elif not held.synced:
        yield warn(
            "clock", "", "nothing keeps it right", "set the hospital's time servers in /etc/chrony/conf.d/wardtap.conf"
        )
    elif held.error_ns > CLOCK_ERROR_NS:
        yield warn("clock", "", f"may be {held.error_ns // NS_PER_S} s wrong", "see chronyc tracking")
    else:
        yield ok("clock", "", f"kept right, at most {held.error_ns / 1e6:.0f} ms wrong")
    if number_of(root / "sys/class/rtc/rtc0/since_epoch") is None:
        yield warn("clock", "", "no clock runs while the power is off", "a clock with a cell: hw/kits.md")


def disk_checks(config: Config, state: Path) -> Iterator[Check]:
    """Room for the spool's limit, and for the system beside it."""
    place = next((folder for folder in (state, *state.parents) if folder.is_dir()), Path("/"))
    try:
        free = shutil.disk_usage(place).free
        inodes = os.statvfs(place)
    except OSError as error:
        yield fail("disk", str(place), f"cannot be asked: {error.strerror}", "is it mounted?", StateError)
        return
    used = sum(_size(path) for path in _spool_files(state))
    open_bytes = max(0, config.spool.limit_bytes - used)
    told = f"{size(free)} free; the spool has {size(used)} of {size(config.spool.limit_bytes)}"
    if free < DISK_LOW_BYTES:
        yield fail("disk", str(place), told, "make room: the system itself needs some", StateError)
    elif free < open_bytes + DISK_LOW_BYTES:
        yield warn("disk", str(place), f"{told}: it may not get the rest", "make room, or lower [spool] limit_bytes")
    else:
        yield ok("disk", str(place), told)
    if inodes.f_files and inodes.f_favail < 1000:
        yield warn("disk", str(place), f"room for {inodes.f_favail} more files only", "remove what is not needed")
    if not os.access(place, os.W_OK) and os.geteuid() == 0:
        yield fail("disk", str(place), "is read-only", "mount it writable", InputError)


def _spool_files(state: Path) -> list[Path]:
    try:
        return [path for path in (state / "sensor" / "spool").iterdir() if path.is_file()]
    except OSError:
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
