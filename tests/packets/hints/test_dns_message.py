"""The walk over a DNS message, and that no pointer can keep it busy."""

import struct

from agent.packets.hints import dns_message
from tests.packets.hints.payloads import dns, dns_name


def test_questions_and_records() -> None:
    message = dns_message.walk(dns(0x8180, [("a.example", 1)], [("a.example", 1, b"\1\2\3\4")]))
    assert message.is_answer
    assert message.questions == [dns_message.Question("a.example", 1)]
    assert message.records == [dns_message.Record("a.example", 1, b"\1\2\3\4", "")]


def test_a_pointer_backwards_is_followed() -> None:
    payload = dns(0x8180, [("a.example", 1)], []) + b"\xc0\x0c" + struct.pack(">HHIH", 12, 1, 1, 4) + b"\1x\xc0\x0e"
    payload = payload[:6] + b"\0\1" + payload[8:]
    record = dns_message.walk(payload).records[0]
    assert (record.name, record.target) == ("a.example", "x.example")


def test_loops_end() -> None:
    for pointer in (b"\xc0\x0c", b"\xc0\x0e\xc0\x0c", b"\xff\xff", b"\1a\xc0\x0c"):
        payload = struct.pack(">6H", 1, 0, 1, 0, 0, 0) + pointer + b"\0\1\0\1"
        assert dns_message.walk(payload).questions == []


def test_a_chain_of_pointers_is_bounded() -> None:
    octets = b"\1a\0" + b"".join(struct.pack(">H", 0xC000 | max(0, 3 + 2 * (n - 1)) * (n > 0)) for n in range(40))
    assert dns_message.name(octets, 3)[0] == "a"
    assert dns_message.name(octets, 3 + 2 * dns_message.POINTERS_MAX) == ("", -1)


def test_names_longer_than_the_standard_are_refused() -> None:
    assert dns_message.name(dns_name(".".join(["x" * 60] * 5)), 0) == ("", -1)


def test_a_dot_inside_a_label_does_not_make_a_label() -> None:
    assert dns_message.name(b"\5a.b\tc\0", 0)[0] == "a?b?c"
