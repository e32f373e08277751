"""DNS questions and answers."""

from agent.packets.hints import dns
from agent.packets.hints.records import Signal
from tests.packets.hints.payloads import dns as message


def test_a_question_in_lower_case() -> None:
    assert dns.read_query(message(0x0100, [("WWW.Facebook.com", 1)], [])) == [Signal("dns.asks", "www.facebook.com")]


def test_an_answer_under_the_name_that_was_asked() -> None:
    records = [("www.x.example", 5, b"\1a\0"), ("cdn.example", 1, b"\1\2\3\4"), ("cdn.example", 28, bytes(16))]
    assert dns.read_answer(message(0x8180, [("www.x.example", 1)], records)) == [
        Signal("dns.answer", "www.x.example", None, b"\1\2\3\4"),
        Signal("dns.answer", "www.x.example", None, bytes(16)),
    ]


def test_a_failure_is_named() -> None:
    assert dns.read_answer(message(0x8183, [("x.example", 1)], [])) == [Signal("dns.code", "name-error")]


def test_each_reader_takes_its_own_direction() -> None:
    assert dns.read_query(message(0x8180, [("x.example", 1)], [])) == []
    assert dns.read_answer(message(0x0100, [("x.example", 1)], [])) == []
