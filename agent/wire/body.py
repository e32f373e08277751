"""A body: one encoding octet, then `[header, content]` packed, deflated when that is smaller.

`decode` is for bytes whose signature was good. It still trusts nothing: an agent may be taken over.
"""

from typing import Any

from agent.errors import WireError
from agent.wire import authority, command, delivery, finding, presence, summary, summary_v1
from agent.wire.codec import LIMITS, Limits, bad, deflate, inflate, pack_checked, unpack
from agent.wire.header import Header
from agent.wire.schema import Record
from agent.wire.types import RULES, SEQUENCED, STREAM_TYPES, MessageType, message_type, rule_for

PLAIN, ZLIB = 0, 1
OCTETS_A_CONTAINER = 8  # of the largest body of a type: a table of keys of 1 MiB has more rows than a summary
DEFLATE_FROM_BYTES = 96  # below, zlib's own 8 octets and block header eat the gain

SCHEMAS: dict[MessageType, Record] = {
    MessageType.SUMMARY: summary.SCHEMA,
    MessageType.FINDING: finding.SCHEMA,
    MessageType.GAP: delivery.GAP,
    MessageType.BIRTH: presence.BIRTH,
    MessageType.STATE: presence.STATE,
    MessageType.RECEIPT: command.RECEIPT,
    MessageType.CLOCK_ANCHOR: presence.CLOCK_ANCHOR,
    MessageType.UPLINK: presence.UPLINK,
    MessageType.ACK: delivery.ACK,
    MessageType.EPOCH: delivery.EPOCH,
    MessageType.CONFIG: authority.CONFIG,
    MessageType.COMMAND: command.COMMAND,
    MessageType.ENROL: authority.ENROL,
    MessageType.TRUST: authority.TRUST,
    MessageType.RELEASE: authority.RELEASE,
    MessageType.PACK: authority.PACK,
    MessageType.SUMMARY_V1: summary_v1.SCHEMA,
}


def encode(kind: MessageType, header: Header | None, content: dict[str, Any]) -> bytes:
    """The body's exact octets; WireError `bad-schema` or `too-large`. Only sequenced types have a header."""
    _check_header(kind, header)
    SCHEMAS[kind].check(content, kind)
    plain = pack_checked([header.to_list() if header else None, content])
    most = RULES[kind].body_bytes_max
    if len(plain) + 1 > most:
        raise bad(f"{len(plain) + 1} octets, at most {most}", "too-large", kind)
    if len(plain) >= DEFLATE_FROM_BYTES:
        small = deflate(plain)
        if len(small) < len(plain):
            return bytes((ZLIB,)) + small
    return bytes((PLAIN,)) + plain


def decode(kind: MessageType | str, body: bytes) -> tuple[Header | None, dict[str, Any]]:
    """Header and content; WireError `too-large`, `bad-encoding`, `bad-schema`, `unknown-type` (of a later release)."""
    known = message_type(kind)
    if known is None:
        raise WireError(f"{kind!r} is not known to this release", reason="unknown-type")
    header, content = opened(kind, body)
    check(known, header, content)
    return header, content


def opened(kind: str, body: bytes) -> tuple[Header | None, dict[str, Any]]:
    """A good header, of any version of any type, and a content that nobody has looked at yet."""
    most = rule_for(kind).body_bytes_max
    limits = Limits(max_bytes=most, max_containers=max(LIMITS.max_containers, most // OCTETS_A_CONTAINER))
    parts = unpack(_plain(body, most), limits)
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[1], dict):
        raise bad("not a header and a content", "bad-schema")
    header = Header.from_list(parts[0]) if parts[0] is not None else None
    return header, parts[1]


def check(kind: MessageType, header: Header | None, content: dict[str, Any]) -> None:
    """Whether they are a message of this type; WireError `bad-schema`."""
    _check_header(kind, header)
    SCHEMAS[kind].check(content, kind)


def peek(kind: str, body: bytes) -> Header | None:
    """Only the header: enough to store and acknowledge what cannot be interpreted."""
    return opened(kind, body)[0]


def inflated(kind: MessageType | str, body: bytes) -> bytes:
    """The packed `[header, content]` of a body, at most as long as the type allows."""
    return _plain(body, rule_for(kind).body_bytes_max)


def _plain(body: bytes, most: int) -> bytes:
    if not body or len(body) > most:
        raise bad(f"{len(body)} octets, 1 to {most} allowed", "too-large")
    if body[0] == ZLIB:
        return inflate(body[1:], most - 1)
    if body[0] == PLAIN:
        return body[1:]
    raise bad(f"encoding {body[0]} is not known")


def _check_header(kind: MessageType, header: Header | None) -> None:
    if (header is not None) != (kind in SEQUENCED):
        raise bad("a header is missing or too many", "bad-schema", kind)
    if header is not None and kind not in STREAM_TYPES.get(header.stream, frozenset()):
        raise bad(f"has no place in the stream {header.stream!r}", "bad-schema", kind)
