"""The request folder: what the uplink asks the sensor to do. Typed, enumerated, and validated again by the sensor.

    <32 hex digits>.req   {"version": 1, "name": "cards", "args": {}}

The sensor believes nothing of it but a name of this table and arguments of the form the table gives; a file that is
anything else is counted and removed.
"""

import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.durable import write_atomically
from agent.errors import Refused

VERSION = 1
SUFFIX = ".req"
REQUEST_BYTES_MAX = 4096
WAITING_MAX = 64  # a sensor that does not run must not fill the disk
SEEN_MAX = 1024
LEARNING_ACTIONS = ("start", "freeze", "reset", "approve")
ROLE = re.compile(r"[a-z][a-z0-9-]{0,31}")  # whether there is such a role the sensor knows
DEVICE = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
WINDOW_S_MAX = 7 * 86_400  # a change that takes longer is no window
TIME_S_MAX = 1 << 36


def _no_arguments(args: Mapping[str, Any]) -> bool:
    return not args


def _learning(args: Mapping[str, Any]) -> bool:
    """`action` and exactly one of `role` and `device`."""
    if len(args) != 2 or args.get("action") not in LEARNING_ACTIONS:
        return False
    if "role" in args:
        return _fits(ROLE, args["role"])
    return _fits(DEVICE, args.get("device"))


def _window(args: Mapping[str, Any]) -> bool:
    """`role` (or `*`), `start_s` and `end_s` since 1970: a week at most."""
    if set(args) != {"role", "start_s", "end_s"} or not (args["role"] == "*" or _fits(ROLE, args["role"])):
        return False
    start, end = args["start_s"], args["end_s"]
    if type(start) is not int or type(end) is not int:
        return False
    return 0 < start < end <= TIME_S_MAX and end - start <= WINDOW_S_MAX


def _fits(form: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


REQUESTS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "cards": _no_arguments,  # all device cards again with the next summary (a collector that lost them, or a rebirth)
    "set-learning": _learning,  # start, freeze, reset or approve what is learned of a role or a device
    "change-window": _window,  # a time in which devices of a role may do new things
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `id` is that of the command behind it."""

    id: bytes
    name: str
    args: dict[str, Any] = field(default_factory=dict)


def _valid(name: object, args: object) -> bool:
    return isinstance(name, str) and name in REQUESTS and isinstance(args, dict) and REQUESTS[name](args)


def submit(folder: Path, request: Request) -> None:
    """The uplink's side: durable when this returns. Refused `bad-arguments` or `busy`; OSError of the disk."""
    if len(request.id) != 16 or not _valid(request.name, request.args):
        raise Refused(f"no request {request.name!r} of that form", reason="bad-arguments")
    folder.mkdir(parents=True, exist_ok=True)
    if sum(1 for _ in folder.glob(f"*{SUFFIX}")) >= WAITING_MAX:
        raise Refused("the sensor does not take its requests", reason="busy")
    content = json.dumps({"version": VERSION, "name": request.name, "args": request.args}).encode()
    write_atomically(folder / f"{request.id.hex()}{SUFFIX}", content)


@dataclass(slots=True)
class RequestBox:
    """The sensor's side: takes each request once, whatever lies in the folder, and never raises."""

    folder: Path
    refused: int = 0
    _seen: dict[bytes, None] = field(default_factory=dict)  # where files cannot be removed, they still count once

    def take(self) -> list[Request]:
        """Valid requests that were not taken before, by name of file."""
        found: list[Request] = []
        try:
            names = sorted(path.name for path in self.folder.iterdir() if path.name.endswith(SUFFIX))[: 2 * WAITING_MAX]
        except OSError:
            return found
        for name in names:
            request = self._open(name)
            if request is not None:
                found.append(request)
        return found

    def _open(self, name: str) -> Request | None:
        path = self.folder / name
        try:
            identity = bytes.fromhex(name.removesuffix(SUFFIX))
        except ValueError:
            identity = b""
        content = _content(path)
        _remove(path)
        if identity in self._seen:
            return None
        if len(identity) != 16 or content is None or not _valid(content.get("name"), content.get("args")):
            self.refused += 1
            return None
        self._seen[identity] = None
        while len(self._seen) > SEEN_MAX:
            del self._seen[next(iter(self._seen))]
        return Request(identity, content["name"], content["args"])


def _content(path: Path) -> dict[str, Any] | None:
    """A small regular file that holds a JSON object of our version."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            raw = file.read(REQUEST_BYTES_MAX + 1)
        held = json.loads(raw) if len(raw) <= REQUEST_BYTES_MAX else None
    except (OSError, ValueError, RecursionError):
        return None
    return held if isinstance(held, dict) and held.get("version") == VERSION else None


def _remove(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        return
