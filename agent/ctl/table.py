"""Changes of the trust table: a key added, a key revoked, a second release key's signature.

A change makes a new table of the next version, signed with the release keys that are at hand. One signature makes a
draft; the second release key adds its own with `keys sign`, wherever it is kept, and only then does anybody take the
table. The file is written beside the present one and never over it: putting it in place is a decision.
"""

import argparse
import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from agent.clock import NS_PER_S, SystemClock
from agent.durable import write_atomically
from agent.errors import InputError, Refused, StateError
from agent.signing.envelope import add_signature
from agent.signing.files import read_regular
from agent.signing.keys import PrivateKey, PublicKey
from agent.signing.rotation import proven
from agent.signing.trust import Trust, TrustEntry, build_trust, load_root, load_trust, open_trust
from agent.visible import visible
from agent.wire.types import RULES, MessageType, Role

DAY_NS = 86_400 * NS_PER_S
DAYS = 366  # a key that nobody renews for a year is one that nobody looks after
PARTS_NEEDED = 2


def add_parsers(commands: Any, keys: Any) -> None:
    """`keys new`, `keys add`, `keys sign` and `revoke`."""
    new = keys.add_parser("new", help="draw a key of your own; its private half never leaves this file")
    new.add_argument("file", type=Path)
    new.set_defaults(do=_new)
    add = keys.add_parser("add", help="a new trust table with one key more")
    add.add_argument("role", choices=[str(role) for role in Role if role != Role.RELEASE])
    add.add_argument("name", help="the agent id for a tap, else a short name")
    add.add_argument("--public", required=True, metavar="HEX", help="its 32 octets (`keys show` tells them)")
    add.add_argument("--proof", metavar="HEX", help="of a tap's next key, from the receipt of rotate-key")
    add.add_argument("--days", type=int, default=DAYS, help=f"how long it is valid (default: {DAYS})")
    add.set_defaults(do=_add)
    revoke = commands.add_parser("revoke", help="a new trust table without a key, or without all of a name")
    revoke.add_argument("whom", help="a name, or a fingerprint (1234-abcd-...)")
    revoke.set_defaults(do=_revoke)
    for parser in (add, revoke):
        change_options(parser)
    sign = keys.add_parser("sign", help="the second release key signs a draft of a trust table")
    sign.add_argument("file", type=Path)
    sign.add_argument("--root", type=Path, required=True, metavar="FILE")
    sign.add_argument("--release-key", type=Path, required=True, metavar="FILE")
    sign.set_defaults(do=_sign)


def change_options(parser: argparse.ArgumentParser) -> None:
    """The present table, who signs the next, and where it goes."""
    parser.add_argument("--trust", type=Path, required=True, metavar="FILE", help="the present table")
    parser.add_argument("--root", type=Path, metavar="FILE")
    parser.add_argument("--release-key", type=Path, required=True, nargs="+", metavar="FILE", help="one or two")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the new table")


def _new(options: argparse.Namespace) -> int:
    key = PrivateKey.generate()
    key.save(options.file)
    print(f"{options.file}: {key.public.fingerprint}  {key.public.raw.hex()}")
    return 0


def _octets(text: str, what: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise InputError("not hex digits", where=what) from error


def _add(options: argparse.Namespace) -> int:
    present = load_trust(options.trust, options.root)
    raw = _octets(options.public, "--public")
    role = Role(options.role)
    if options.proof:
        public = proven(present.site, options.name, raw, _octets(options.proof, "--proof"))
    else:
        public = PublicKey.from_bytes(raw)
    now_ns = SystemClock().wall_ns()
    entry = entry_for(public, role, options.name, present.site, now_ns, options.days)
    write(options, present, [*people(present), entry])
    print(f"added: {role} {visible(options.name)} {public.fingerprint}: compare it with the other screen")
    return 0


def entry_for(public: PublicKey, role: Role, name: str, site: str, now_ns: int, days: int = DAYS) -> TrustEntry:
    """A row that is valid from yesterday (clocks differ) and for some days."""
    entry = TrustEntry.for_key(public, role, name, site)
    return dataclasses.replace(entry, not_before_ns=now_ns - DAY_NS, not_after_ns=now_ns + days * DAY_NS)


def _revoke(options: argparse.Namespace) -> int:
    present = load_trust(options.trust, options.root)
    gone = [entry for entry in people(present) if options.whom in {entry.name, entry.public.fingerprint}]
    if not gone:
        raise InputError("no key of that name or fingerprint in the table", where=options.whom)
    write(options, present, [entry for entry in people(present) if entry not in gone])
    for entry in gone:
        print(f"revoked: {entry.role} {entry.name} {entry.public.fingerprint}")
    return 0


def people(trust: Trust) -> list[TrustEntry]:
    """Without the release keys, which are pinned elsewhere."""
    return [entry for entry in trust.entries() if entry.role != Role.RELEASE]


def write(options: argparse.Namespace, present: Trust, entries: Iterable[TrustEntry]) -> None:
    """The next version into a new file, or a draft of it; StateError when the file is there."""
    if options.out.exists():
        raise StateError("exists, and a table is never written over", where=str(options.out))
    keys = [PrivateKey.load(path) for path in options.release_key]
    root = load_root(options.root or options.trust.with_name("trust-root.json"))
    _require_release(root, keys)
    sealed = build_trust(
        entries, keys, version=present.version + 1, not_after_ns=present.not_after_ns, site=present.site
    )
    write_atomically(options.out, sealed)
    print(_state(options.out, sealed, root))


def _require_release(root: Trust, keys: Sequence[PrivateKey]) -> None:
    for key in keys:
        if root.find(key.key_id) is None:
            raise Refused(f"{key.public.fingerprint} is none of the release keys", reason="not-allowed")


def _state(path: Path, sealed: bytes, root: Trust) -> str:
    """Whether it is a table already, or a draft."""
    try:
        table = open_trust(sealed, root)
    except Refused as error:
        if error.reason != "not-allowed":
            raise
        return f"{path}: a draft; a second release key signs it with `wardtapctl keys sign`"
    return f"{path}: version {table.version}, {len(table)} keys; put it in place of trust.bin everywhere"


def _sign(options: argparse.Namespace) -> int:
    root, key = load_root(options.root), PrivateKey.load(options.release_key)
    _require_release(root, [key])
    draft = read_regular(options.file, RULES[MessageType.TRUST].sealed_bytes_max)[0]
    sealed = add_signature(draft, key)
    open_trust(sealed, root)  # nobody is told that it is signed when it is not what it says
    write_atomically(options.file, sealed)
    print(_state(options.file, sealed, root))
    return 0
