"""A sensor that was told to start again, or to be quiet for a while: what survives the end of its process.

It writes down the command, drains and ends; whoever runs it starts it again (Restart=always). The next start waits
until the time is over - in the monotonic time of this boot, so a power cut ends every pause - and then says that it is
done.
"""

import json
import threading
from pathlib import Path
from typing import NamedTuple

from agent.clock import NS_PER_S, Clock
from agent.commands.requests import QUIET_S_MAX, Request
from agent.durable import write_atomically
from agent.service import lifesign
from agent.wire.command import Receipt

NAME = "pause.json"
_BYTES_MAX = 1024
_LOOK_S = 0.5


class Pause(NamedTuple):
    """Whose command, in which boot, and until when; `until_mono_ns` 0 is a plain restart."""

    id: bytes
    name: str
    boot: bytes
    until_mono_ns: int


def begin(state: Path, request: Request, boot: bytes, now_ns: int) -> None:
    """Write it down; OSError when that cannot be made durable, and then the sensor goes on."""
    seconds = request.args.get("seconds", 0)
    until_ns = now_ns + seconds * NS_PER_S if seconds else 0
    held = {"id": request.id.hex(), "name": request.name, "boot": boot.hex(), "until_mono_ns": until_ns}
    write_atomically(state / "sensor" / NAME, json.dumps(held).encode())


def read(state: Path) -> Pause | None:
    """What was written down; None for nothing, and for anything that is no pause."""
    try:
        with (state / "sensor" / NAME).open("rb") as file:
            held = json.loads(file.read(_BYTES_MAX))
        pause = Pause(
            bytes.fromhex(held["id"]), str(held["name"]), bytes.fromhex(held["boot"]), int(held["until_mono_ns"])
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return pause if len(pause.id) == 16 and pause.name in {"restart", "quiesce"} else None


def is_quiet(state: Path, boot: bytes, now_ns: int) -> bool:
    """Whether the sensor does not listen now because it was asked not to."""
    pause = read(state)
    return pause is not None and pause.boot == boot and pause.until_mono_ns > now_ns


def wait(state: Path, boot: bytes, clock: Clock, stop: threading.Event) -> Receipt | None:
    """At a start: be quiet as long as was asked, then the receipt to give; None when nobody asked, or told to stop."""
    pause = read(state)
    if pause is None:
        return None
    latest_ns = clock.mono_ns() + QUIET_S_MAX * NS_PER_S  # nobody keeps a sensor quiet for longer by a file
    until_ns = min(pause.until_mono_ns, latest_ns) if pause.boot == boot else 0
    while clock.mono_ns() < until_ns:
        if stop.is_set():
            return None
        lifesign.give(lifesign.SENSOR_S)
        clock.sleep(_LOOK_S)
    return Receipt(pause.id, pause.name, "done", "" if pause.boot == boot else "this machine started again", {})


def end(state: Path) -> None:
    """Its receipt is durable."""
    (state / "sensor" / NAME).unlink(missing_ok=True)
