"""Packs: folders of data - makers, signals, contracts, advisories - that somebody vouches for.

A pack is a folder with its files and one sealed `pack.v1` beside them that says name, serial, and of each file size and
SHA-256. Two of the release keys sign what is for every site; an engineer or a custodian signs what is for their own.
What is handed on are the octets that were verified, never the file read again: a folder may change under the reader.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agent.errors import InputError, Refused
from agent.signing.envelope import Opened, open_envelope, seal
from agent.signing.files import read_regular
from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust
from agent.wire import body as wire_body
from agent.wire.authority import PACK_FILE_NAME, PACK_FILES_MAX
from agent.wire.schema import I64_MAX
from agent.wire.types import RULES, MessageType, Role

SEAL_NAME = "pack.sealed"
FILE_MAX_BYTES = 8 << 20  # the IEEE registry takes one and a half
PACK_MAX_BYTES = 32 << 20
RELEASE_SIGNERS_MIN = 2  # of three: one stolen release key must not decide what every ward believes


class Pack(NamedTuple):
    """A verified pack: what it says of itself, and the octets of its files."""

    name: str
    site: str
    serial: int
    signers: tuple[str, ...]
    files: Mapping[str, bytes]
    sealed: bytes


def read_files(folder: Path) -> dict[str, bytes]:
    """The files of a pack by name. InputError for a name that is none, for too many and for too large ones."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if not path.is_dir() and path != folder / SEAL_NAME):
        name = path.relative_to(folder).as_posix()
        if not PACK_FILE_NAME.fullmatch(name):
            todo = "names are a-z, 0-9 and -, in at most one folder, and end in .toml or .bin"
            raise InputError(f"{name!r} is no name of a pack's file", where=str(folder), todo=todo)
        found[name] = read_regular(path, FILE_MAX_BYTES, follow=False)[0]
    if not 1 <= len(found) <= PACK_FILES_MAX or sum(map(len, found.values())) > PACK_MAX_BYTES:
        raise InputError(f"a pack has 1 to {PACK_FILES_MAX} files of at most 32 MiB in all", where=str(folder))
    return found


def seal_pack(
    files: Mapping[str, bytes], keys: Sequence[PrivateKey], *, name: str, site: str, serial: int,
    not_after_ns: int = I64_MAX,
) -> bytes:  # fmt: skip
    """The sealed `pack.v1` of these files; WireError for a name, site or serial that is none."""
    listed = [[file, len(octets), hashlib.sha256(octets).digest()] for file, octets in sorted(files.items())]
    content = {"name": name, "site": site, "serial": serial, "not_after_ns": not_after_ns, "files": listed}
    return seal(MessageType.PACK, wire_body.encode(MessageType.PACK, None, content), keys)


def open_pack(folder: Path, trust: Trust, *, now_ns: int | None = None, serial_min: int = 0) -> Pack:
    """The pack in a folder, every octet of it vouched for.

    Refused: the reasons of `open_envelope` and `wire.body.decode`, `not-allowed`, `wrong-site`, `expired-pack`,
    `rollback`, `bad-pack` (a file is missing, another, or too many). StateError when a file cannot be read.
    """
    sealed, _ = read_regular(folder / SEAL_NAME, RULES[MessageType.PACK].sealed_bytes_max, follow=False)
    try:
        opened = open_envelope(sealed, trust, now_ns=now_ns, expect=(MessageType.PACK,))
        _, content = wire_body.decode(MessageType.PACK, opened.body)
        _require_right(opened, content["site"])
        _require_current(content, now_ns, serial_min)
        files = _verified(folder, content["files"])
    except Refused as error:
        error.where = error.where or str(folder)
        raise
    names = tuple(entry.name for entry in opened.signers)
    return Pack(content["name"], content["site"], content["serial"], names, files, sealed)


def _require_right(opened: Opened, site: str) -> None:
    """Release keys speak for every site, two at once; people for their own."""
    roles = {entry.role for entry in opened.signers}
    if Role.RELEASE in roles and (roles != {Role.RELEASE} or len(opened.signers) < RELEASE_SIGNERS_MIN):
        raise Refused(f"a pack of the release keys has {RELEASE_SIGNERS_MIN} of them", reason="not-allowed")
    if Role.RELEASE not in roles and any(entry.site != site for entry in opened.signers):
        raise Refused(f"signed by {opened.signer.name} of {opened.signer.site}, for {site}", reason="wrong-site")


def _require_current(content: Mapping[str, Any], now_ns: int | None, serial_min: int) -> None:
    if now_ns is not None and now_ns > content["not_after_ns"]:
        raise Refused("the pack is no longer valid", reason="expired-pack")
    if content["serial"] < serial_min:
        raise Refused(f"serial {content['serial']}, at least {serial_min} was in use", reason="rollback")


def _verified(folder: Path, listed: Sequence[Sequence[object]]) -> dict[str, bytes]:
    """The files that are listed, as they were when they were signed, and no others."""
    try:
        found = read_files(folder)
    except InputError as error:
        raise Refused(error.what, reason="bad-pack") from error
    wanted = {str(name): (size, digest) for name, size, digest in listed}
    if len(wanted) != len(listed) or set(wanted) != set(found):
        odd = sorted(set(wanted) ^ set(found))
        raise Refused(f"other files than were signed: {', '.join(odd[:5])}", reason="bad-pack")
    for name, octets in found.items():
        if wanted[name] != (len(octets), hashlib.sha256(octets).digest()):
            raise Refused(f"{name} is not as it was signed", reason="bad-pack")
    return found
