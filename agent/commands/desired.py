"""Desired configuration: signed by people, taken whole or not at all, in force from the next start of both programs.

Two files: the floor (version and hash, written first) and the configuration itself. The version only rises, also when
an older release runs again, since neither file belongs to a release. What is fixed on the appliance - its names, its
legs, its places, its broker - cannot be changed from afar: a leg that install.sh has not silenced must never be
listened to.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from agent import config as configuration
from agent.config import Config
from agent.durable import write_atomically
from agent.errors import ConfigError, Refused, StateError

FILE_NAME, FLOOR_NAME, TOLD_NAME = "config.json", "config.floor.json", "config.told"
ID_OCTETS = 16
TEXT_OCTETS_MAX = 48 * 1024  # wire.authority.CONFIG
FILE_BYTES_MAX = 6 * TEXT_OCTETS_MAX + 1024  # JSON may spell a character in six octets
WHERE = "desired configuration"
# What only the person at the appliance may change: section -> keys.
FIXED: dict[str, tuple[str, ...]] = {
    "site": ("site", "agent"),
    "tap": ("legs", "backend"),
    "findings": ("contracts",),
    "uplink": ("broker", "ca", "certificate", "key"),
    "state": ("directory",),
}


class Version(NamedTuple):
    """Which text; `sha256` is of the text's octets."""

    number: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """A configuration that was taken; `id` is that of its receipts."""

    id: bytes
    version: Version
    text: str


def text_hash(text: str) -> bytes:
    """What is compared and reported."""
    return sha256(text.encode()).digest()


def validated(text: str, present: Config) -> Config:
    """The whole configuration; ConfigError when it is none, Refused `fixed` when it changes what is fixed here."""
    wanted = configuration.parse(text, WHERE)
    ours, theirs = present.tables(), wanted.tables()
    changed = [f"{section}.{key}" for section, keys in FIXED.items() for key in keys
               if ours[section][key] != theirs[section][key]]  # fmt: skip
    if changed:
        raise Refused(f"{', '.join(changed)} can be changed on the appliance only", reason="fixed")
    return wanted


class Shelf:
    """The two files in the uplink's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def held(self) -> Held | None:
        """What was taken last; StateError when the file is damaged."""
        found = self._read(FILE_NAME)
        if found is None:
            return None
        text = found.get("text")
        if not isinstance(text, str):
            raise StateError("is damaged", where=str(self._folder / FILE_NAME))
        version = _version(found, self._folder / FILE_NAME)
        if version.sha256 != text_hash(text):
            raise StateError("is damaged", where=str(self._folder / FILE_NAME))
        return Held(_id(found, self._folder / FILE_NAME), version, text)

    def untold(self) -> Held | None:
        """What was taken and not yet reported as in force; None also when the file is damaged."""
        told = b""
        try:
            held = self.held()
            if (self._folder / TOLD_NAME).exists():
                told = (self._folder / TOLD_NAME).read_bytes()[:ID_OCTETS]
        except (StateError, OSError):
            return None
        return held if held is not None and held.id != told else None

    def tell(self, identity: bytes) -> None:
        """It is reported; OSError when that cannot be kept."""
        write_atomically(self._folder / TOLD_NAME, identity)

    def floor(self) -> Version:
        """The newest version that was ever taken; StateError when that is not known any more."""
        found = self._read(FLOOR_NAME)
        return _version(found, self._folder / FLOOR_NAME) if found is not None else Version(0, b"")

    def check(self, version: Version) -> bool:
        """Whether it is news; Refused `rollback` or `equivocation` for one that must not be taken."""
        floor = self.floor()
        if version.number < floor.number:
            raise Refused(f"version {version.number}, {floor.number} was in force", reason="rollback")
        if version.number > floor.number:
            return True
        if version.sha256 != floor.sha256:
            raise Refused(f"another text with version {version.number}", reason="equivocation")
        try:
            held = self.held()
        except StateError:
            return True
        return held is None or held.version != version  # the power went between floor and file

    def put(self, held: Held) -> None:
        """Durable when this returns; OSError otherwise, and what was in force stays."""
        row: dict[str, Any] = {"version": held.version.number, "sha256": held.version.sha256.hex()}
        write_atomically(self._folder / FLOOR_NAME, json.dumps(row).encode())
        row |= {"text": held.text, "id": held.id.hex()}
        write_atomically(self._folder / FILE_NAME, json.dumps(row).encode())

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self._folder / name
        try:
            with path.open("rb") as file:
                found = json.loads(file.read(FILE_BYTES_MAX))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise StateError("cannot be used", where=str(path)) from error
        if not isinstance(found, dict):
            raise StateError("is damaged", where=str(path))
        return found


def _version(found: dict[str, Any], path: Path) -> Version:
    number, digest = found.get("version"), found.get("sha256")
    if type(number) is not int or number < 1 or not isinstance(digest, str):
        raise StateError("is damaged", where=str(path))
    try:
        return Version(number, bytes.fromhex(digest))
    except ValueError as error:
        raise StateError("is damaged", where=str(path)) from error


def _id(found: dict[str, Any], path: Path) -> bytes:
    try:
        identity = bytes.fromhex(found["id"])
    except (KeyError, TypeError, ValueError) as error:
        raise StateError("is damaged", where=str(path)) from error
    if len(identity) != ID_OCTETS:
        raise StateError("is damaged", where=str(path))
    return identity


def effective(present: Config, state: Path) -> tuple[Config, str]:
    """What a program runs with, and why not the desired one: it is looked at again by whoever uses it."""
    try:
        held = Shelf(state / "uplink").held()
        return (validated(held.text, present), "") if held else (present, "")
    except (StateError, ConfigError, Refused) as error:
        return present, str(error)
