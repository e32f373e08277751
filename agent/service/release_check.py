"""What install.sh's updater asks, as root, before it switches to a release and after one has come up."""

import sys
from pathlib import Path

from agent.durable import write_atomically
from agent.errors import StateError
from agent.service.timekeeping import FILE_NAME, KeptTime
from agent.signing.files import read_regular
from agent.signing.kit import KIT_BYTES_MAX, read_kit
from agent.signing.trust import ROOT_NAME, load_root, parse_root
from agent.update.laid import raise_floor, require


def check(opt: Path, name: str, state: Path) -> str:
    """A line about a release that may run. Refused or StateError when it may not."""
    told_ns = KeptTime(state / "uplink" / FILE_NAME).told_ns
    release = require(opt, name, load_root(opt / ROOT_NAME), told_ns)
    return f"release {name}: version {release.version}, serial {release.serial}, signed by {', '.join(release.signers)}"


def confirm(opt: Path, name: str, _: Path) -> str:
    """It has come up: the floor becomes its own."""
    release = require(opt, name, load_root(opt / ROOT_NAME), 0)
    return f"no release below serial {raise_floor(opt, release)} may run any more"


def pin(opt: Path, kit: Path) -> str:
    """The release keys out of an enrolment kit, once; StateError when others are pinned."""
    octets = sys.stdin.buffer.read(KIT_BYTES_MAX + 1) if str(kit) == "-" else read_regular(kit, KIT_BYTES_MAX)[0]
    root, place = read_kit(octets).root.encode(), opt / ROOT_NAME
    parse_root(root, "the kit's root")
    if place.exists() and place.read_bytes() != root:
        raise StateError("has other release keys", where=str(place), todo="a kit never changes who is trusted")
    write_atomically(place, root, 0o644)
    return f"{place}: the release keys of the kit"
