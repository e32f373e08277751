"""Bodies: round trips, limits, and refusals of what a good signature may still cover."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import WireError
from agent.wire import body
from agent.wire.codec import LIMITS, deflate, pack
from agent.wire.header import HEADER_BYTES_MAX
from agent.wire.schema import LEVELS_ABOVE
from agent.wire.types import RULES, SEQUENCED, MessageType
from tests.wire.samples import CONTENTS, header, header_for

SPLIT = {MessageType.SUMMARY, MessageType.SUMMARY_V1, MessageType.TRUST, MessageType.RELEASE}
TABLED = [kind for kind in MessageType if kind not in SPLIT]


@pytest.mark.parametrize("kind", MessageType)
def test_every_type_comes_back(kind: MessageType) -> None:
    octets = body.encode(kind, header_for(kind), CONTENTS[kind])
    assert body.decode(kind, octets) == (header_for(kind), CONTENTS[kind])
    assert body.peek(kind, octets) == header_for(kind)


@pytest.mark.parametrize("kind", TABLED)
def test_the_field_tables_cannot_exceed_the_types_size(kind: MessageType) -> None:
    front = HEADER_BYTES_MAX if kind in SEQUENCED else 1
    assert 1 + 1 + front + body.SCHEMAS[kind].max_bytes <= RULES[kind].body_bytes_max


@pytest.mark.parametrize("kind", MessageType)
def test_a_header_is_there_exactly_when_the_type_has_one(kind: MessageType) -> None:
    wrong = None if kind in SEQUENCED else header()
    with pytest.raises(WireError):
        body.encode(kind, wrong, CONTENTS[kind])
    with pytest.raises(WireError):
        body.decode(kind, b"\x00" + pack([wrong.to_list() if wrong else None, CONTENTS[kind]]))


def test_a_type_of_the_other_stream_is_refused() -> None:
    with pytest.raises(WireError, match="stream"):
        body.encode(MessageType.SUMMARY, header(stream="uplink"), CONTENTS[MessageType.SUMMARY])
    forged = b"\x00" + pack([header(stream="uplink").to_list(), CONTENTS[MessageType.FINDING]])
    with pytest.raises(WireError, match="stream"):
        body.decode(MessageType.FINDING, forged)


@pytest.mark.parametrize("kind", MessageType)
def test_no_type_passes_as_another(kind: MessageType) -> None:
    octets = body.encode(kind, header_for(kind), CONTENTS[kind])
    for other in MessageType:
        if other != kind:
            with pytest.raises(WireError):
                body.decode(other, octets)


@pytest.mark.parametrize("kind", MessageType)
def test_every_field_is_needed_and_no_other_is_known(kind: MessageType) -> None:
    for key in CONTENTS[kind]:
        less = {name: value for name, value in CONTENTS[kind].items() if name != key}
        with pytest.raises(WireError, match=key):
            body.encode(kind, header_for(kind), less)
        with pytest.raises(WireError):
            body.encode(kind, header_for(kind), CONTENTS[kind] | {key: None})
    with pytest.raises(WireError, match="extra"):
        body.encode(kind, header_for(kind), CONTENTS[kind] | {"extra": 1})


BAD: list[tuple[bytes, str]] = [
    (b"", "too-large"),
    (b"\x02\x92\xc0\x80", "bad-encoding"),
    (b"\xff", "bad-encoding"),
    (b"\x00", "bad-encoding"),
    (b"\x00\x93\xc0\x80\x80", "bad-schema"),
    (b"\x00\x92\xc0\x90", "bad-schema"),
    (b"\x00\x80", "bad-schema"),
    (b"\x00\x92\xc0\x80", "bad-schema"),
    (b"\x00\x92\x90\x80", "bad-schema"),
    (b"\x01abc", "bad-encoding"),
    (b"\x01" + deflate(bytes(1 << 20)), "too-large"),
    (bytes(2048), "too-large"),
]


@pytest.mark.parametrize(("octets", "reason"), BAD)
def test_bad_bodies_are_refused(octets: bytes, reason: str) -> None:
    with pytest.raises(WireError) as refused:
        body.decode(MessageType.EPOCH, octets)
    assert refused.value.reason == reason


def test_a_body_inflates_to_no_more_than_the_largest_plain_one() -> None:
    most = RULES[MessageType.SUMMARY].body_bytes_max
    with pytest.raises(WireError) as refused:
        body.decode(MessageType.SUMMARY, b"\x01" + deflate(bytes(most)))
    assert refused.value.reason == "too-large"


def test_encode_refuses_what_is_too_large_even_when_zlib_would_save_it() -> None:
    content = CONTENTS[MessageType.SUMMARY] | {"dv": [4096, *[bytes(4096)] * 10], "ed": [4096, *[bytes(4096)] * 8]}
    with pytest.raises(WireError) as refused:
        body.encode(MessageType.SUMMARY, header(), content)
    assert refused.value.reason == "too-large"


def _with_each_leaf(value: Any, odd: Any) -> Iterator[Any]:
    """Copies of `value`, in each of which another number, text or octet string has become `odd`."""
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            for changed in _with_each_leaf(child, odd):
                copy: Any = value.copy()
                copy[key] = changed
                yield copy
    else:
        yield odd


@pytest.mark.parametrize("odd", [1.5, True, None, (1,), np.int64(1), bytearray(16)], ids=lambda odd: type(odd).__name__)
@pytest.mark.parametrize("kind", MessageType)
def test_the_field_tables_let_nothing_pass_that_has_no_place_in_a_message(kind: MessageType, odd: Any) -> None:
    copies = list(_with_each_leaf(CONTENTS[kind], odd))
    for content in copies:
        try:
            octets = body.encode(kind, header_for(kind), content)
        except WireError:
            continue
        assert odd is None or odd == (1,), f"{odd!r} was sent in {content}"
        assert body.decode(kind, octets)
    assert copies


def test_a_free_field_is_no_deeper_than_the_whole_message_may_be() -> None:
    deep: Any = 1
    for _ in range(LIMITS.max_depth - LEVELS_ABOVE):
        deep = {"a": deep}
    content = CONTENTS[MessageType.COMMAND] | {"args": deep}
    assert body.decode(MessageType.COMMAND, body.encode(MessageType.COMMAND, None, content))[1] == content
    with pytest.raises(WireError, match="nested"):
        body.encode(MessageType.COMMAND, None, content | {"args": {"a": deep}})


def test_small_bodies_stay_plain_and_like_ones_are_deflated() -> None:
    assert body.encode(MessageType.EPOCH, None, CONTENTS[MessageType.EPOCH])[0] == body.PLAIN
    rows = [200, *[bytes([7]) * 200] * 10]
    octets = body.encode(MessageType.SUMMARY, header(), CONTENTS[MessageType.SUMMARY] | {"dv": rows})
    assert octets[0] == body.ZLIB
    assert len(octets) < len(body.inflated(MessageType.SUMMARY, octets))


def test_a_later_version_can_be_peeked_at_but_not_decoded() -> None:
    octets = b"\x00" + pack([header().to_list(), {"new": 1}])
    assert body.peek("wardtap/summary.v3", octets) == header()
    with pytest.raises(WireError) as refused:
        body.decode("wardtap/summary.v3", octets)
    assert refused.value.reason == "unknown-type"


@given(st.sampled_from(MessageType), st.binary(max_size=300))
def test_any_octets_are_refused_or_decoded(kind: MessageType, octets: bytes) -> None:
    reason = ""
    try:
        body.decode(kind, octets)
    except WireError as error:
        reason = error.reason
    assert reason in {"", "bad-encoding", "bad-schema", "too-large"}
