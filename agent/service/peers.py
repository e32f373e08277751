"""Whom each device deals with, over a restart: `findings/peers.py` as a file (`checked_file`).

    wardtap-peers 1 <SHA-256 of the rest, hexadecimal>
    {"salt": hexadecimal, "servers": [[MAC, port, high, low, since], ...], "titles": [[MAC, [digest, ...]], ...],
     "receivers": [[MAC, [[high, low], ...]], ...], "senders": [[digest, [MAC, ...]], ...], "settled": true,
     "cards": [[MAC, heard_s], ...], "visitors": [day, today, told, days before, ...]}

Titles and names stand in it as digests under the salt. It lies in `sensor/peers` of the state folder. A damaged file is
put aside (`peers.damaged`), said and counted, and peers are learned anew.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from agent.devices.checked_file import Form, read_octets, seal, unseal
from agent.errors import StateError
from agent.findings.peers import (
    CARDS_MAX,
    DAYS_KEPT,
    HOSTS_MAX,
    HOSTS_OF_A_NAME_MAX,
    NAMES_MAX,
    RECEIVERS_OF_ONE_MAX,
    SALT_OCTETS,
    SENDERS_MAX,
    SERVERS_MAX,
    TITLES_OF_ONE_MAX,
    Kept,
    Peers,
)
from agent.service.saver import KeptFile, SaveThread, Say

SAVE_EVERY_S: Final = 300  # a power cut costs who was first met in five minutes
NAME: Final = "peers"
VERSION: Final = 1
FILE_BYTES_MAX: Final = 4 << 20  # as full as it can be, with the longest numbers there are: 3.7 MB
FORM: Final = Form("wardtap-peers", VERSION, "a memory of peers", FILE_BYTES_MAX)
MAC_BITS, PORT_BITS, HALF_BITS, TIME_BITS = 64, 16, 64, 63  # what stands for a MAC where there is none has the 64th bit
DAY_BITS, VISITORS_FIRST = 32, 3  # of the count of days; what stands before the days
T = TypeVar("T")


def peers_path(state: Path) -> Path:
    """Where they lie."""
    return state / "sensor" / NAME


def encode(peers: Peers) -> bytes:
    """The file's content: the same peers give the same octets."""
    kept = peers.kept()
    return seal(FORM, kept._asdict() | {"salt": kept.salt.hex()})


def decode(raw: bytes) -> Kept:
    """What `encode` wrote. StateError, with the reason, for anything else."""
    content = unseal(FORM, raw)
    try:
        return Kept(
            salt=_salt(content["salt"]),
            settled=_flag(content["settled"]),
            cards=_rows(content["cards"], CARDS_MAX, _card),
            servers=_rows(content["servers"], SERVERS_MAX, _server),
            titles=_rows(content["titles"], HOSTS_MAX, lambda row: _of(row, TITLES_OF_ONE_MAX, _half)),
            receivers=_rows(content["receivers"], SENDERS_MAX, lambda row: _of(row, RECEIVERS_OF_ONE_MAX, _address)),
            senders=_rows(content["senders"], NAMES_MAX, lambda row: _of(row, HOSTS_OF_A_NAME_MAX, _half)),
            visitors=_visitors(content["visitors"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StateError(f"the memory of peers is damaged: {type(error).__name__}") from error


def _rows(found: Any, most: int, one: Callable[[Any], T]) -> tuple[T, ...]:
    if type(found) is not list or len(found) > most:
        raise ValueError("no list, or more than there are")
    return tuple(one(row) for row in found)


def _number(value: Any, bits: int) -> int:
    if type(value) is not int or value < 0 or value >> bits:
        raise ValueError("no such number")
    return value


def _half(value: Any) -> int:
    return _number(value, HALF_BITS)


def _address(row: Any) -> tuple[int, int]:
    hi, lo = row
    return _half(hi), _half(lo)


def _server(row: Any) -> tuple[int, int, int, int, int]:
    mac, port, hi, lo, since_ns = row
    return _number(mac, MAC_BITS), _number(port, PORT_BITS), _half(hi), _half(lo), _number(since_ns, TIME_BITS)


def _of(row: Any, most: int, one: Callable[[Any], T]) -> tuple[int, tuple[T, ...]]:
    owner, held = row
    return _half(owner), _rows(held, most, one)


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("neither true nor false")
    return value


def _card(row: Any) -> tuple[int, int]:
    mac, heard_s = row
    return _half(mac), _number(heard_s, TIME_BITS)


def _visitors(row: Any) -> tuple[int, ...]:
    day, today, told, *days = _rows(row, VISITORS_FIRST + DAYS_KEPT, _half)
    return _number(day, DAY_BITS), _number(today, TIME_BITS), _number(told, 1), *days


def _salt(text: Any) -> bytes:
    salt = bytes.fromhex(text)
    if len(salt) != SALT_OCTETS:
        raise ValueError("no salt")
    return salt


def read(path: Path) -> Kept | None:
    """What the file holds; None where there is no file. StateError when it is damaged or cannot be read."""
    raw = read_octets(FORM, path)
    try:
        return None if raw is None else decode(raw)
    except StateError as error:
        raise StateError(str(error), where=str(path)) from error


class PeersKeeper:
    """Reads them once, and saves them now and then on a thread of its own."""

    def __init__(self, path: Path, say: Say, shared: SaveThread | None = None) -> None:
        self._file = KeptFile(path, say, shared, SAVE_EVERY_S)
        self._read = self._file.read(read, None, "who deals with whom is learned anew")

    def begin(self, peers: Peers, now_s: int) -> None:
        """They go on as they were."""
        if self._read is not None:
            peers.resume(self._read, now_s)
        self._read = None

    def look(self, peers: Peers, now_s: int) -> None:
        """Once a second: save what is due."""
        if self._file.is_due(now_s, changed=peers.changed):
            self._save(peers)

    def _save(self, peers: Peers) -> None:
        peers.changed = False
        self._file.save(encode(peers))

    def close(self, peers: Peers) -> None:
        """Save for the last time."""
        self._save(peers)
        self._file.close()

    def health(self) -> dict[str, int | str]:
        """For summaries."""
        return {"peers_damaged": self._file.damaged, "peers_save_errors": self._file.failed}
