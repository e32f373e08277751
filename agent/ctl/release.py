"""`wardtapctl release sign|cosign`: two of the three release keys say what an appliance may run.

The first key lists every file of a checkout into `release.sealed`, the second adds its signature wherever it is kept -
after it has seen that the files are those that the first one listed. Only then does any appliance switch to it.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.clock import NS_PER_S, SystemClock
from agent.durable import write_atomically
from agent.errors import InputError, Refused, StateError
from agent.signing.envelope import add_signature
from agent.signing.files import read_regular
from agent.signing.keys import PrivateKey
from agent.signing.releases import INDEX_NAME, list_files, open_index, require_files, seal_release
from agent.signing.roster import Trust
from agent.signing.trust import load_root
from agent.visible import visible
from agent.wire.types import RULES, MessageType

DAY_NS = 86_400 * NS_PER_S
DAYS = 2 * 366  # for how long a tap may still be switched to it


def add_parsers(commands: Any) -> None:
    """`release sign` and `release cosign`."""
    things = commands.add_parser("release", help="sign what taps may run").add_subparsers(
        required=True, metavar="COMMAND"
    )
    sign = things.add_parser("sign", help="list a checkout's files and sign the list")
    sign.add_argument("--serial", type=int, required=True, metavar="N", help="higher than the release before")
    sign.add_argument("--floor", type=int, default=0, metavar="N", help="no release below it may run after this one")
    sign.add_argument("--days", type=int, default=DAYS, metavar="N", help=f"how long it is good (default: {DAYS})")
    sign.set_defaults(do=_sign)
    second = things.add_parser("cosign", help="the second release key, over the same files")
    second.set_defaults(do=_cosign)
    for parser in (sign, second):
        parser.add_argument("folder", type=Path, metavar="DIR", help="a checkout of the release")
        parser.add_argument("--root", type=Path, required=True, metavar="FILE", help="trust-root.json")
        parser.add_argument("--release-key", type=Path, required=True, nargs="+", metavar="FILE")


def _keys(options: argparse.Namespace, root: Trust) -> Sequence[PrivateKey]:
    keys = [PrivateKey.load(path) for path in options.release_key]
    for key in keys:
        if root.find(key.key_id) is None:
            raise Refused(f"{key.public.fingerprint} is none of the release keys", reason="not-allowed")
    return keys


def _version(folder: Path) -> str:
    text = read_regular(folder / "agent" / "__init__.py", 1 << 16)[0].decode("utf-8", "replace")
    line = next((line for line in text.splitlines() if line.startswith('__version__ = "')), "")
    if not line:
        raise InputError("says no version", where=str(folder / "agent" / "__init__.py"))
    return line.split('"')[1][:40]


def _sign(options: argparse.Namespace) -> int:
    if not 0 <= options.floor <= options.serial or options.serial < 1:
        raise InputError("a serial is 1 or more, and a floor is not above it", where="--serial")
    root, now_ns = load_root(options.root), SystemClock().wall_ns()
    sealed = seal_release(
        list_files(options.folder),
        _keys(options, root),
        version=_version(options.folder),
        serial=options.serial,
        floor=options.floor,
        not_after_ns=now_ns + options.days * DAY_NS,
    )
    return _put(options.folder, sealed, root)


def _cosign(options: argparse.Namespace) -> int:
    root, place = load_root(options.root), options.folder / INDEX_NAME
    sealed = read_regular(place, RULES[MessageType.RELEASE].sealed_bytes_max)[0]
    for key in _keys(options, root):
        sealed = add_signature(sealed, key)
    return _put(options.folder, sealed, root)


def _put(folder: Path, sealed: bytes, root: Trust) -> int:
    """Write the index; what is signed by two must be what lies there, or what lay there before is put back."""
    place = folder / INDEX_NAME
    before = place.read_bytes() if place.exists() else None
    write_atomically(place, sealed, 0o644)
    try:
        release = open_index(folder, root)
        require_files(folder, release)
    except Refused as error:
        if error.reason == "not-allowed":
            print(f"{place}: a draft; a second release key signs it with `wardtapctl release cosign`")
            return 0
        if before is None:
            place.unlink()
        else:
            write_atomically(place, before, 0o644)
        raise
    except StateError:
        place.unlink(missing_ok=True)
        raise
    signers = " and ".join(map(visible, release.signers))
    print(f"{place}: version {visible(release.version)}, serial {release.serial}, signed by {signers}")
    return 0
