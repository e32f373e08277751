"""The trust table's file: which key stands for whom, in which role, from when to when.

It is a `trust.v1` message signed by 2 of the 3 release keys; those are pinned in a root file that lies beside it and
comes with the kit, so there is no trust on first use. The algorithm of a key is said here, never by a message.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from agent.errors import Refused, StateError
from agent.signing.envelope import open_envelope, seal
from agent.signing.files import read_regular
from agent.signing.keys import PrivateKey, PublicKey
from agent.signing.roster import Trust, TrustEntry
from agent.wire import body as wire_body
from agent.wire.schema import I64_MAX
from agent.wire.types import RULES, MessageType, Role

__all__ = ["Trust", "TrustEntry", "build_trust", "load_root", "load_trust", "open_trust", "parse_root", "root_json"]

ROOT_NAME = "trust-root.json"
ROOT_VERSION = 1
ROOT_KEYS = 3
ROOT_BYTES_MAX = 4096
ROOT_SITE = "root"
BROKER_OCTETS_MAX = 96 * 1024  # of a table over a broker: some 2,000 keys, deflated; a larger one is carried as a file


def root_json(keys: Sequence[PublicKey]) -> str:
    """Text of the root file: the three release keys, any two of which change the trust table."""
    names = [{"name": f"release-{number}", "public": key.raw.hex()} for number, key in enumerate(keys, 1)]
    return json.dumps({"version": ROOT_VERSION, "keys": names}, indent=2) + "\n"


def load_root(path: Path) -> Trust:
    """The pinned release keys; StateError when the file cannot be used, Refused `bad-key` for a key that is none."""
    return parse_root(read_regular(path, ROOT_BYTES_MAX)[0], str(path))


def parse_root(octets: bytes, where: str) -> Trust:
    """The release keys in the octets of a root file; errors as of `load_root`."""
    try:
        root = json.loads(octets)
        pairs = [(str(key["name"]), bytes.fromhex(key["public"])) for key in root["keys"]]
        version = root["version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StateError("is not a trust root", where=where, todo="it comes with the kit") from error
    if version != ROOT_VERSION or len(pairs) != ROOT_KEYS:
        raise StateError(f"a trust root of version {ROOT_VERSION} has {ROOT_KEYS} keys", where=where)
    return Trust(TrustEntry.for_key(PublicKey.from_bytes(raw), Role.RELEASE, name, ROOT_SITE) for name, raw in pairs)


def build_trust(
    entries: Iterable[TrustEntry], keys: Sequence[PrivateKey], *, version: int, not_after_ns: int = I64_MAX, site: str
) -> bytes:
    """A sealed `trust.v1` with the signatures of the given release keys.

    Two are needed to open it; `signing.envelope.add_signature` adds one in another place. Refused as by `Trust`.
    """
    table = Trust(entries, version=version, site=site, not_after_ns=not_after_ns)
    content = {
        "version": version,
        "site": site,
        "not_after_ns": not_after_ns,
        "entries": [entry.to_list() for entry in table.entries()],
    }
    return seal(MessageType.TRUST, wire_body.encode(MessageType.TRUST, None, content), keys)


def open_trust(data: bytes, root: Trust, *, now_ns: int | None = None, version_min: int = 0) -> Trust:
    """The table in a sealed `trust.v1`, with the root's release keys added.

    Refused: the reasons of `open_envelope` and `wire.body.decode`, `bad-key`, `bad-trust`, `expired-trust`, `rollback`.
    """
    opened = open_envelope(data, root, now_ns=now_ns, expect=(MessageType.TRUST,))
    _, content = wire_body.decode(MessageType.TRUST, opened.body)
    if content["version"] < version_min:
        raise Refused(f"trust table {content['version']}, at least {version_min} was in use", reason="rollback")
    if now_ns is not None and now_ns > content["not_after_ns"]:
        raise Refused("the trust table is no longer valid", reason="expired-trust")
    entries = [TrustEntry.from_list(places) for places in content["entries"]]
    if any(entry.role == Role.RELEASE for entry in entries):
        raise Refused("release keys are pinned in the root file, not in the table", reason="bad-trust")
    return Trust(
        [*entries, *root.entries()],
        version=content["version"],
        site=content["site"],
        not_after_ns=content["not_after_ns"],
    )


def load_trust(path: Path, root: Path | None = None, *, now_ns: int | None = None, version_min: int = 0) -> Trust:
    """The table in a file, its release keys pinned in `root` (default: `trust-root.json` beside it).

    StateError or PermissionNeeded when a file cannot be read; Refused as by `open_trust`, with the file's name.
    """
    pinned = load_root(root or path.with_name(ROOT_NAME))
    data, _ = read_regular(path, RULES[MessageType.TRUST].sealed_bytes_max)
    try:
        return open_trust(data, pinned, now_ns=now_ns, version_min=version_min)
    except Refused as error:
        error.where = error.where or str(path)
        raise
