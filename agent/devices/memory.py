"""What of identity outlives a restart: by card, the role, how sure it was, and the facts behind it as pack words.

No name, no number and no text from the wire is in it: a fact is its kind and its token, and what it weighs is looked up
anew. Kept as a file (`checked_file`):

    wardtap-identity 1 <SHA-256 of the rest, hexadecimal>
    {"devices": {"00d07518429b": [heard_s, role, permille, gateway, [[kind, token], ...]], ...}}

A drawn address is not kept: its phone draws another. What this release's packs do not say any more is left out.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from agent.devices.checked_file import Form, read_octets, seal, unseal
from agent.devices.roles import ROLES, UNKNOWN
from agent.errors import StateError

VERSION: Final = 1
MAGIC: Final = "wardtap-identity"
FILE_BYTES_MAX: Final = 16 << 20  # 4,096 devices with 64 facts each
FORM: Final = Form(MAGIC, VERSION, "a memory of devices", FILE_BYTES_MAX)
DEVICES_MAX: Final = 4096  # as many as the device table has slots
FACTS_MAX: Final = 64  # of one device
WORD_MAX_CHARS: Final = 96
KEPT_S: Final = 30 * 24 * 3600  # since it was heard: a pump may lie in a cupboard for weeks
PERMILLE: Final = 1000
_MAC_MAX: Final = 1 << 48


class Remembered(NamedTuple):
    """One device. `facts`: kind of signal and token, in the order heard; `heard_s` since 1970."""

    mac: int
    heard_s: int
    role: str
    confidence: float
    is_gateway: bool
    facts: tuple[tuple[str, str], ...]


def encode(devices: Iterable[Remembered]) -> bytes:
    """The file's content: the same devices give the same octets."""
    held = {
        f"{one.mac:012x}": [one.heard_s, one.role, round(one.confidence * PERMILLE), one.is_gateway, one.facts]
        for one in devices
    }
    return seal(FORM, {"devices": held})


def decode(raw: bytes) -> list[Remembered]:
    """What `encode` wrote. StateError, with the reason, for anything else."""
    content = unseal(FORM, raw)
    try:
        return [_device(mac, *row) for mac, row in list(content["devices"].items())[:DEVICES_MAX]]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StateError(f"the memory of devices is damaged: {type(error).__name__}") from error


def _device(mac: str, heard_s: Any, role: Any, permille: Any, is_gateway: Any, facts: Any) -> Remembered:
    number = int(mac, 16)
    if not 0 < number < _MAC_MAX or not 0 <= int(permille) <= PERMILLE:
        raise ValueError(mac)
    words = tuple((_word(kind), _word(token)) for kind, token in facts[:FACTS_MAX])
    known = role if role in ROLES else UNKNOWN  # of a release with other roles
    return Remembered(number, int(heard_s), known, int(permille) / PERMILLE, bool(is_gateway), words)


def _word(text: Any) -> str:
    if not isinstance(text, str) or not 0 < len(text) <= WORD_MAX_CHARS:
        raise ValueError("no word")
    return text


def read(path: Path) -> list[Remembered]:
    """The file's devices; none where there is no file. StateError when it is damaged or cannot be read."""
    raw = read_octets(FORM, path)
    if raw is None:
        return []
    try:
        return decode(raw)
    except StateError as error:
        raise StateError(str(error), where=str(path)) from error
