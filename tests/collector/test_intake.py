from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collector.intake import Verdict, judge
from agent.collector.records import Arrival, Presence, Record, Refusal
from agent.signing.envelope import seal
from agent.signing.keys import PrivateKey
from agent.signing.roster import TrustEntry
from agent.wire import body, topics
from agent.wire.codec import pack
from agent.wire.delivery import Gap
from agent.wire.finding import FindingRecord
from agent.wire.header import Header
from agent.wire.presence import Birth
from agent.wire.summary import Summary
from agent.wire.types import MessageType
from tests.simulators.reporter import START_NS, Reporter, damaged, summary, trust_of
from tests.wire.samples import content_v1

Judged = Callable[[tuple[str, bytes]], Verdict]


def reason(verdict: Verdict) -> str:
    assert isinstance(verdict, Refusal), verdict
    return verdict.reason


def test_a_summary_becomes_a_record(tap: Reporter, judged: Judged) -> None:
    record = judged(tap.summary())
    assert isinstance(record, Record)
    assert isinstance(record.meaning, Summary)
    assert (record.header.agent, record.header.seq, record.type) == ("tap-1", 1, "wardtap/summary.v2")
    assert record.sha256 == tap.chain.prev  # the hash that the next record names


def test_a_finding_and_a_gap_are_understood(tap: Reporter, judged: Judged) -> None:
    finding = judged(tap.finding())
    gap = judged(tap.sealed(MessageType.GAP, Gap("sensor", tap.chain.run, ((3, 4, "summary", "full"),)).to_content()))
    assert isinstance(finding, Record)
    assert isinstance(finding.meaning, FindingRecord)
    assert isinstance(gap, Record)
    assert isinstance(gap.meaning, Gap)


def test_birth_and_state_become_presences(tap: Reporter, judged: Judged) -> None:
    birth, state = judged(tap.birth()), judged(tap.state("degraded"))
    assert isinstance(birth, Presence)
    assert isinstance(birth.content, Birth)
    assert isinstance(state, Presence)
    assert state.signed


def test_the_unsigned_will_is_a_hint_only_for_a_known_tap(tap: Reporter, judged: Judged) -> None:
    will = judged(tap.will())
    assert isinstance(will, Presence)
    assert not will.signed
    stranger = Reporter("tap-9")
    assert reason(judged(stranger.will())) == "bad-envelope"


def test_an_unsigned_state_other_than_lost_is_no_will(tap: Reporter, judged: Judged) -> None:
    ready = body.encode(
        MessageType.STATE, None, {"agent": "tap-1", "state": "ready", "since_mono_ns": 1, "run": bytes(16)}
    )
    assert reason(judged((topics.up("ward", "tap-1", "state"), ready))) == "bad-envelope"


def test_a_changed_octet_is_refused_and_counted_for_the_tap(tap: Reporter, judged: Judged) -> None:
    verdict = judged(damaged(tap.summary()))
    assert reason(verdict) == "bad-signature"
    assert verdict == Refusal("bad-signature", "tap-1", START_NS)


@pytest.mark.parametrize(
    "topic",
    [
        "wardtap/1/ward/tap-1/up",
        "wardtap/1/ward/tap-1/down/summary",
        "wardtap/1/ward/tap-1/up/nothing",
        "wardtap/2/ward/tap-1/up/summary",
        "wardtap/1/ward/epoch",
        "wardtap/1/ward/TAP/up/summary",
        "x" * 5000,
    ],
)
def test_a_wrong_topic_is_refused(tap: Reporter, judged: Judged, topic: str) -> None:
    assert reason(judged((topic, tap.summary()[1]))) == "wrong-topic"


def test_a_type_on_the_topic_of_another_is_refused(tap: Reporter, judged: Judged) -> None:
    assert reason(judged((tap.topic("wardtap/finding.v1"), tap.summary()[1]))) == "wrong-type"


def test_one_tap_cannot_speak_for_another(tap: Reporter) -> None:
    other = Reporter("tap-2")
    trust = trust_of(tap, other)
    stolen_topic = (other.topic("wardtap/summary.v1"), tap.summary()[1])
    verdict = judge(Arrival(*stolen_topic, START_NS), trust)
    assert verdict == Refusal("wrong-agent", "tap-2", START_NS)
    forged = Reporter("tap-2", key=tap.key)  # header and topic agree, the key is another tap's
    assert reason(judge(Arrival(*forged.summary(), START_NS), trust)) == "wrong-agent"


def test_the_same_name_at_another_site_is_another_tap(tap: Reporter) -> None:
    elsewhere = Reporter(site="annex", key=tap.key)
    assert reason(judge(Arrival(*elsewhere.summary(), START_NS), trust_of(tap))) == "wrong-agent"


def test_an_unknown_key_is_refused_without_a_name(tap: Reporter) -> None:
    stranger = Reporter("tap-7")
    assert judge(Arrival(*stranger.summary(), START_NS), trust_of(tap)) == Refusal("unknown-key", "", START_NS)


def test_an_operator_cannot_report(tap: Reporter) -> None:
    person = PrivateKey.generate()
    entry = TrustEntry.for_key(person.public, "operator", "tap-1", "ward")
    _, octets = tap.chain.next(MessageType.SUMMARY, summary().to_content())
    message = (tap.topic("wardtap/summary.v1"), seal(MessageType.SUMMARY, octets, [person]))
    assert reason(judge(Arrival(*message, START_NS), trust_of(tap, more=(entry,)))) == "not-allowed"


def test_an_unknown_type_of_a_known_tap_is_stored_opaque(tap: Reporter, judged: Judged) -> None:
    later = "wardtap/weather.v1"
    octets = _raw_body(tap, {"new": 1})
    record = judged((topics.up("ward", "tap-1", "uplink"), seal(later, octets, [tap.key])))
    assert isinstance(record, Record)
    assert (record.meaning, record.type) == (None, later)


def test_a_later_version_and_a_broken_content_are_stored_opaque(tap: Reporter, judged: Judged) -> None:
    for kind, why in (("wardtap/summary.v3", "unknown-type"), ("wardtap/summary.v2", "bad-schema")):
        record = judged((tap.topic("wardtap/summary.v1"), seal(kind, _raw_body(tap, {"odd": 1}), [tap.key])))
        assert isinstance(record, Record)
        assert (record.meaning, record.unread) == (None, why)


def test_a_summary_of_the_first_version_means_the_same(tap: Reporter, judged: Judged) -> None:
    told = replace(summary(), cards=tuple(card._replace(posture=()) for card in summary().cards))
    record = judged(tap.sealed(MessageType.SUMMARY_V1, content_v1(told)))
    assert isinstance(record, Record)
    assert (record.meaning, record.unread) == (told, "")


def test_columns_that_do_not_fit_are_stored_opaque_with_their_reason(tap: Reporter, judged: Judged) -> None:
    content = summary().to_content()
    record = judged(tap.sealed(MessageType.SUMMARY, content | {"dv": [1, *content["dv"][1:]]}))
    assert isinstance(record, Record)
    assert (record.meaning, record.unread) == (None, "bad-schema")


def test_a_body_without_a_header_is_refused(tap: Reporter, judged: Judged) -> None:
    octets = b"\x00" + pack([None, {"odd": 1}])
    assert (
        reason(judged((tap.topic("wardtap/summary.v1"), seal("wardtap/summary.v1", octets, [tap.key])))) == "bad-schema"
    )
    garbage = seal("wardtap/summary.v1", b"\x01not zlib", [tap.key])
    assert reason(judged((tap.topic("wardtap/summary.v1"), garbage))) == "bad-encoding"


def test_a_number_that_the_store_cannot_hold_is_refused(tap: Reporter, judged: Judged) -> None:
    octets = _raw_body(tap, {"odd": 1}, seq=2**63)
    assert (
        reason(judged((tap.topic("wardtap/summary.v1"), seal("wardtap/summary.v1", octets, [tap.key])))) == "bad-number"
    )


def _raw_body(tap: Reporter, content: dict[str, Any], seq: int = 1) -> bytes:
    header = Header("tap-1", "ward", "sensor", tap.boot, tap.chain.run, b"", 0, seq, bytes(32), 1, 1, "none", -1)
    return b"\x00" + pack([header.to_list(), content])


@given(st.text(max_size=60), st.binary(max_size=200))
def test_nothing_that_a_stranger_sends_raises(topic: str, payload: bytes) -> None:
    tap = Reporter(key=PrivateKey.from_seed(bytes(32)))
    for place in (topic, "wardtap/1/ward/tap-1/up/summary", "wardtap/1/ward/tap-1/up/state"):
        assert isinstance(judge(Arrival(place, payload, START_NS), trust_of(tap)), Refusal)


def test_nothing_that_a_tap_signs_raises(tap: Reporter, judged: Judged) -> None:
    for octets in (b"", b"\x00", b"\x00\xc0", b"\x02xx", b"\x00" + pack([]), b"\x00" + pack([[], {}])):
        if octets:
            message = (tap.topic("wardtap/summary.v1"), seal("wardtap/summary.v1", octets, [tap.key]))
            assert isinstance(judged(message), Refusal)
    birth = body.encode(
        MessageType.STATE, None, {"agent": "tap-2", "state": "ready", "since_mono_ns": 1, "run": bytes(16)}
    )
    assert (
        reason(judged((topics.up("ward", "tap-1", "state"), seal("wardtap/state.v1", birth, [tap.key]))))
        == "wrong-agent"
    )
