"""The sensor's status file: what it says once a second to the person who stands at the tap. Its form and its place.

Numbers and words of our own packs; no name, no address but the MAC addresses that summaries send too. It is read as
strictly as if a stranger had written it: unknown keys, other types, too many rows make it unusable, and every text is
cut and printable.
"""

import json
import os
import stat
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_origin

from agent.errors import InputError
from agent.visible import visible

VERSION = 1
FILE = "status.json"
FILE_BYTES_MAX = 1 << 15  # four legs and TALKERS_MAX talkers take 5 KiB
ROWS_MAX = 16
TEXT_MAX = 80
WHOLE_MAX = 1 << 63
TALKERS_MAX = 10
OLD_S = 5  # it is written every second; a burst of 4096 frames takes milliseconds
RUNTIME = Path("/run/wardtap-sensor")  # RuntimeDirectory= of wardtap-sensor.service: memory, no card wears out
STATE = Path("/var/lib/wardtap")
LISTENING, ENDED = "listening", "ended"


class LegStatus(NamedTuple):
    """One leg, since takeover; rates over the last second or so."""

    name: str
    fault: str  # why it hears nothing; empty when it hears
    frames: int
    octets: int
    dropped: int
    frozen: int
    tx_packets: int
    nic_errors: int
    waiting: int  # in the ring, not read yet
    blind_ms: int
    silent_s: int  # since its last frame; -1 when there was none
    frames_per_s: int
    octets_per_s: int
    dropped_per_s: int


class Talker(NamedTuple):
    """A device of the busiest of the last seconds."""

    mac: str
    role: str
    vendor: str
    octets_per_s: int  # sent and received


class BoardStatus(NamedTuple):
    """The sensor's process and the board under it."""

    memory_bytes: int = 0
    cpu_permille: int = 0  # of one core
    temperature_mc: int | None = None  # thousandths of a degree Celsius; None where nothing says it
    throttle: int | None = None  # board.Throttle bits
    status_failed: int = 0  # writings of this file that the disk refused
    status_skipped: int = 0  # seconds that were not written, because the one before was still being written


class SpoolStatus(NamedTuple):
    """The spool."""

    used_bytes: int
    limit_bytes: int
    pending_bytes: int  # in memory, not durable yet
    not_sent: int  # records that will never be sent
    write_errors: int


class Status(NamedTuple):
    """Everything of one second."""

    version: int
    state: str
    boot: str  # monotonic times of another boot mean nothing
    pid: int
    agent: str
    site: str
    software: str
    wall_ns: int
    mono_ns: int
    started_ns: int  # monotonic
    interval_s: int
    interval_age_s: int
    devices: int
    findings: int
    summaries: int
    flows_open: int
    flows_slots: int
    workers: int
    flows_exported: int
    flows_evicted: int
    tcp_flows: int  # open TCP biflows that were looked at
    tcp_both: int  # of those, with packets both ways
    tcp_one: int  # of those, with several packets and none back
    ignored: int
    duplicates: int
    hints_skipped: int
    legs: tuple[LegStatus, ...]
    talkers: tuple[Talker, ...]
    spool: SpoolStatus
    board: BoardStatus = BoardStatus()

    def to_json(self) -> bytes:
        """One line of at most FILE_BYTES_MAX octets."""
        told: dict[str, Any] = self._asdict() | {
            "legs": [leg._asdict() for leg in self.legs],
            "talkers": [talker._asdict() for talker in self.talkers],
            "spool": self.spool._asdict(),
            "board": self.board._asdict(),
        }
        return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def status_file(state: Path, environment: dict[str, str] | None = None) -> Path:
    """Where a sensor writes: the service manager's folder in memory, or its own in the state directory."""
    runtime = (os.environ if environment is None else environment).get("RUNTIME_DIRECTORY", "")
    folder = Path(runtime.partition(":")[0]) if runtime else state / "sensor"
    return folder / FILE


def places(state: Path | None) -> tuple[Path, ...]:
    """Where to look for it: of the installed sensor in both folders, else in the state directory that was named."""
    at_home = (state or STATE) / "sensor" / FILE
    return (at_home,) if state not in {None, STATE} else (RUNTIME / FILE, at_home)


def load(paths: tuple[Path, ...]) -> tuple[Status, Path] | None:
    """The newest of those that are there; None when there is none. InputError when it is unusable."""
    there = sorted(((path.stat().st_mtime_ns, path) for path in paths if _is_there(path)), reverse=True)
    if not there:
        return None
    path = there[0][1]
    return parse(_content(path), str(path)), path


def _is_there(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except PermissionError as error:
        raise InputError("cannot be read: permission denied", where=str(path), todo="use sudo") from error
    except OSError:
        return False


def _content(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            return file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        todo = "use sudo" if isinstance(error, PermissionError) else ""
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), todo=todo) from error


def parse(raw: bytes, where: str = "status") -> Status:
    """A status from its JSON; InputError for anything else."""
    try:
        held = json.loads(raw) if len(raw) <= FILE_BYTES_MAX else None
        if not isinstance(held, dict) or held.get("version") != VERSION:
            raise InputError("is no status of this release", where=where)
        status: Status = _row(Status, held)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError("is no status file", where=where) from error
    return status


def _row(kind: Any, held: Any) -> Any:
    """A named tuple from an object with exactly its keys."""
    if not isinstance(held, dict) or held.keys() != kind.__annotations__.keys():
        raise TypeError(kind.__name__)
    return kind(**{name: _value(form, held[name]) for name, form in kind.__annotations__.items()})


def _value(form: Any, value: Any) -> Any:
    if get_origin(form) is tuple:
        if not isinstance(value, list) or len(value) > ROWS_MAX:
            raise TypeError("rows")
        return tuple(_row(get_args(form)[0], one) for one in value)
    if hasattr(form, "_fields"):
        return _row(form, value)
    if form is str and isinstance(value, str):
        return visible(value, TEXT_MAX)
    if form == int | None and value is None:
        return None
    if form in {int, int | None} and type(value) is int and -WHOLE_MAX <= value < WHOLE_MAX:
        return value
    raise TypeError(str(form))
