"""Field tables of what people and release keys sign: trust, configuration, release, packs - and of an enrolment."""

import re

from agent.wire.schema import COUNT, ID16, IDENT, TIME, U64_MAX, Choice, Int, ListOf, Octets, Places, Record, Text
from agent.wire.types import Role

ALGORITHMS = ("ed25519",)
TRUST_ENTRIES_MAX = 4000
TRUST_ENTRY = Places(
    (
        Octets((8,)),  # key_id
        Octets((32,)),  # public key
        Choice(tuple(str(role) for role in Role)),
        IDENT,  # name: for an agent its id
        IDENT,  # site
        Choice(ALGORITHMS),
        TIME,  # not_before_ns
        TIME,  # not_after_ns
    )
)
TRUST = Record(
    {
        "version": Int(1, U64_MAX),  # only rises
        "site": IDENT,
        "not_after_ns": TIME,
        "entries": ListOf(TRUST_ENTRY, TRUST_ENTRIES_MAX),
    }
)
CONFIG = Record(
    {
        "agent": IDENT,
        "site": IDENT,
        "key_id": Octets((8,)),  # the agent's enrolled key
        "version": Int(1, U64_MAX),  # only rises, also over a software rollback
        "text": Text(48 * 1024),  # wardtap.toml, validated whole
    }
)
ENROL = Record(
    {
        "agent": IDENT,
        "site": IDENT,
        "token": Octets((16, 32)),
        "public": Octets((32,)),
        "algorithm": Choice(ALGORITHMS),
        "hardware": Text(64),
        "boot": ID16,
    }
)
RELEASE = Record(
    {
        "version": Text(40),
        "serial": Int(1, U64_MAX),  # only rises
        "floor": Int(0, U64_MAX),  # lowest serial that may still be rolled back to
        "not_after_ns": TIME,
        "files": ListOf(Places((Text(160), COUNT, Octets((32,)))), 1024),  # path, octets, SHA-256
    }
)
PACK_FILES_MAX = 64
PACK_FILE_NAME = re.compile(r"([a-z0-9][a-z0-9-]{0,31}/)?[a-z0-9][a-z0-9-]{0,31}\.(toml|bin)")
PACK = Record(
    {
        "name": IDENT,
        "site": IDENT,  # of its signer; of the release keys: any site may use it
        "serial": Int(1, U64_MAX),  # only rises
        "not_after_ns": TIME,
        "files": ListOf(Places((Text(72, PACK_FILE_NAME), COUNT, Octets((32,)))), PACK_FILES_MAX),
    }
)
