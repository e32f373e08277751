"""The request folder: what the uplink asks the sensor to do. Typed, enumerated, and validated again by the sensor.

    <32 hex digits>.req   {"version": 1, "name": "cards", "args": {}, "boot": hex, "not_after_mono_ns": 0,
                           "signers": ["olga"]}

The sensor believes nothing of it but a name of this table and arguments of the form the table gives; a file that is
anything else is counted and removed. `boot` and the time after which it is too late are the command's; what interrupts
listening, looks at traffic or holds findings back must have them. `signers` are the names of who signed the command;
what is said of a device's traffic or held back for somebody names them.
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
from agent.wire.topics import valid_id

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
LABEL = re.compile(r"([A-Za-z0-9][A-Za-z0-9 ._-]{0,39})?")
RECORD_S_MAX = 60
QUIET_S_MIN, QUIET_S_MAX = 10, 3600  # longer than an hour is not a pause: pull the plug
HOURS_MAX = 366 * 24  # as in a pack's file: whoever still means it in a year says so again
WORD = re.compile(r"[a-z][a-z0-9-]{0,31}")  # what there is of these the sensor knows
PEER = re.compile(r"[0-9a-f.:/]{1,49}")  # an address, a network or a MAC address: the sensor reads it
WHY = re.compile(r"[\x20-\x7e]{1,64}")
ORDER = re.compile(r"[0-9a-f]{32}")
_SCOPE: Mapping[str, re.Pattern[str]] = {
    "finding": WORD, "severity": WORD, "why": WHY, "device": DEVICE, "role": ROLE, "peer": PEER, "protocol": WORD,
}  # fmt: skip
# Never without a time after which they are too late.
TIMED = frozenset({"record-headers", "restart", "quiesce", "suppress", "unsuppress"})
SIGNERS_MAX = 2
SIGNERS_MIN: Mapping[str, int] = {"record-headers": 2, "suppress": 1}  # who answers for it is told


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


def _label(args: Mapping[str, Any]) -> bool:
    """`device` and `label`; an empty one takes it away."""
    return set(args) == {"device", "label"} and _fits(DEVICE, args["device"]) and _fits(LABEL, args["label"])


def _recording(args: Mapping[str, Any]) -> bool:
    """`device` and `seconds`."""
    return (
        set(args) == {"device", "seconds"} and _fits(DEVICE, args["device"]) and _in(args["seconds"], 1, RECORD_S_MAX)
    )


def _quiet(args: Mapping[str, Any]) -> bool:
    return set(args) == {"seconds"} and _in(args["seconds"], QUIET_S_MIN, QUIET_S_MAX)


def _restart(args: Mapping[str, Any]) -> bool:
    return args == {"what": "sensor"}


def _suppress(args: Mapping[str, Any]) -> bool:
    """`finding`, `severity`, `hours`, `why`, one of `device` and `role`; `peer`, `protocol` and `port` where they are.

    How narrow it has to be, and that no control is switched off, is for the sensor, which knows the catalogue.
    """
    texts = {key: value for key, value in args.items() if key not in {"hours", "port"}}
    if not {"finding", "severity", "why"} <= set(texts) <= set(_SCOPE) or ("device" in texts) == ("role" in texts):
        return False
    numbers = _in(args.get("hours"), 1, HOURS_MAX) and _in(args.get("port", 1), 1, 65_535)
    return numbers and all(_fits(_SCOPE[key], value) for key, value in texts.items())


def _unsuppress(args: Mapping[str, Any]) -> bool:
    """`suppression`: the id of the command that made it."""
    return set(args) == {"suppression"} and _fits(ORDER, args["suppression"])


def _in(value: object, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _fits(form: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


REQUESTS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "cards": _no_arguments,  # all device cards again with the next summary (a collector that lost them, or a rebirth)
    "set-learning": _learning,  # start, freeze, reset or approve what is learned of a role or a device
    "change-window": _window,  # a time in which devices of a role may do new things
    "label-device": _label,  # what people call a device
    "record-headers": _recording,  # decoded header rows of one device into a file, for a minute at most
    "self-test": _no_arguments,
    "restart": _restart,
    "quiesce": _quiet,  # everything made durable, then no listening for a while
    "suppress": _suppress,  # a kind of finding that somebody has explained is held back for a while
    "unsuppress": _unsuppress,
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `id`, `boot`, `not_after_mono_ns` (0: no end) and `signers` are those of the command behind it."""

    id: bytes
    name: str
    args: dict[str, Any] = field(default_factory=dict)
    boot: bytes = b""
    not_after_mono_ns: int = 0
    signers: tuple[str, ...] = ()

    def late(self, boot: bytes, now_ns: int) -> str:
        """Why it may not be done any more: `wrong-boot` or `expired`; empty while it may."""
        if self.boot and self.boot != boot:
            return "wrong-boot"
        return "expired" if self.not_after_mono_ns and self.not_after_mono_ns <= now_ns else ""

    def valid(self) -> bool:
        """Whether the sensor would take it."""
        if len(self.id) != 16 or not isinstance(self.name, str) or self.name not in REQUESTS:
            return False
        if (
            not isinstance(self.args, dict)
            or len(self.boot) not in {0, 16}
            or not _in(self.not_after_mono_ns, 0, 1 << 63)
        ):
            return False
        timed = bool(self.boot and self.not_after_mono_ns)
        return REQUESTS[self.name](self.args) and (timed or self.name not in TIMED) and self._named()

    def _named(self) -> bool:
        """Whether who signed is told where it must be: different people, by their names in the trust table."""
        names = self.signers
        if not isinstance(names, tuple) or not SIGNERS_MIN.get(self.name, 0) <= len(set(names)) <= SIGNERS_MAX:
            return False
        return len(set(names)) == len(names) and all(isinstance(name, str) and valid_id(name) for name in names)


def submit(folder: Path, request: Request) -> None:
    """The uplink's side: durable when this returns. Refused `bad-arguments` or `busy`; OSError of the disk."""
    if not request.valid():
        raise Refused(f"no request {request.name!r} of that form", reason="bad-arguments")
    folder.mkdir(parents=True, exist_ok=True)
    if sum(1 for _ in folder.glob(f"*{SUFFIX}")) >= WAITING_MAX:
        raise Refused("the sensor does not take its requests", reason="busy")
    held = {"version": VERSION, "name": request.name, "args": request.args}
    held |= {"boot": request.boot.hex(), "not_after_mono_ns": request.not_after_mono_ns}
    held |= {"signers": list(request.signers)}
    write_atomically(folder / f"{request.id.hex()}{SUFFIX}", json.dumps(held).encode())


def withdraw(folder: Path, identity: bytes) -> bool:
    """The uplink's side: take a request back; whether it still lay there. After that the sensor cannot take it."""
    try:
        (folder / f"{identity.hex()}{SUFFIX}").unlink()
    except OSError:
        return False
    return True


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
        request = _request(identity, _content(path))
        removed = _remove(path)
        if identity in self._seen:
            return None
        if request is None or (request.name in TIMED and not removed):  # after a restart it would be done again
            self.refused += 1
            return None
        self._seen[identity] = None
        while len(self._seen) > SEEN_MAX:
            del self._seen[next(iter(self._seen))]
        return request


def _request(identity: bytes, content: dict[str, Any] | None) -> Request | None:
    """A request of the table, None for anything else."""
    if content is None:
        return None
    try:
        boot = bytes.fromhex(content.get("boot", ""))
        signers = content.get("signers", [])
        request = Request(
            identity, content.get("name", ""), content.get("args", {}), boot, content.get("not_after_mono_ns", 0),
            tuple(signers) if isinstance(signers, list) else ("",),
        )  # fmt: skip
        return request if request.valid() else None
    except (TypeError, ValueError):
        return None


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


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
