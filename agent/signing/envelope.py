"""Sealing and opening. The order of the checks in `open_envelope` is the security of everything behind it.

An envelope is `[1, type, body, [[key_id, signature], ...]]`; each signature covers the pre-authentication encoding of
type and body (the idea of DSSE), never a packed object, so nothing has to be packed again to be verified.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from agent.errors import Refused, WireError
from agent.signing.keys import ALGORITHM, KEY_ID_BYTES, SIGNATURE_BYTES, PrivateKey, PublicKey
from agent.signing.roster import Trust, TrustEntry
from agent.wire import body as wire_body
from agent.wire.codec import Limits, pack, unpack
from agent.wire.header import Header
from agent.wire.topics import ParsedTopic
from agent.wire.types import RULES, TYPE_BYTES_MAX, MessageType, Role, Rule, message_type, rule_for

VERSION = 1
PAE_TAG = b"wardtap.v1"
SIGNATURES_MAX = 3
SEALED_BYTES_MAX = max(rule.sealed_bytes_max for rule in RULES.values())


@dataclass(frozen=True, slots=True)
class Opened:
    """An authentic message: its type's name, exact body, and the trust entries of all who signed it."""

    type: str
    body: bytes
    signers: tuple[TrustEntry, ...]

    @property
    def kind(self) -> MessageType | None:
        """The type, None when this release does not know it (store it opaque, act on nothing)."""
        return message_type(self.type)

    @property
    def signer(self) -> TrustEntry:
        """The only signer of what has one."""
        return self.signers[0]


def pae(type_name: str, body: bytes) -> bytes:
    """What is signed: tag, type and body with their lengths in front, so no octet can move from one to the other."""
    name = type_name.encode()
    return b"".join((PAE_TAG, len(name).to_bytes(4, "big"), name, len(body).to_bytes(8, "big"), body))


def sign(type_name: str, body: bytes, key: PrivateKey) -> list[bytes]:
    """One signature entry, for adding a second signer to a body that another has signed."""
    return [key.key_id, key.sign(pae(type_name, body))]


def seal(kind: MessageType | str, body: bytes, keys: Sequence[PrivateKey]) -> bytes:
    """The envelope's octets; WireError `too-large`, or `bad-envelope` for too few or too many keys."""
    return _assemble(str(kind), body, [sign(str(kind), body, key) for key in keys])


def add_signature(data: bytes, key: PrivateKey) -> bytes:
    """The same envelope with one more signature (two-signer commands, release keys in different places)."""
    parts = _structure(data)
    return _assemble(parts.type, parts.body, [*map(list, parts.signatures), sign(parts.type, parts.body, key)])


def _assemble(type_name: str, body: bytes, signatures: list[list[bytes]]) -> bytes:
    rule = rule_for(type_name)
    if not 1 <= len(signatures) <= rule.signers_max:
        raise WireError(f"{type_name} has 1 to {rule.signers_max} signatures", reason="bad-envelope")
    if len(body) > rule.body_bytes_max:
        raise WireError(f"{type_name}: {len(body)} octets, at most {rule.body_bytes_max}", reason="too-large")
    return pack([VERSION, type_name, body, signatures])


@dataclass(frozen=True, slots=True)
class _Parts:
    """An envelope taken apart, nothing verified."""

    type: str
    body: bytes
    signatures: tuple[tuple[bytes, bytes], ...]


def _structure(data: bytes, sealed_bytes_max: int = SEALED_BYTES_MAX) -> _Parts:
    """The only thing done to octets of nobody: five small fields with tiny limits."""
    if len(data) > sealed_bytes_max:
        raise Refused(f"{len(data)} octets, at most {sealed_bytes_max}", reason="too-large")
    limits = Limits(
        max_bytes=sealed_bytes_max,
        max_array=4,
        max_map=0,
        max_str=TYPE_BYTES_MAX,
        max_bin=sealed_bytes_max,
        max_items=20,
        max_depth=3,
    )
    try:
        value: Any = unpack(data, limits)
    except WireError as error:
        raise Refused(f"not an envelope: {error.what}", reason="bad-envelope") from error
    if not _is_envelope(value):
        raise Refused("not an envelope: wrong fields", reason="bad-envelope")
    if pack(value) != data:  # one message, one encoding: a broker cannot make a second one of it
        raise Refused("not an envelope: not in its shortest form", reason="bad-envelope")
    return _Parts(value[1], value[2], tuple((entry[0], entry[1]) for entry in value[3]))


def _is_envelope(value: Any) -> bool:
    """`[1, str, bytes, [[8 octets, 64 octets], ...]]` with 1 to 3 signatures."""
    if not isinstance(value, list) or len(value) != 4 or value[0] != VERSION:
        return False
    if not isinstance(value[1], str) or not isinstance(value[2], bytes) or not isinstance(value[3], list):
        return False
    return 1 <= len(value[3]) <= SIGNATURES_MAX and all(map(_is_signature, value[3]))


def _is_signature(entry: Any) -> bool:
    return (
        isinstance(entry, list)
        and len(entry) == 2
        and all(isinstance(part, bytes) for part in entry)
        and [len(part) for part in entry] == [KEY_ID_BYTES, SIGNATURE_BYTES]
    )


def open_envelope(
    data: bytes, trust: Trust, *, now_ns: int | None = None, expect: Collection[MessageType | str] | None = None
) -> Opened:
    """Verify, and only then hand over the body - still packed, still deflated.

    Refused with reason `too-large`, `bad-envelope`, `wrong-type` (not a type, or none of `expect`), `unknown-key`,
    `expired-key` (only when `now_ns` is given), `bad-signature`, `not-allowed` (the signers' roles or number). Every
    signature must be good: one that cannot be checked is not overlooked.
    """
    parts = _structure(data)
    rule = _rule(parts, expect)
    signers = _signers(parts, rule, trust)
    if now_ns is not None and not all(entry.valid_at(now_ns) for entry in signers):
        raise Refused("signed by a key that is not valid now", reason="expired-key")
    signed = pae(parts.type, parts.body)
    for entry, (_, signature) in zip(signers, parts.signatures, strict=True):
        if not entry.public.verify(signature, signed):
            raise Refused("a signature is not good", reason="bad-signature")
    if not all(entry.role in rule.signers for entry in signers):
        raise Refused(f"{parts.type} signed by {signers[0].role} {signers[0].name}", reason="not-allowed")
    return Opened(parts.type, parts.body, signers)


def _rule(parts: _Parts, expect: Collection[MessageType | str] | None) -> Rule:
    """The type's rule; its size limit and whether the caller wants it here."""
    if expect is not None and parts.type not in expect:
        raise Refused(f"{parts.type!r} does not belong here", reason="wrong-type")
    rule = rule_for(parts.type)
    if len(parts.body) > rule.body_bytes_max:
        raise Refused(f"{parts.type}: {len(parts.body)} octets, at most {rule.body_bytes_max}", reason="too-large")
    return rule


def _signers(parts: _Parts, rule: Rule, trust: Trust) -> tuple[TrustEntry, ...]:
    """The entries of all key ids, each once, as many as the type wants."""
    ids = [identity for identity, _ in parts.signatures]
    if not rule.signers_min <= len(ids) <= rule.signers_max or len(set(ids)) != len(ids):
        raise Refused(f"{parts.type} needs {rule.signers_min} to {rule.signers_max} signers", reason="not-allowed")
    entries = [trust.find(identity) for identity in ids]
    known = tuple(entry for entry in entries if entry is not None and entry.algorithm == ALGORITHM)
    if len(known) != len(ids):
        raise Refused("signed by a key that the trust table does not know", reason="unknown-key")
    return known


def require_origin(opened: Opened, header: Header | None, topic: ParsedTopic | None = None) -> None:
    """What an agent signed must be its own: signer, header and topic name one agent of one site; Refused `wrong-agent`.

    Without it a tap that was taken over could speak for every other one, since each agent's signature is good.
    """
    signer = opened.signer
    if signer.role != Role.AGENT:
        raise Refused(f"signed by {signer.role} {signer.name}, not by an agent", reason="not-allowed")
    claims = []
    if header is not None:
        claims.append((header.agent, header.site))
    if topic is not None:
        claims.append((topic.agent, topic.site))
        if not topic.carries(opened.type):
            raise Refused(f"{opened.type} on the topic of {topic.leaf}", reason="wrong-topic")
    if any(claim != (signer.name, signer.site) for claim in claims):
        raise Refused(f"signed by {signer.name}, sent as {claims}", reason="wrong-agent")


def require_role(opened: Opened, role: str) -> None:
    """Every signer of a command or a configuration must hold the role it claims; Refused `not-allowed`.

    The collector's key counts as an operator and no more, so whoever owns the web server does not own the taps.
    """
    acting = [Role.OPERATOR if entry.role == Role.COLLECTOR else entry.role for entry in opened.signers]
    if any(held != role for held in acting):
        raise Refused(f"claims the role {role}, signed by {', '.join(acting)}", reason="not-allowed")


def require_site(opened: Opened, site: str) -> None:
    """Every signer must belong to this site; Refused `wrong-site`."""
    if any(entry.site != site for entry in opened.signers):
        raise Refused("signed by a key of another site", reason="wrong-site")


def open_enrol(data: bytes) -> tuple[dict[str, Any], PublicKey]:
    """Content and key of an `enrol.v1`, signed by the key it brings: proof of possession, not of identity.

    The one message that must be read before it can be verified; it is at most 2 KiB and its key must be a good point.
    Refused with the reasons of `open_envelope`, `bad-key`, or those of `wire.body.decode`.
    """
    parts = _structure(data, RULES[MessageType.ENROL].sealed_bytes_max)
    if parts.type != MessageType.ENROL or len(parts.signatures) != 1:
        raise Refused("not an enrolment", reason="wrong-type")
    _, content = wire_body.decode(MessageType.ENROL, parts.body)
    key = PublicKey.from_bytes(content["public"])
    identity, signature = parts.signatures[0]
    if identity != key.key_id or not key.verify(signature, pae(parts.type, parts.body)):
        raise Refused("an enrolment not signed by its own key", reason="bad-signature")
    return content, key
