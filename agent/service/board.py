"""What the board says of itself in files of the kernel: temperature, throttling, memory of a process.

Read from /sys and /proc, nothing is set. `root` is where they hang: another one in tests. What a board does not have
is told as unknown, never as a good value.
"""

from enum import IntFlag
from pathlib import Path

ROOT = Path("/")
TEXT_BYTES_MAX = 256  # such a file is a line
ZONES_MAX = 32
THROTTLED = (  # the Raspberry Pi's firmware; its driver gave the file two names
    "sys/devices/platform/soc/soc:firmware/get_throttled",
    "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled",
)
PLAUSIBLE_MC = range(-60_000, 200_000)  # zones that are switched off say 0 K or the like


class Throttle(IntFlag):
    """Bits of the firmware's answer (Raspberry Pi documentation, `vcgencmd get_throttled`)."""

    UNDERVOLTED = 1 << 0
    CAPPED = 1 << 1
    THROTTLED = 1 << 2
    SOFT_LIMIT = 1 << 3
    WAS_UNDERVOLTED = 1 << 16
    WAS_CAPPED = 1 << 17
    WAS_THROTTLED = 1 << 18
    WAS_SOFT_LIMIT = 1 << 19


NOW = Throttle.UNDERVOLTED | Throttle.CAPPED | Throttle.THROTTLED | Throttle.SOFT_LIMIT
UNKNOWN = -1
THROTTLE_WORDS = (
    (Throttle.UNDERVOLTED, "voltage too low"),
    (Throttle.THROTTLED, "throttled"),
    (Throttle.CAPPED, "clock capped"),
    (Throttle.SOFT_LIMIT, "at its temperature limit"),
    (Throttle.WAS_UNDERVOLTED, "voltage was too low since boot"),
    (Throttle.WAS_THROTTLED, "was throttled since boot"),
    (Throttle.WAS_CAPPED, "clock was capped since boot"),
    (Throttle.WAS_SOFT_LIMIT, "was at its temperature limit since boot"),
)


def line_of(path: Path) -> str | None:
    """The first line of a small file of the kernel; None where there is none or it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(TEXT_BYTES_MAX).decode("ascii", errors="replace").partition("\n")[0].strip()
    except OSError:
        return None


def number_of(path: Path, base: int = 10) -> int | None:
    """A small file that holds a number."""
    try:
        return int(line_of(path) or "", base)
    except ValueError:
        return None


def temperature_mc(root: Path = ROOT) -> int | None:
    """Thousandths of a degree Celsius of the hottest zone."""
    zones = sorted((root / "sys/class/thermal").glob("thermal_zone*"))[:ZONES_MAX]
    read = (number_of(zone / "temp") for zone in zones)
    return max((value for value in read if value is not None and value in PLAUSIBLE_MC), default=None)


def throttle(root: Path = ROOT) -> Throttle | None:
    """What the firmware says of voltage and heat; None on a board without such a firmware."""
    for name in THROTTLED:
        value = number_of(root / name, 16)
        if value is not None and value >= 0:
            return Throttle(value & (NOW | NOW << 16))
    return None


def throttle_words(flags: int) -> str:
    """The flags as people say them; what is now hides that it was."""
    told = [words for flag, words in THROTTLE_WORDS if flags & flag and not (flag > NOW and flags & flag >> 16)]
    return ", ".join(told)


def is_alive(pid: int, root: Path = ROOT) -> bool:
    """Whether there is such a process."""
    return pid > 0 and (root / "proc" / str(pid)).is_dir()
