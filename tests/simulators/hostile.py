"""Messages that want to cost a collector more than a refusal: of strangers, and of a tap that is taken over.

Each has a name, a topic, octets, and what has to become of it: a reason, or OPAQUE where the header is good and only
the content is not - such a record is stored unread, so that one odd record never stalls a tap.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgpack  # type: ignore[import-untyped]

from agent.signing.envelope import seal, sign
from agent.wire import body as wire_body
from agent.wire.codec import pack
from agent.wire.types import MessageType
from tests.simulators.reporter import Reporter, damaged, summary

OPAQUE = "opaque"
PLAIN, DEFLATED = b"\0", b"\1"
U64_MAX = 2**64 - 1
WELL_FORMED = {"one octet": "bad-schema", "lists of lists": "too-large"}  # and no message
MACS = ("00:d0:75:18:42:9b", "00-D0-75-18-42-9B", "00d0.7518.429b", "00d07518429b", "0:d0:75:18:42:9b")
TOO_LARGE = {"50 MB in 51 KB", "cut stream"}  # seen before the cut is


class Hostile(NamedTuple):
    """One message."""

    name: str
    topic: str
    octets: bytes
    reason: str


BOMBS: dict[str, bytes] = {
    "1,000 deep": b"\x91" * 1000 + b"\x01",
    "60,000 deep": b"\x91" * 60_000 + b"\x01",
    "maps 1,000 deep": b"\x81\xa1a" * 1000 + b"\x01",
    "array of 2**32 - 1": b"\xdd\xff\xff\xff\xff",
    "array of 65,000": b"\xdc\xfd\xe8" + b"\x01" * 65_000,
    "map of 2**32 - 1": b"\xdf\xff\xff\xff\xff",
    "text of 2**32 - 1": b"\xdb\xff\xff\xff\xff",
    "65,000 empty lists": b"\xdc\xfd\xe8" + b"\x90" * 65_000,
    "lists of lists": b"\xdc\x00\xfc" + (b"\xdc\x00\xff" + b"\x90" * 255) * 252,
    "wide and deep": b"\xdc\x0f\xff" * 1000,
    "wide maps, deep": b"\xde\x00\xff\xa1a" * 1000,
    "same key twice": b"\x82\xa1a\x01\xa1a\x02",
    "integer key": b"\x81\x01\x01",
    "octets as key": b"\x81\xc4\x01a\x01",
    "float": b"\xcb" + struct.pack(">d", 1.5),
    "not a number": b"\x81\xa1a\xcb" + struct.pack(">d", float("nan")),
    "infinity": b"\x91\xcb" + struct.pack(">d", float("inf")),
    "bad UTF-8": b"\xa2\xff\xfe",
    "surrogate": b"\xa3\xed\xa0\x80",
    "extension": b"\xd4\x05a",
    "timestamp of 2**62 s": b"\xc7\x0c\xff" + struct.pack(">Iq", 0, 1 << 62),
    "octets after the value": b"\x01\x01",
    "never used 0xC1": b"\xc1",
    "nothing": b"",
    "one octet": b"\x01",
}


def _body(header: Any, content: Any) -> bytes:
    """Packed without our checks: what our own side would refuse to send."""
    octets: bytes = msgpack.packb([header, content], use_bin_type=True)
    return PLAIN + octets


def _parts(tap: Reporter) -> tuple[list[Any], dict[str, Any]]:
    """Header and content of the next good summary."""
    _, octets = tap.chain.next(MessageType.SUMMARY, summary(tap.clock.now_ns).to_content())
    header, content = wire_body.decode(MessageType.SUMMARY, octets)
    assert header is not None
    return header.to_list(), content


def strangers(tap: Reporter) -> Iterator[Hostile]:
    """What anybody can send who reaches the broker: nothing of it is worth a look behind its signature."""
    topic = tap.topic(MessageType.SUMMARY)
    for name, octets in BOMBS.items():
        yield Hostile(f"envelope: {name}", topic, octets, "bad-envelope")
    good = tap.summary()
    yield Hostile("envelope of 256 KiB and one", topic, bytes(256 * 1024 + 1), "bad-envelope")
    yield Hostile("a flipped bit", *damaged(good), "bad-signature")
    yield Hostile("cut in the middle", topic, good[1][: len(good[1]) // 2], "bad-envelope")
    yield Hostile("sent twice in one", topic, good[1] * 2, "bad-envelope")
    other = Reporter("tap-9")
    yield Hostile("signed by nobody we know", topic, other.summary()[1], "unknown-key")
    for name, octets in _deflated().items():
        key_id, signature = sign(MessageType.SUMMARY, octets, tap.key)
        envelope = pack([1, str(MessageType.SUMMARY), octets, [[key_id, signature[:-1] + bytes([signature[-1] ^ 1])]]])
        yield Hostile(f"forged: {name}", topic, envelope, "bad-signature")
    for name, where in {"#": "wardtap/1/#", "a level too many": f"{topic}/x", "NUL": f"{topic}\0"}.items():
        yield Hostile(f"topic: {name}", where, good[1], "wrong-topic")
    yield Hostile("topic of 60,000 octets", "wardtap/1/" + "a" * 60_000, good[1], "wrong-topic")


def _deflated() -> dict[str, bytes]:
    """Bodies that are small until somebody inflates them, or no zlib stream."""
    bomb = zlib.compress(bytes(50 << 20), 9)
    return {
        "50 MB in 51 KB": DEFLATED + bomb,
        "deflated twice": DEFLATED + zlib.compress(zlib.compress(bytes(1 << 20), 9), 9),
        "cut stream": DEFLATED + bomb[:1000],
        "stream with a tail": DEFLATED + zlib.compress(b"\x92\xc0\x80") + b"x",
        "no stream": DEFLATED + b"\xff" * 64,
        "encoding 7": b"\7\x92\xc0\x80",
    }


def insiders(tap: Reporter) -> Iterator[Hostile]:
    """What a tap signs whose key is not its own any more: authentic, and still trusted with nothing."""

    def signed(name: str, octets: bytes, reason: str) -> Hostile:
        return Hostile(name, tap.topic(MessageType.SUMMARY), seal(MessageType.SUMMARY, octets, [tap.key]), reason)

    for name, octets in BOMBS.items():
        if octets:
            yield signed(f"body: {name}", PLAIN + octets, WELL_FORMED.get(name, "bad-encoding"))
    for name, octets in _deflated().items():
        yield signed(f"body: {name}", octets, "too-large" if name in TOO_LARGE else "bad-encoding")
    header, content = _parts(tap)
    for name, at, value in (("number 0", 7, 0), ("boot of 15 octets", 3, bytes(15)), ("agent with a slash", 0, "a/b")):
        yield signed(f"header: {name}", _body([*header[:at], value, *header[at + 1 :]], content), "bad-schema")
    yield signed("header: number 2**64 - 1", _body([*header[:7], U64_MAX, *header[8:]], content), "bad-number")
    yield signed("header: somebody else's", _body(["tap-9", *header[1:]], content), "wrong-agent")
    rows = {"rows of 60,000": [[1] * 4096] * 14, "a field of 2**63": 2**63, "a MAC as text": "00:d0:75:18:42:9b"}
    for field in content:
        for name, value in rows.items():
            yield signed(f"content: {field} is {name}", _body(header, content | {field: value}), OPAQUE)
    crowd = _body(header, content | {"dv": [[1] * 100_000] * 11})
    yield signed("content: 100,000 devices in a kilobyte", DEFLATED + zlib.compress(crowd[1:], 9), "too-large")
    yield from (signed(f"content: {name}", _body(header, content | odd), why) for name, odd, why in _lies(content))
    yield signed("content: a field nobody knows", _body(header, content | {"x" * 200: 1}), OPAQUE)
    yield signed("content: nothing", _body(header, {}), OPAQUE)


def _lies(content: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Numbers and addresses in forms that no tap sends: what, the fields of a summary, and what becomes of it."""
    yield "a rate that is no number", {"cv": [float("nan"), *content["cv"][1:]]}, "bad-encoding"
    card = content["ca"][0]
    for text in MACS:
        yield f"a card's MAC as {text}", {"ca": [[card[0], text, *card[2:]]]}, OPAQUE
    for value in (-1, 2**63, U64_MAX):
        yield f"frames counted {value}", {"cv": [value, *content["cv"][1:]]}, OPAQUE


def every(tap: Reporter) -> list[Hostile]:
    """All of them."""
    return [*strangers(tap), *insiders(tap)]
