"""Fixed key, fixed clock, exact octets; and a reader that knows nothing but the document agrees."""

import json
from typing import Any

import pytest

from agent.signing.envelope import open_enrol, open_envelope, pae, seal
from agent.signing.keys import PrivateKey
from agent.wire import body, summary_v1
from agent.wire.summary import Summary
from agent.wire.types import MessageType
from tests.golden.wire import reader
from tests.golden.wire.make import SIGNERS, VECTORS, content_of
from tests.signing.people import AGENT, OTHER_AGENT, TRUST
from tests.wire.samples import OLDER, SUMMARY, header_for

STORED: dict[str, dict[str, Any]] = {one["type"]: one for one in json.loads(VECTORS.read_text())["vectors"]}
KINDS = list(MessageType)


def _keys(kind: MessageType) -> list[PrivateKey]:
    return SIGNERS.get(kind, [AGENT])


def _publics(stored: dict[str, Any]) -> dict[bytes, bytes]:
    return {bytes.fromhex(key["key_id"]): bytes.fromhex(key["public"]) for key in stored["keys"]}


def test_every_type_has_a_vector() -> None:
    assert list(STORED) == [str(kind) for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS)
def test_the_inflated_octets_are_exact(kind: MessageType) -> None:
    octets = body.encode(kind, header_for(kind), content_of(kind))
    assert body.inflated(kind, octets).hex() == STORED[kind]["inflated"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_stored_body_is_signed_as_stored(kind: MessageType) -> None:
    stored = STORED[kind]
    octets = bytes.fromhex(stored["body"])
    assert pae(kind, octets).hex() == stored["signed"]
    assert seal(kind, octets, _keys(kind)).hex() == stored["sealed"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != MessageType.ENROL])
def test_the_stored_message_opens(kind: MessageType) -> None:
    opened = open_envelope(bytes.fromhex(STORED[kind]["sealed"]), TRUST, expect=[kind])
    assert body.decode(opened.type, opened.body) == (header_for(kind), content_of(kind))


def test_the_stored_enrolment_opens() -> None:
    content, _ = open_enrol(bytes.fromhex(STORED[MessageType.ENROL]["sealed"]))
    assert content == content_of(MessageType.ENROL)


def test_a_summary_is_stored_deflated_and_a_bell_plain() -> None:
    assert STORED[MessageType.SUMMARY]["body"].startswith("01")
    assert STORED[MessageType.EPOCH]["body"].startswith("00")


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_made_from_the_document_agrees(kind: MessageType) -> None:
    name, header, content = reader.open_sealed(bytes.fromhex(STORED[kind]["sealed"]), _publics(STORED[kind]))
    expected = header_for(kind)
    assert name == kind
    assert header == (expected.to_list() if expected else None)
    assert content == content_of(kind)


def test_the_reader_finds_the_rows_of_a_summary() -> None:
    stored = STORED[MessageType.SUMMARY]
    _, _, content = reader.open_sealed(bytes.fromhex(stored["sealed"]), _publics(stored))
    assert reader.rows(content["dv"]) == [list(row) for row in SUMMARY.rows]
    assert sorted(reader.edges(content["sv"], content["ad"], content["ed"])) == [list(edge) for edge in SUMMARY.edges]
    assert Summary.from_content(content) == SUMMARY


def test_a_summary_of_the_first_version_is_still_read() -> None:
    stored = STORED[MessageType.SUMMARY_V1]
    _, _, content = reader.open_sealed(bytes.fromhex(stored["sealed"]), _publics(stored))
    assert reader.rows_v1(content["dv"]) == [list(row) for row in OLDER.rows]
    assert reader.rows_v1(content["ed"]) == [list(edge) for edge in OLDER.edges]
    assert summary_v1.from_content(content) == OLDER


def test_the_reader_refuses_what_is_not_authentic() -> None:
    stored = STORED[MessageType.GAP]
    sealed = bytearray.fromhex(stored["sealed"])
    sealed[40] ^= 1
    with pytest.raises(AssertionError):
        reader.open_sealed(bytes(sealed), _publics(stored))
    other = {AGENT.key_id: OTHER_AGENT.public.raw}
    with pytest.raises(AssertionError):
        reader.open_sealed(bytes.fromhex(stored["sealed"]), other)
