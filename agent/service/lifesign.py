"""Signs of life for the service manager, which starts a program again when they stay away (sd_notify(3)).

A program that ends is started again in any case. One that hangs - a loop without end, a card that never answers - would
be up and deaf until somebody comes. So both services give a sign from the loop that does their work, once a second.
"""

import contextlib
import os
import socket
from collections.abc import Mapping

SENSOR_S = 60  # its loop waits for no disk and no network; a second's work has never taken one
UPLINK_S = 180  # it may wait for a name server (two servers, three tries) and for a slow card


def give(within_s: int, environment: Mapping[str, str] = os.environ) -> None:
    """The program works; the next sign comes within so many seconds. Nothing where nobody waits for one.

    The first sign shortens the time that the unit allows for a start, in which kernels may have to be compiled.
    Waits for nothing and says nothing: a service manager that does not listen is no reason to stop listening.
    """
    place = environment.get("NOTIFY_SOCKET", "")
    if not place or "WATCHDOG_USEC" not in environment or environment.get("WATCHDOG_PID", _own()) != _own():
        return
    address = f"\0{place[1:]}" if place.startswith("@") else place
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.setblocking(False)
        line.sendto(f"WATCHDOG_USEC={within_s * 1_000_000}\nWATCHDOG=1".encode(), address)


def _own() -> str:
    return str(os.getpid())
