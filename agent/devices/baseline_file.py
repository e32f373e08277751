"""The baseline as a file (`checked_file`): damaged files are refused whole.

    wardtap-baseline 1 <SHA-256 of the rest, hexadecimal>
    {"devices": {...}, "pools": {...}, "windows": [...]}

Roles and peers stand in it by name, so that a release with another role list reads it; what it does not know is left
out.
"""

from pathlib import Path
from typing import Any, Final, NamedTuple

from agent.devices.baseline import (
    DEVICES_A_KEY_MAX,
    DEVICES_MAX,
    KEYS_A_ROLE_MAX,
    PEER_BIT,
    ROLE_BIT,
    Baseline,
    Kind,
    Phase,
    Pool,
)
from agent.devices.checked_file import Form, read_octets, seal, unseal
from agent.devices.records import Scope
from agent.errors import StateError

VERSION: Final = 1
MAGIC: Final = "wardtap-baseline"
FILE_BYTES_MAX: Final = 16 << 20  # 30 roles of 1,024 kinds with eight devices each
FORM: Final = Form(MAGIC, VERSION, "a baseline", FILE_BYTES_MAX)
WINDOWS_MAX: Final = 64
_SCOPES = tuple(scope.name.lower() for scope in Scope)


class Window(NamedTuple):
    """A declared time of change; a role, or `*` for all."""

    role: str
    start_ns: int
    end_ns: int


def encode(baseline: Baseline, windows: tuple[Window, ...] = ()) -> bytes:
    """The file's content: the same baseline gives the same octets."""
    content = {
        "devices": {f"{mac:012x}": [phase.value, until] for mac, (phase, until) in baseline.devices.items()},
        "pools": {baseline.roles[number]: _pool(baseline, pool) for number, pool in sorted(baseline.pools.items())},
        "windows": [list(window) for window in windows],
    }
    return seal(FORM, content)


def _pool(baseline: Baseline, pool: Pool) -> dict[str, Any]:
    kinds = [
        [
            key & 0xFFFF,
            key >> 16 & 0xFF,
            key >> 24 & 1,
            _peer_name(baseline, key >> PEER_BIT & 0xFF),
            kind.count,
            kind.last_hour,
            kind.approved,
            {f"{mac:012x}": hour for mac, hour in kind.devices.items()},
        ]
        for key, kind in pool.kinds.items()
    ]
    return {
        "phase": pool.phase.value,
        "observations": pool.observations,
        "heard_ns": pool.heard_ns,
        "aged": pool.aged,
        "kinds": kinds,
    }


def _peer_name(baseline: Baseline, number: int) -> str:
    return _SCOPES[number] if number < len(_SCOPES) else baseline.roles[number - len(_SCOPES)]


def decode(raw: bytes, roles: tuple[str, ...]) -> tuple[Baseline, tuple[Window, ...]]:
    """What `encode` wrote. StateError for anything else: half a baseline would call usual things new."""
    content = unseal(FORM, raw)
    try:
        baseline = Baseline(roles)
        for name, held in content["pools"].items():
            if name in roles:
                _read_pool(baseline, roles.index(name), held)
        for mac, (phase, until) in list(content["devices"].items())[:DEVICES_MAX]:
            baseline.devices[int(mac, 16)] = (Phase(phase), int(until))
        windows = tuple(Window(str(r), int(a), int(b)) for r, a, b in content["windows"][:WINDOWS_MAX])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StateError(f"the baseline is damaged: {type(error).__name__}") from error
    return baseline, windows


def _read_pool(baseline: Baseline, number: int, held: dict[str, Any]) -> None:
    pool = Pool(Phase(held["phase"]), int(held["observations"]), int(held["heard_ns"]), int(held["aged"]))
    for port, protocol, direction, peer, count, hour, approved, devices in held["kinds"][:KEYS_A_ROLE_MAX]:
        known = _SCOPES.index(peer) if peer in _SCOPES else _role_number(baseline.roles, peer)
        if known is None:
            continue
        key = int(port) & 0xFFFF | (int(protocol) & 0xFF) << 16 | (int(direction) & 1) << 24
        key |= known << PEER_BIT | number << ROLE_BIT
        macs = {int(mac, 16): int(when) for mac, when in list(devices.items())[:DEVICES_A_KEY_MAX]}
        pool.kinds[key] = Kind(int(count), int(hour), min(int(approved), 2), macs)
        for mac in macs:
            pool.macs[mac] = pool.macs.get(mac, 0) + 1
    baseline.pools[number] = pool


def _role_number(roles: tuple[str, ...], name: str) -> int | None:
    return len(_SCOPES) + roles.index(name) if name in roles else None


def read(path: Path, roles: tuple[str, ...]) -> tuple[Baseline, tuple[Window, ...]]:
    """The file's baseline, or an empty one where there is no file. StateError when it is damaged or cannot be read."""
    raw = read_octets(FORM, path)
    if raw is None:
        return Baseline(roles), ()
    try:
        return decode(raw, roles)
    except StateError as error:
        raise StateError(str(error), where=str(path)) from error
