"""Releases: what runs on an appliance, listed and signed by two of the three release keys.

`release.sealed` in a release's folder holds a `release.v1`: version, serial, and size and SHA-256 of every file that
the release is made of. What an appliance adds when it lays one (its Python environment, compiled kernels) is not in it;
the appliance's own manifest is. Nothing of a release is used before all of that is as it was signed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agent.errors import InputError, Refused, StateError
from agent.signing.envelope import open_envelope, seal
from agent.signing.files import read_regular
from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust
from agent.wire import body as wire_body
from agent.wire.schema import I64_MAX
from agent.wire.types import RULES, MessageType

INDEX_NAME = "release.sealed"
FOLDERS = ("agent", "firmware_config")
FILES = ("install.sh", "LICENSE")
COMPILED = "__pycache__"  # made where the release is laid
FILE_BYTES_MAX = 16 << 20
FILES_MAX = 1024

Listed = dict[str, tuple[int, bytes]]  # path -> octets and SHA-256


class Release(NamedTuple):
    """What a verified index says. `floor`: the lowest serial that may run once this release does."""

    version: str
    serial: int
    floor: int
    signers: tuple[str, ...]
    files: Mapping[str, tuple[int, bytes]]


def list_files(folder: Path) -> Listed:
    """The files of a release that lies there. InputError when it is none; StateError for one that cannot be read."""
    paths = [folder / name for name in FILES]
    for part in FOLDERS:
        paths += [path for path in (folder / part).rglob("*") if COMPILED not in path.parts and not path.is_dir()]
    if not all((folder / name).exists() for name in (*FILES, *FOLDERS)) or len(paths) > FILES_MAX:
        raise InputError(f"no release: {', '.join((*FOLDERS, *FILES))}, {FILES_MAX} files at most", where=str(folder))
    found: Listed = {}
    for path in sorted(paths):
        octets, _ = read_regular(path, FILE_BYTES_MAX, follow=False)
        found[path.relative_to(folder).as_posix()] = (len(octets), hashlib.sha256(octets).digest())
    return found


def seal_release(
    files: Listed, keys: Sequence[PrivateKey], *, version: str, serial: int, floor: int = 0, not_after_ns: int = I64_MAX
) -> bytes:
    """The sealed index of these files; one key makes a draft, which `envelope.add_signature` completes. WireError."""
    listed = [[path, octets, digest] for path, (octets, digest) in sorted(files.items())]
    content = {"version": version, "serial": serial, "floor": floor, "not_after_ns": not_after_ns, "files": listed}
    return seal(MessageType.RELEASE, wire_body.encode(MessageType.RELEASE, None, content), keys)


def open_index(folder: Path, root: Trust, *, now_ns: int | None = None, serial_min: int = 0) -> Release:
    """The index of the release in a folder; its files are not looked at yet.

    Refused: the reasons of `open_envelope` and `wire.body.decode`, `rollback`, `expired-release`. StateError when there
    is none.
    """
    sealed, _ = read_regular(folder / INDEX_NAME, RULES[MessageType.RELEASE].sealed_bytes_max, follow=False)
    try:
        opened = open_envelope(sealed, root, expect=(MessageType.RELEASE,))
        content: dict[str, Any] = wire_body.decode(MessageType.RELEASE, opened.body)[1]
        _require_current(content, now_ns, serial_min)
    except Refused as error:
        error.where = error.where or str(folder)
        raise
    files = {path: (octets, digest) for path, octets, digest in content["files"]}
    names = tuple(entry.name for entry in opened.signers)
    return Release(content["version"], content["serial"], content["floor"], names, files)


def _require_current(content: Mapping[str, Any], now_ns: int | None, serial_min: int) -> None:
    if content["serial"] < serial_min:
        raise Refused(f"serial {content['serial']}, at least {serial_min} may run", reason="rollback")
    if now_ns is not None and now_ns > content["not_after_ns"]:
        raise Refused("the release is no longer valid", reason="expired-release")


def require_files(folder: Path, release: Release) -> None:
    """Refused `bad-release` unless the folder's files are those that were signed, and no others."""
    try:
        found = list_files(folder)
    except (InputError, StateError) as error:
        raise Refused(str(error), reason="bad-release") from error
    odd = sorted(path for path in {*found, *release.files} if found.get(path) != release.files.get(path))
    if odd:
        raise Refused(f"not as it was signed: {', '.join(odd[:5])}", reason="bad-release", where=str(folder))
