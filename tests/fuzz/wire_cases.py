"""What a body may do to its reader: be refused for one of few reasons, or mean what a slow reader says it means."""

import zlib
from collections.abc import Iterator

from agent.errors import WireError
from agent.wire import body, summary_v1, tables
from agent.wire.summary import Summary
from agent.wire.types import MessageType
from tests.golden.wire import reader
from tests.wire.samples import CONTENTS, OLDER, SUMMARY, content_v1, header_for

BODY_MOST = 4096
KINDS = tuple(MessageType)
REASONS = frozenset({"too-large", "bad-encoding", "bad-schema"})
PLAIN, ZLIB, INFLATED = range(3)  # the octets are a plain body's, a stream, or to be deflated before


def case_of(kind: MessageType, octets: bytes, how: int = PLAIN) -> bytes:
    """Type, how the octets are meant, and the octets."""
    return bytes((KINDS.index(kind), how)) + octets


def seeds() -> Iterator[bytes]:
    """A good body of every type, plain; summaries of both versions also without tables, and in every other way."""
    bare = Summary(SUMMARY.interval)
    for kind in KINDS:
        yield case_of(kind, body.inflated(kind, body.encode(kind, header_for(kind), CONTENTS[kind])))
    for kind, content in (
        (MessageType.SUMMARY, bare.to_content()),
        (MessageType.SUMMARY_V1, content_v1(bare)),
        (MessageType.SUMMARY, SUMMARY.to_content()),
        (MessageType.SUMMARY_V1, content_v1(OLDER)),
    ):
        plain = body.inflated(kind, body.encode(kind, header_for(kind), content))
        yield case_of(kind, zlib.compress(plain), ZLIB)
        yield case_of(kind, plain, INFLATED)


def judge(case: bytes) -> None:
    """AssertionError when a promise is broken."""
    kind = KINDS[case[0] % len(KINDS)] if case else MessageType.SUMMARY
    how, octets = (case[1] % 3 if len(case) > 1 else PLAIN), case[2:]
    wrapped = {PLAIN: b"\0" + octets, ZLIB: b"\1" + octets, INFLATED: b"\1" + zlib.compress(octets, 1)}[how]
    try:
        _, content = body.decode(kind, wrapped)
        if kind == MessageType.SUMMARY:
            _agree(Summary.from_content(content), content)
        elif kind == MessageType.SUMMARY_V1:
            summary_v1.from_content(content)
    except WireError as error:
        if error.reason not in REASONS:
            raise AssertionError(f"refused as {error.reason}") from error


def _agree(read: Summary, content: dict[str, list[object]]) -> None:
    """The slow reader sees the same, and what is written again is the same."""
    assert [tuple(row) for row in reader.rows(content["dv"])] == list(read.rows)
    edges = reader.edges(content["sv"], content["ad"], content["ed"])  # type: ignore[arg-type]
    assert sorted(map(tuple, edges)) == list(read.edges)
    assert tables.take_rows(tables.put_rows(read.rows)) == sorted(read.rows)
    assert tables.take_edges(*tables.put_edges(read.edges)) == list(read.edges)
