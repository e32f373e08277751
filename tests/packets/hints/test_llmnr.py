"""LLMNR."""

from agent.packets.hints import llmnr
from agent.packets.hints.records import Signal
from tests.packets.hints.payloads import dns


def test_question_and_answer() -> None:
    assert llmnr.read(dns(0, [("cart-7", 1)], [])) == [Signal("llmnr.asks", "cart-7")]
    answer = dns(0x8000, [("cart-7", 1)], [("cart-7", 1, b"\1\2\3\4")])
    assert llmnr.read(answer) == [Signal("llmnr.host", "cart-7", None, b"\1\2\3\4")]
