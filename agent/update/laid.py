"""Releases as they lie on an appliance: which one runs, which may, and the floor below which none may any more.

    releases/NAME/   each whole under its name; manifest.sha256 is written last
    current          the one that runs
    trust-root.json  the release keys, put here by root from the kit: what the uplink has is not asked
    floor.json       the lowest serial that may run; it rises when a release has come up, never before

Only root writes there. The uplink looks before it asks; the updater looks again and believes nothing of the request.
"""

import json
import re
from pathlib import Path

from agent.durable import write_atomically
from agent.errors import Refused, StateError
from agent.signing.files import read_regular
from agent.signing.releases import Release, open_index, require_files
from agent.signing.roster import Trust
from agent.update.place import MANIFEST_NAME

FLOOR_NAME = "floor.json"
RELEASE_NAME = re.compile(r"[A-Za-z0-9+][A-Za-z0-9.+-]{0,63}")
_BYTES_MAX = 256


def read_floor(opt: Path) -> int:
    """The lowest serial that may run; 0 before the first signed release. StateError for a damaged file."""
    if not (opt / FLOOR_NAME).exists():
        return 0
    try:
        floor = json.loads(read_regular(opt / FLOOR_NAME, _BYTES_MAX, follow=False)[0])["floor"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StateError("is damaged", where=str(opt / FLOOR_NAME)) from error
    if type(floor) is not int or floor < 0:
        raise StateError("is damaged", where=str(opt / FLOOR_NAME))
    return floor


def look(opt: Path, name: str, root: Trust, told_ns: int) -> Release:
    """The index of a laid release, when it may run: signed, not below the floor, not over.

    `told_ns`: the newest time that somebody vouched for; a clock that nobody vouched for makes no release too old.
    Refused `bad-name`, `not-laid`, and as by `open_index`; StateError for a damaged floor.
    """
    if not RELEASE_NAME.fullmatch(name):
        raise Refused("that is no name of a release", reason="bad-name")
    folder = opt / "releases" / name
    if not (folder / MANIFEST_NAME).is_file():
        raise Refused(f"release {name} does not lie here", reason="not-laid")
    floor = read_floor(opt)
    try:
        return open_index(folder, root, now_ns=told_ns, serial_min=floor)
    except StateError as error:
        raise Refused(str(error), reason="not-signed") from error


def require(opt: Path, name: str, root: Trust, told_ns: int) -> Release:
    """As `look`, and every file is as it was signed."""
    release = look(opt, name, root, told_ns)
    require_files(opt / "releases" / name, release)
    return release


def raise_floor(opt: Path, release: Release) -> int:
    """A release has come up: from now on none below its floor may run. OSError when that cannot be kept."""
    floor = max(read_floor(opt), release.floor)
    write_atomically(opt / FLOOR_NAME, json.dumps({"floor": floor}).encode(), 0o644)
    return floor
