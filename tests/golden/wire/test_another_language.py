"""`tests/wire/verify.mjs`, written for Node.js from the document, reads what Python sealed and refuses the same."""

import json
import shutil
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.errors import Refused
from agent.signing.envelope import open_envelope, require_origin, require_role, seal
from agent.signing.keys import ORDER_L, Y_ORDER_8
from agent.wire import body
from agent.wire.codec import pack, unpack
from agent.wire.header import NO_PREVIOUS
from agent.wire.summary import Summary
from agent.wire.types import MessageType
from tests.golden.wire.make import STREAM, VECTORS, content_of, stream, trusted
from tests.signing.people import AGENT, ENGINEER, OPERATOR, OTHER_AGENT, STRANGER, TRUST
from tests.wire.samples import CONTENTS, OLDER, SUMMARY, header, header_for

NODE = shutil.which("node") or shutil.which("nodejs")
pytestmark = pytest.mark.skipif(NODE is None, reason="Node.js is not installed (Debian: nodejs)")
PROGRAM = Path(__file__).parents[2] / "wire" / "verify.mjs"
Lines = list[dict[str, Any]]


def verified(folder: Path, held: dict[str, Any]) -> tuple[int, Lines, str]:
    """Exit code, one dict per message, and what was said on standard error."""
    path = folder / "messages.json"
    path.write_text(json.dumps(held))
    assert NODE is not None
    done = subprocess.run([NODE, str(PROGRAM), str(path)], capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def plain(value: Any) -> Any:
    """Octets as the program prints them."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def test_every_vector_is_read_as_it_was_written(tmp_path: Path) -> None:
    vectors = json.loads(VECTORS.read_text())["vectors"]
    held = {"keys": trusted(), "messages": [one["sealed"] for one in vectors], "apart": True}
    code, lines, _ = verified(tmp_path, held)
    assert code == 0
    assert [line["type"] for line in lines] == [str(kind) for kind in MessageType]
    for kind, line in zip(MessageType, lines, strict=True):
        expected = header_for(kind)
        names = list(type(expected).__dataclass_fields__) if expected else []
        places = dict(zip(names, expected.to_list(), strict=True)) if expected else None
        assert line["header"] == plain(places)
        assert line["content"] == plain(content_of(kind))
    for line, summary in ((lines[0], SUMMARY), (lines[-1], OLDER)):
        assert line["rows"]["dv"] == plain([list(row) for row in summary.rows])
        assert sorted(line["rows"]["ed"], key=repr) == sorted(plain([list(edge) for edge in summary.edges]), key=repr)


def test_the_stored_streams_are_the_codes_and_their_chains_hold(tmp_path: Path) -> None:
    stored = json.loads(STREAM.read_text())
    assert stored == stream()
    code, lines, _ = verified(tmp_path, stored)
    assert code == 0
    assert [(line["header"]["stream"], line["header"]["seq"]) for line in lines] == [
        *(("sensor", seq) for seq in (1, 2, 3, 4)),
        *(("uplink", seq) for seq in (1, 2, 3)),
    ]


def test_a_broken_chain_and_two_bodies_with_one_number_are_seen(tmp_path: Path) -> None:
    first, second = (bytes.fromhex(text) for text in stream()["messages"][:2])
    follows_nothing = sealed(MessageType.GAP, seq=3, prev=bytes([7]) * 32)
    another = sealed(MessageType.GAP, seq=2, prev=NO_PREVIOUS)
    code, lines, _ = verified(
        tmp_path, {"keys": trusted(), "messages": [m.hex() for m in (first, second, follows_nothing, another, second)]}
    )
    assert code == 1
    assert [line.get("refused") for line in lines] == [None, None, "broken-chain", "equivocation", None]


def sealed(kind: MessageType, **places: Any) -> bytes:
    return seal(kind, body.encode(kind, header(**places), CONTENTS[kind]), [AGENT])


def epoch() -> list[Any]:
    """The parts of a good bell, to be spoiled."""
    stored = {one["type"]: one for one in json.loads(VECTORS.read_text())["vectors"]}
    parts: list[Any] = unpack(bytes.fromhex(stored[MessageType.EPOCH]["sealed"]))
    return parts


def malleated() -> bytes:
    version, name, octets, [[key_id, signature]] = epoch()
    larger = int.from_bytes(signature[32:], "little") + ORDER_L
    return pack([version, name, octets, [[key_id, signature[:32] + larger.to_bytes(32, "little")]]])


def flipped() -> bytes:
    good = pack(epoch())
    return good[:30] + bytes([good[30] ^ 1]) + good[31:]


def longer_form() -> bytes:
    good = pack(epoch())
    assert good[1] == 1
    return good[:1] + b"\xcc\x01" + good[2:]


def raw(kind: MessageType, octets: bytes) -> bytes:
    return seal(kind, octets, [AGENT])


def deflated_with_a_tail() -> bytes:
    packed = body.inflated(MessageType.GAP, body.encode(MessageType.GAP, header(), CONTENTS[MessageType.GAP]))
    return raw(MessageType.GAP, b"\x01" + zlib.compress(packed) + b"x")


def odd_header(**changes: Any) -> bytes:
    return sealed(MessageType.GAP, **changes)


def with_content(change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    packed = pack([header().to_list(), change(dict(CONTENTS[MessageType.GAP]))])
    return raw(MessageType.GAP, b"\x00" + packed)


def table(key: str, change: Callable[[list[Any]], list[Any]]) -> bytes:
    """A summary, one table of which is spoiled."""
    held = CONTENTS[MessageType.SUMMARY]
    packed = pack([header().to_list(), held | {key: change(list(held[key]))}])
    return raw(MessageType.SUMMARY, b"\x00" + packed)


def column(key: str, place: int, octets: bytes) -> bytes:
    """A summary with other octets in one column."""
    return table(key, lambda held: [*held[:place], octets, *held[place + 1 :]])


def command(role: str) -> bytes:
    content = CONTENTS[MessageType.COMMAND] | {"role": role}
    return seal(MessageType.COMMAND, body.encode(MessageType.COMMAND, None, content), [OPERATOR])


REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "noise": ("bad-envelope", lambda: b"noise"),
    "a longer spelling": ("bad-envelope", longer_form),
    "octets behind it": ("bad-envelope", lambda: pack(epoch()) + b"\x00"),
    "one bit": ("bad-signature", flipped),
    "S + L": ("bad-signature", malleated),
    "nobody's key": ("unknown-key", lambda: seal(MessageType.GAP, epoch()[2], [STRANGER])),
    "an engineer's bell": ("not-allowed", lambda: seal(MessageType.EPOCH, epoch()[2], [ENGINEER])),
    "signed twice by one": ("not-allowed", lambda: seal(MessageType.CONFIG, epoch()[2], [ENGINEER, ENGINEER])),
    "a role not held": ("not-allowed", lambda: command("custodian")),
    "a type of nobody": ("wrong-type", lambda: pack([1, "wardtap/shell.v1", *epoch()[2:]])),
    "of another tap": ("wrong-agent", lambda: odd_header(agent="tap-2")),
    "of another site": ("wrong-agent", lambda: odd_header(site="elsewhere")),
    "two streams in one": ("bad-schema", lambda: raw(MessageType.UPLINK, body_of_gap())),
    "a field too many": ("bad-schema", lambda: with_content(lambda held: held | {"more": 1})),
    "a field too few": ("bad-schema", lambda: with_content(lambda held: {"run": held["run"]})),
    "a float": ("bad-encoding", lambda: raw(MessageType.GAP, b"\x00\x92\xc0\xcb" + bytes(8))),
    "a key twice": ("bad-encoding", lambda: raw(MessageType.GAP, b"\x00\x92\xc0\x82\xa1a\x01\xa1a\x02")),
    "nested too deep": ("bad-encoding", lambda: raw(MessageType.GAP, b"\x00" + b"\x91" * 20 + b"\x01")),
    "a bomb": ("bad-encoding", lambda: raw(MessageType.GAP, b"\x01" + zlib.compress(bytes(1 << 20)))),
    "a tail behind zlib": ("bad-encoding", deflated_with_a_tail),
    "a column cut off": ("bad-schema", lambda: column("dv", 2, b"\x01\x80")),
    "a column too short": ("bad-schema", lambda: column("dv", 2, b"\x01")),
    "a column too long": ("bad-schema", lambda: column("dv", 2, b"\x01\x02\x03")),
    "a longer spelling of a number": ("bad-schema", lambda: column("dv", 2, b"\x01\x82\x00")),
    "ten groups of seven bits": ("bad-schema", lambda: column("dv", 2, b"\x01" + b"\xff" * 9 + b"\x01")),
    "devices beyond 32 bits": ("bad-schema", lambda: column("dv", 1, b"\xff\xff\xff\xff\x0f\x01")),
    "rows without columns": ("bad-schema", lambda: table("dv", lambda held: held[:-1])),
    "more rows than a table holds": ("bad-schema", lambda: table("dv", lambda _: [4097, *[bytes(4097)] * 10])),
    "a third direction": ("bad-schema", lambda: column("sv", 1, b"\x00\x00\x01\x03")),
    "a service without edges": ("bad-schema", lambda: column("sv", 6, b"\x03\x00\x02\x01")),
    "more edges than there are": ("bad-schema", lambda: column("sv", 6, b"\x03\x02\x01\x01")),
    "fewer edges than there are": ("bad-schema", lambda: column("sv", 6, b"\x02\x01\x01\x01")),
    "an address that is not there": ("bad-schema", lambda: column("ed", 3, b"\x00\x00\x02")),
    "an address of five octets": ("bad-schema", lambda: table("ad", lambda held: [*held[:-1], bytes(5)])),
    "both sides of nobody": (
        "bad-schema",
        lambda: table("sv", lambda held: [held[0], b"\x02" + held[1][1:], *held[2:]]),
    ),
    "no such encoding": ("bad-encoding", lambda: raw(MessageType.GAP, b"\x02\x92")),
}


def body_of_gap() -> bytes:
    return body.encode(MessageType.GAP, header(), CONTENTS[MessageType.GAP])


def test_what_python_refuses_it_refuses_too(tmp_path: Path) -> None:
    spoiled = [forge().hex() for _, forge in REFUSED.values()]
    code, lines, _ = verified(tmp_path, {"keys": trusted(), "messages": spoiled, "apart": True})
    assert code == 1
    told = dict(zip(REFUSED, [line.get("refused") for line in lines], strict=True))
    assert told == {name: reason for name, (reason, _) in REFUSED.items()}


WEAK = {
    "neutral": (1).to_bytes(32, "little"),
    "order 2": ((1 << 255) - 20).to_bytes(32, "little"),
    "order 4": bytes(32),
    "order 8": Y_ORDER_8.to_bytes(32, "little"),
    "not canonical": ((1 << 255) - 18).to_bytes(32, "little"),
    "no point": (2).to_bytes(32, "little"),
}


def believed(octets: bytes) -> None:
    """What an uplink and a collector do with a message."""
    opened = open_envelope(octets, TRUST)
    held, content = body.decode(opened.type, opened.body)
    if opened.type == MessageType.SUMMARY:
        Summary.from_content(content)
    if opened.type == MessageType.COMMAND:
        require_role(opened, content["role"])
    require_origin(opened, held)


@pytest.mark.parametrize("name", REFUSED)
def test_python_refuses_it(name: str) -> None:
    with pytest.raises(Refused) as refused:
        believed(REFUSED[name][1]())
    assert refused.value.reason in {REFUSED[name][0], "bad-signature", "too-large"}  # a type of nobody is a later one's


@pytest.mark.parametrize("name", WEAK)
def test_a_weak_key_is_refused_before_it_is_trusted(name: str, tmp_path: Path) -> None:
    key = {"public": WEAK[name].hex(), "role": "agent", "name": "tap-1", "site": "ward"}
    code, lines, said = verified(tmp_path, {"keys": [key], "messages": []})
    assert (code, lines) == (2, [])
    assert "bad-key" in said


def test_honest_keys_are_taken(tmp_path: Path) -> None:
    keys = [{"public": key.public.raw.hex(), "role": "agent", "name": "t", "site": "s"} for key in (AGENT, OTHER_AGENT)]
    assert verified(tmp_path, {"keys": keys, "messages": []})[:2] == (0, [])
