"""The enrolment kit: one file that a new tap is given by hand, so that it believes nobody it was not told of.

It brings the trust table and the root that it is checked against, the broker and its CA, when it was made, and a token
that is good once, for a day. The book at the desk holds only the token's hash. A kit is no key: who finds one can ask
for enrolment within a day, and still somebody compares the fingerprint on both screens.
"""

import base64
import binascii
import json
import re
from hashlib import sha256
from typing import Any, NamedTuple

from agent.clock import NS_PER_S
from agent.errors import Refused
from agent.wire.topics import valid_id
from agent.wire.types import RULES, MessageType

VERSION = 1
TOKEN_OCTETS = 16
VALID_NS_MAX = 24 * 3600 * NS_PER_S
PEM_OCTETS_MAX = 64 * 1024
KIT_BYTES_MAX = 2 * RULES[MessageType.TRUST].sealed_bytes_max + 3 * PEM_OCTETS_MAX
BROKER = re.compile(r"mqtts?://[A-Za-z0-9.:\[\]-]{1,200}")
PEM = re.compile(r"-----BEGIN [A-Z ]+-----[A-Za-z0-9+/=\s:.,()#*_@ -]*-----END [A-Z ]+-----\s*", re.DOTALL)


class Kit(NamedTuple):
    """What is in the file. `ca`, `certificate` and `key` are PEM texts, empty where there is none."""

    site: str
    agent: str
    token: bytes
    issued_ns: int
    not_after_ns: int
    broker: str
    trust: bytes
    root: str
    ca: str = ""
    certificate: str = ""
    key: str = ""


def token_hash(token: bytes) -> str:
    """What the book at the desk knows of a token."""
    return sha256(b"wardtap.enrol.v1" + token).hexdigest()


def write_kit(kit: Kit) -> bytes:
    """The file's octets; Refused `bad-kit` for what `read_kit` would refuse."""
    held: dict[str, Any] = kit._asdict() | {
        "version": VERSION, "token": kit.token.hex(), "trust": base64.b64encode(kit.trust).decode()
    }  # fmt: skip
    octets = json.dumps(held, indent=1).encode()
    read_kit(octets)
    return octets


def read_kit(octets: bytes) -> Kit:
    """A checked kit; Refused `bad-kit`. Whether its trust table is authentic is for whoever uses it."""
    try:
        held = json.loads(octets) if len(octets) <= KIT_BYTES_MAX else {}
        version = held.pop("version")
        held |= {"token": bytes.fromhex(held["token"]), "trust": base64.b64decode(held["trust"], validate=True)}
        kit = Kit(**held)
        good = version == VERSION and _fits(kit)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error) as error:
        raise Refused("is no enrolment kit", reason="bad-kit") from error
    if not good:
        raise Refused("is no enrolment kit", reason="bad-kit")
    return kit


def _fits(kit: Kit) -> bool:
    texts = (kit.site, kit.agent, kit.broker, kit.root, kit.ca, kit.certificate, kit.key)
    if not all(isinstance(text, str) and len(text) <= PEM_OCTETS_MAX for text in texts):
        return False
    if not valid_id(kit.site) or not valid_id(kit.agent) or BROKER.fullmatch(kit.broker) is None:
        return False
    if not all(not text or PEM.fullmatch(text) for text in (kit.ca, kit.certificate, kit.key)):
        return False
    times = type(kit.issued_ns) is int and type(kit.not_after_ns) is int
    return times and len(kit.token) == TOKEN_OCTETS and 0 < kit.not_after_ns - kit.issued_ns <= VALID_NS_MAX
