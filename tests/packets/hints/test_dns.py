"""DNS questions and answers."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from agent.packets.hints import dns
from agent.packets.hints.records import Signal
from tests.packets.hints.payloads import dns as message
from tests.packets.hints.tshark import fields


def test_a_question_in_lower_case() -> None:
    assert dns.read_query(message(0x0100, [("WWW.Facebook.com", 1)], [])) == [Signal("dns.asks", "www.facebook.com")]


def test_an_answer_under_the_name_that_was_asked() -> None:
    records = [("www.x.example", 5, b"\1a\0"), ("cdn.example", 1, b"\1\2\3\4"), ("cdn.example", 28, bytes(16))]
    assert dns.read_answer(message(0x8180, [("www.x.example", 1)], records)) == [
        Signal("dns.answer", "www.x.example", None, b"\1\2\3\4"),
        Signal("dns.answer", "www.x.example", None, bytes(16)),
    ]


def test_a_failure_is_named() -> None:
    assert dns.read_answer(message(0x8182, [("x.example", 1)], [])) == [Signal("dns.code", "server-failure")]
    assert dns.read_answer(message(0x8183, [("X.example", 1)], [])) == [
        Signal("dns.code", "name-error"),
        Signal("dns.failed", "x.example"),
    ]


def test_what_is_asked_for_beside_addresses() -> None:
    kinds = [(16, "TXT"), (10, "NULL"), (33, "SRV"), (65399, "other")]
    for number, name in kinds:
        asked = dns.read_query(message(0x0100, [("a.example", number)], []))
        assert asked == [Signal("dns.asks", "a.example"), Signal("dns.type", name)]
    assert dns.read_query(message(0x0100, [("a.example", 28)], [])) == [Signal("dns.asks", "a.example")]


def test_each_reader_takes_its_own_direction() -> None:
    assert dns.read_query(message(0x8180, [("x.example", 1)], [])) == []
    assert dns.read_answer(message(0x0100, [("x.example", 1)], [])) == []


@pytest.mark.captures
def test_tshark_says_the_same(captures: Path) -> None:
    asked = answered = 0
    names = ("udp.payload", "dns.flags.response", "dns.qry.name", "dns.a", "dns.aaaa", "dns.count.queries")
    for path in sorted((captures / "benign").glob("*.pcap*")):
        for payload, answer, queries, four, six, count in fields(path, "dns && udp.port==53 && !icmp", *names):
            raw = bytes.fromhex(payload[0])
            if count != ["1"]:
                continue
            if answer in (["0"], ["False"]):
                asked += 1
                named = [signal.value for signal in dns.read_query(raw) if signal.kind == "dns.asks"]
                assert named == [queries[0].lower()[-128:]]
                continue
            said = [signal for signal in dns.read_answer(raw) if signal.kind == "dns.answer"]
            wanted = {ip_address(text).packed for text in four + six}
            assert {signal.address for signal in said} <= wanted
            assert len(said) == min(len(wanted), 16)
            assert {signal.value for signal in said} <= {queries[0].lower()[-128:]}
            answered += 1
    assert asked > 5
    assert answered > 5
