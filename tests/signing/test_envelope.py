"""Envelopes: every bit matters, every signature is for one type, one agent, one role."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import Refused, WireError
from agent.signing.envelope import (
    SEALED_BYTES_MAX,
    add_signature,
    open_enrol,
    open_envelope,
    pae,
    require_origin,
    require_role,
    require_site,
    seal,
)
from agent.signing.keys import ORDER_L, PrivateKey
from agent.signing.roster import Trust
from agent.wire import body, topics
from agent.wire.codec import pack, unpack
from agent.wire.types import ENVELOPE_OVERHEAD_BYTES, RULES, MessageType, Role
from tests.signing.people import (
    AGENT,
    COLLECTOR,
    CUSTODIAN,
    ENGINEER,
    ENTRIES,
    OPERATOR,
    OTHER_AGENT,
    RELEASES,
    SIGNER_OF,
    STRANGER,
    TRUST,
)
from tests.wire.samples import BOOT, CONTENTS, header, header_for

SIGNED_TYPES = [kind for kind in MessageType if kind != MessageType.ENROL]


def _body(kind: MessageType) -> bytes:
    return body.encode(kind, header_for(kind), CONTENTS[kind])


def _keys(kind: MessageType) -> list[PrivateKey]:
    rule = RULES[kind]
    if Role.RELEASE in rule.signers:
        return RELEASES[:2]
    return [SIGNER_OF[min(rule.signers)]]


def _reason(data: bytes, trust: Trust = TRUST, **how: Any) -> str:
    with pytest.raises(Refused) as refused:
        open_envelope(data, trust, **how)
    return refused.value.reason


@pytest.mark.parametrize("kind", SIGNED_TYPES)
def test_what_is_sealed_opens_with_the_exact_body(kind: MessageType) -> None:
    opened = open_envelope(seal(kind, _body(kind), _keys(kind)), TRUST, expect=[kind])
    assert (opened.type, opened.kind, opened.body) == (kind, kind, _body(kind))
    assert [entry.key_id for entry in opened.signers] == [key.key_id for key in _keys(kind)]
    assert opened.signer == opened.signers[0]


def test_sealing_again_gives_the_same_octets() -> None:
    first, second = (seal(MessageType.FINDING, _body(MessageType.FINDING), [AGENT]) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("kind", [MessageType.GAP, MessageType.COMMAND])
def test_a_flip_of_any_bit_is_refused(kind: MessageType) -> None:
    sealed = seal(kind, _body(kind), _keys(kind))
    for place in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[place // 8] ^= 1 << place % 8
        assert _reason(bytes(flipped)) in {"bad-envelope", "bad-signature", "unknown-key", "wrong-type", "too-large"}


def test_a_flip_of_any_bit_of_a_two_signer_message_is_refused() -> None:
    sealed = seal(MessageType.COMMAND, _body(MessageType.COMMAND), [ENGINEER, CUSTODIAN])
    for place in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[place // 8] ^= 1 << place % 8
        _reason(bytes(flipped))


def test_a_cut_or_longer_message_is_refused() -> None:
    sealed = seal(MessageType.GAP, _body(MessageType.GAP), [AGENT])
    for octets in (*range(len(sealed)),):
        assert _reason(sealed[:octets]) == "bad-envelope"
    assert _reason(sealed + b"\x00") == "bad-envelope"


@pytest.mark.parametrize("kind", SIGNED_TYPES)
def test_a_signature_for_one_type_is_worth_nothing_for_another(kind: MessageType) -> None:
    _, _, octets, signatures = unpack(seal(kind, _body(kind), _keys(kind)))
    for other in MessageType:
        if other != kind:
            assert _reason(pack([1, str(other), octets, signatures])) in {"bad-signature", "not-allowed", "too-large"}


@pytest.mark.parametrize("kind", SIGNED_TYPES)
def test_only_the_roles_of_the_table_may_sign(kind: MessageType) -> None:
    rule = RULES[kind]
    if rule.signers_min > 1:
        return
    for role, key in SIGNER_OF.items():
        sealed = seal(kind, _body(kind), [key])
        if role in rule.signers:
            assert open_envelope(sealed, TRUST).signer.role == role
        else:
            assert _reason(sealed) == "not-allowed"


@pytest.mark.parametrize("kind", [MessageType.TRUST, MessageType.RELEASE])
def test_trust_and_release_need_two_different_release_keys(kind: MessageType) -> None:
    octets = _body(kind)
    assert len(open_envelope(seal(kind, octets, RELEASES), TRUST).signers) == 3
    assert _reason(seal(kind, octets, RELEASES[:1])) == "not-allowed"
    assert _reason(seal(kind, octets, [RELEASES[0], RELEASES[0]])) == "not-allowed"
    assert _reason(seal(kind, octets, [RELEASES[0], CUSTODIAN])) == "not-allowed"
    assert _reason(seal(kind, octets, [RELEASES[0], STRANGER])) == "unknown-key"


def test_every_signature_must_be_good_even_when_enough_others_are() -> None:
    _, name, octets, signatures = unpack(seal(MessageType.TRUST, _body(MessageType.TRUST), RELEASES))
    signatures[2][1] = bytes(64)
    assert _reason(pack([1, name, octets, signatures])) == "bad-signature"


def test_an_unknown_key_is_refused_before_its_signature_is_looked_at() -> None:
    assert _reason(seal(MessageType.GAP, _body(MessageType.GAP), [STRANGER])) == "unknown-key"


def test_another_keys_id_is_refused() -> None:
    _, name, octets, signatures = unpack(seal(MessageType.GAP, _body(MessageType.GAP), [STRANGER]))
    signatures[0][0] = AGENT.key_id
    assert _reason(pack([1, name, octets, signatures])) == "bad-signature"


def test_a_malleated_signature_is_refused() -> None:
    _, name, octets, signatures = unpack(seal(MessageType.GAP, _body(MessageType.GAP), [AGENT]))
    s = int.from_bytes(signatures[0][1][32:], "little")
    signatures[0][1] = signatures[0][1][:32] + (s + ORDER_L).to_bytes(32, "little")
    assert _reason(pack([1, name, octets, signatures])) == "bad-signature"


def test_a_key_is_good_only_in_its_time() -> None:
    trust = Trust([replace(ENTRIES[0], not_before_ns=10, not_after_ns=20)])
    sealed = seal(MessageType.GAP, _body(MessageType.GAP), [AGENT])
    assert open_envelope(sealed, trust, now_ns=15).signer.name == "tap-1"
    assert open_envelope(sealed, trust).signer.name == "tap-1"  # a tap without a clock cannot judge it
    assert _reason(sealed, trust, now_ns=9) == "expired-key"
    assert _reason(sealed, trust, now_ns=21) == "expired-key"


def test_one_key_that_is_over_is_enough_to_refuse() -> None:
    over = replace(ENTRIES[4], not_after_ns=20)
    trust = Trust([over, ENTRIES[5]])
    for keys in ([ENGINEER, CUSTODIAN], [CUSTODIAN, ENGINEER]):
        sealed = seal(MessageType.COMMAND, _body(MessageType.COMMAND), keys)
        assert len(open_envelope(sealed, trust, now_ns=20).signers) == 2
        assert _reason(sealed, trust, now_ns=21) == "expired-key"


def test_an_algorithm_of_the_table_that_is_not_ours_is_no_key() -> None:
    trust = Trust([replace(ENTRIES[0], algorithm="none")])
    assert _reason(seal(MessageType.GAP, _body(MessageType.GAP), [AGENT]), trust) == "unknown-key"


def test_only_expected_types_are_opened() -> None:
    sealed = seal(MessageType.SUMMARY, _body(MessageType.SUMMARY), [AGENT])
    assert _reason(sealed, expect=[MessageType.COMMAND]) == "wrong-type"
    assert open_envelope(sealed, TRUST, expect=topics.parse(topics.up("ward", "tap-1", "summary")).types)


def test_a_type_of_a_newer_agent_is_authentic_and_opaque() -> None:
    for name in ("wardtap/summary.v3", "wardtap/weather.v1"):
        opened = open_envelope(seal(name, b"anything", [AGENT]), TRUST)
        assert (opened.type, opened.kind, opened.body) == (name, None, b"anything")
        assert _reason(seal(name, b"anything", [OPERATOR])) == "not-allowed"
    assert _reason(seal("wardtap/command.v2", b"anything", [AGENT])) == "not-allowed"


SIGNATURE = [bytes(8), bytes(64)]
NOT_ENVELOPES: dict[str, Any] = {
    "nothing": None,
    "a number": 1,
    "a map": {},
    "too few": [1, "wardtap/gap.v1", b""],
    "too many": [1, "wardtap/gap.v1", b"", [SIGNATURE], 1],
    "another version": [2, "wardtap/gap.v1", b"", [SIGNATURE]],
    "a version in octets": [b"\x01", "wardtap/gap.v1", b"", [SIGNATURE]],
    "a type in octets": [1, b"wardtap/gap.v1", b"", [SIGNATURE]],
    "a long type": [1, "wardtap/" + "g" * 40 + ".v1", b"", [SIGNATURE]],
    "a body of text": [1, "wardtap/gap.v1", "body", [SIGNATURE]],
    "no signature": [1, "wardtap/gap.v1", b"", []],
    "four signatures": [1, "wardtap/gap.v1", b"", [SIGNATURE] * 4],
    "five signatures": [1, "wardtap/gap.v1", b"", [SIGNATURE] * 5],
    "a short key id": [1, "wardtap/gap.v1", b"", [[bytes(7), bytes(64)]]],
    "a long signature": [1, "wardtap/gap.v1", b"", [[bytes(8), bytes(65)]]],
    "a key id of text": [1, "wardtap/gap.v1", b"", [["a" * 8, bytes(64)]]],
    "a signature with a third place": [1, "wardtap/gap.v1", b"", [[*SIGNATURE, 1]]],
    "a signature that is none": [1, "wardtap/gap.v1", b"", [1]],
    "signatures in a map": [1, "wardtap/gap.v1", b"", {"a": SIGNATURE}],
    "nested": [1, "wardtap/gap.v1", b"", [[[[1]]]]],
}


@pytest.mark.parametrize("name", NOT_ENVELOPES)
def test_another_structure_is_refused(name: str) -> None:
    assert _reason(pack(NOT_ENVELOPES[name])) == "bad-envelope"


def test_a_longer_spelling_of_the_same_envelope_is_refused() -> None:
    sealed = seal(MessageType.GAP, _body(MessageType.GAP), [AGENT])
    assert sealed[:2] == b"\x94\x01"
    longer = [b"\x94\xcc\x01" + sealed[2:], b"\xdc\x00\x04" + sealed[1:], b"\xdd\x00\x00\x00\x04" + sealed[1:]]
    assert unpack(longer[0]) == unpack(longer[1]) == unpack(longer[2]) == unpack(sealed)
    for spelling in longer:
        assert _reason(spelling) == "bad-envelope"


@pytest.mark.parametrize("name", ["", "summary.v1", "wardtap/summary.v0", "wardtap/../x.v1", "wardtap/summary.v1 "])
def test_what_is_no_type_is_refused(name: str) -> None:
    assert _reason(pack([1, name, b"", [SIGNATURE]])) == "wrong-type"


@pytest.mark.parametrize("kind", MessageType)
def test_no_sealed_message_is_larger_than_its_type_allows(kind: MessageType) -> None:
    rule = RULES[kind]
    keys = [*RELEASES, AGENT][: rule.signers_max]
    assert len(seal(kind, bytes(rule.body_bytes_max), keys)) <= rule.sealed_bytes_max
    with pytest.raises(WireError) as refused:
        seal(kind, bytes(rule.body_bytes_max + 1), keys)
    assert refused.value.reason == "too-large"
    forged = pack([1, str(kind), bytes(rule.body_bytes_max + 1), [SIGNATURE]])
    assert _reason(forged) == "too-large"


def test_the_overhead_covers_every_envelope() -> None:
    longest = pack([1, "wardtap/" + "a" * 24 + ".v999", bytes(1 << 20), [SIGNATURE] * 3])
    assert len(longest) - (1 << 20) <= ENVELOPE_OVERHEAD_BYTES


def test_a_huge_message_is_refused_unread() -> None:
    assert _reason(bytes(SEALED_BYTES_MAX + 1)) == "too-large"


@given(st.binary(max_size=400))
def test_any_octets_are_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        open_envelope(data, TRUST)


@given(st.binary(max_size=200), st.binary(max_size=200), st.sampled_from(SIGNED_TYPES), st.sampled_from(SIGNED_TYPES))
def test_no_two_messages_have_one_encoding(one: bytes, other: bytes, kind: MessageType, another: MessageType) -> None:
    assert (pae(kind, one) == pae(another, other)) == ((kind, one) == (another, other))


def test_seal_refuses_no_key_and_too_many() -> None:
    for keys in ([], [AGENT, OTHER_AGENT]):
        with pytest.raises(WireError) as refused:
            seal(MessageType.GAP, _body(MessageType.GAP), keys)
        assert refused.value.reason == "bad-envelope"


def test_a_second_signature_can_be_added_elsewhere() -> None:
    octets = _body(MessageType.COMMAND)
    one = seal(MessageType.COMMAND, octets, [ENGINEER])
    assert add_signature(one, CUSTODIAN) == seal(MessageType.COMMAND, octets, [ENGINEER, CUSTODIAN])
    with pytest.raises(WireError):
        add_signature(add_signature(one, CUSTODIAN), OPERATOR)


def test_an_agent_speaks_for_itself_only() -> None:
    octets = _body(MessageType.SUMMARY)
    mine = topics.parse(topics.up("ward", "tap-1", "summary"))
    own = open_envelope(seal(MessageType.SUMMARY, octets, [AGENT]), TRUST)
    require_origin(own, body.peek(own.type, own.body), mine)
    other = open_envelope(seal(MessageType.SUMMARY, octets, [OTHER_AGENT]), TRUST)
    theirs = topics.parse(topics.up("ward", "tap-2", "summary"))
    for opened, place in ((other, mine), (other, theirs), (own, theirs)):
        with pytest.raises(Refused) as refused:
            require_origin(opened, header(), place)
        assert refused.value.reason == "wrong-agent"
    for other_header in (header(agent="tap-2"), header(site="other")):
        with pytest.raises(Refused) as refused:
            require_origin(own, other_header, mine)
        assert refused.value.reason == "wrong-agent"
    with pytest.raises(Refused) as refused:
        require_origin(own, header(), topics.parse(topics.up("other", "tap-1", "summary")))
    assert refused.value.reason == "wrong-agent"


def test_a_message_on_the_topic_of_another_type_is_refused() -> None:
    opened = open_envelope(seal(MessageType.SUMMARY, _body(MessageType.SUMMARY), [AGENT]), TRUST)
    with pytest.raises(Refused) as refused:
        require_origin(opened, header(), topics.parse(topics.up("ward", "tap-1", "finding")))
    assert refused.value.reason == "wrong-topic"


def test_what_people_sign_has_no_agent_as_origin() -> None:
    opened = open_envelope(seal(MessageType.COMMAND, _body(MessageType.COMMAND), [OPERATOR]), TRUST)
    with pytest.raises(Refused) as refused:
        require_origin(opened, None)
    assert refused.value.reason == "not-allowed"


def _command(*keys: PrivateKey) -> Any:
    return open_envelope(seal(MessageType.COMMAND, _body(MessageType.COMMAND), keys), TRUST)


@pytest.mark.parametrize(
    ("keys", "role", "allowed"),
    [
        ([OPERATOR], "operator", True),
        ([COLLECTOR], "operator", True),
        ([COLLECTOR], "engineer", False),
        ([COLLECTOR], "custodian", False),
        ([COLLECTOR], "collector", False),
        ([OPERATOR], "engineer", False),
        ([CUSTODIAN], "custodian", True),
        ([CUSTODIAN], "operator", False),
        ([ENGINEER, CUSTODIAN], "engineer", False),
        ([ENGINEER, COLLECTOR], "engineer", False),
    ],
)
def test_a_role_is_what_the_key_holds(keys: list[PrivateKey], role: str, allowed: bool) -> None:
    opened = _command(*keys)
    if allowed:
        require_role(opened, role)
        return
    with pytest.raises(Refused) as refused:
        require_role(opened, role)
    assert refused.value.reason == "not-allowed"


def test_a_key_of_another_site_is_refused() -> None:
    opened = _command(OPERATOR)
    require_site(opened, "ward")
    with pytest.raises(Refused) as refused:
        require_site(opened, "other")
    assert refused.value.reason == "wrong-site"


def _enrolment(key: PrivateKey, signer: PrivateKey) -> bytes:
    content = CONTENTS[MessageType.ENROL] | {"public": key.public.raw}
    return seal(MessageType.ENROL, body.encode(MessageType.ENROL, None, content), [signer])


def test_an_enrolment_is_signed_by_the_key_it_brings() -> None:
    content, key = open_enrol(_enrolment(STRANGER, STRANGER))
    assert (content["agent"], content["boot"], key) == ("tap-1", BOOT, STRANGER.public)
    with pytest.raises(Refused) as refused:
        open_enrol(_enrolment(STRANGER, AGENT))
    assert refused.value.reason == "bad-signature"


def test_an_enrolment_opens_no_other_way_and_nothing_else_opens_as_one() -> None:
    assert _reason(_enrolment(AGENT, AGENT)) == "not-allowed"
    with pytest.raises(Refused) as refused:
        open_enrol(seal(MessageType.STATE, _body(MessageType.STATE), [AGENT]))
    assert refused.value.reason == "wrong-type"


def test_an_enrolment_with_a_small_order_key_is_refused() -> None:
    neutral = b"\x01" + bytes(31)
    content = CONTENTS[MessageType.ENROL] | {"public": neutral}
    octets = body.encode(MessageType.ENROL, None, content)
    identity = hashlib.sha256(b"ed25519" + neutral).digest()[:8]
    forged = pack([1, str(MessageType.ENROL), octets, [[identity, neutral + bytes(32)]]])
    with pytest.raises(Refused) as refused:
        open_enrol(forged)
    assert refused.value.reason == "bad-key"


def test_a_flip_of_any_bit_of_an_enrolment_is_refused() -> None:
    sealed = _enrolment(STRANGER, STRANGER)
    for place in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(Refused):
            open_enrol(bytes(flipped))
