"""LLDP and LLDP-MED."""

from agent.packets.hints import lldp
from agent.packets.hints.records import Signal
from tests.packets.hints.payloads import CDP, ETHERNET, LLDP, tlv_lldp


def test_a_switch_says_who_it_is() -> None:
    assert lldp.read(LLDP) == [
        Signal("lldp.name", "S1.example", None, b"\x0a\x29\x07\x01"),
        Signal("lldp.description", "Cisco IOS Software"),
        Signal("lldp.capabilities", "bridge"),
        Signal("lldp.model", "WS-C3560"),
    ]


def test_a_sender_without_a_name_is_still_a_sender() -> None:
    frame = ETHERNET + b"\x88\xcc" + tlv_lldp(1, b"\4\0\x18\xba\x98\x68\x8f")
    assert lldp.read(frame) == [Signal("lldp.name", "-")]


def test_an_ipv6_management_address() -> None:
    frame = ETHERNET + b"\x88\xcc" + tlv_lldp(5, b"S") + tlv_lldp(8, b"\x11\2" + bytes(range(16)) + b"\2\0\0\0\1\0")
    assert lldp.read(frame)[0].address == bytes(range(16))


def test_other_frames_are_silent() -> None:
    assert lldp.read(CDP) == []
