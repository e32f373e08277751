"""Cisco Discovery Protocol."""

from agent.packets.hints import cdp
from agent.packets.hints.records import Signal
from tests.packets.hints.payloads import CDP, LLDP


def test_a_switch_says_who_it_is() -> None:
    assert cdp.read(CDP) == [
        Signal("cdp.name", "S1", None, b"\x0a\x29\x07\x01"),
        Signal("cdp.capabilities", "switch"),
        Signal("cdp.capabilities", "igmp"),
        Signal("cdp.version", "Cisco IOS 12.2"),
        Signal("cdp.platform", "cisco WS-C3560-24TS"),
    ]


def test_behind_a_vlan_tag() -> None:
    assert cdp.read(CDP[:12] + b"\x81\x00\x00\x07" + CDP[12:]) == cdp.read(CDP)


def test_other_frames_are_silent() -> None:
    assert cdp.read(LLDP) == []
