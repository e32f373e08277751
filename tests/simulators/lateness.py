"""How long the machine let a process wait: a bound on the program's time may not count what a busy machine took."""

import contextlib
from pathlib import Path


def waited_s(process: int | str = "self") -> float:
    """How long its threads, taken together, stood in line for a processor; 0 where the kernel does not say.

    The second number of schedstat is that time in nanoseconds (Linux, Documentation/scheduler/sched-stats.rst).
    """
    waited_ns = 0
    for path in Path(f"/proc/{process}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError, ValueError, IndexError):  # a thread may end meanwhile
            waited_ns += int(path.read_text("ascii").split()[1])
    return waited_ns / 1e9
