"""SNMP: version and kind of message; never the community."""

from pathlib import Path

import pytest

from agent.packets.hints import snmp
from agent.packets.hints.records import Signal
from tests.packets.hints.samples import CISCO_OBJECT, ber, snmp_3, snmp_trap
from tests.packets.hints.samples import snmp as message
from tests.packets.hints.tshark import fields

COMMUNITY = Signal("credentials.clear", "snmp")


def test_a_question() -> None:
    assert snmp.read(message(0xA0)) == [Signal("snmp.version", "2c"), COMMUNITY, Signal("snmp.message", "get")]
    assert snmp.read(message(0xA3, version=0))[::2] == [Signal("snmp.version", "1"), Signal("snmp.message", "set")]


def test_an_answer_says_who_made_the_system() -> None:
    assert snmp.read(message(0xA2, value=ber(6, CISCO_OBJECT)))[-1] == Signal("snmp.enterprise", "9")
    assert snmp.read(message(0xA2, value=ber(4, b"text")))[-1] == Signal("snmp.message", "response")
    assert snmp.read(snmp_trap())[-1] == Signal("snmp.enterprise", "9")


def test_of_version_3_the_version_only() -> None:
    assert snmp.read(snmp_3()) == [Signal("snmp.version", "3")]


def test_no_community_for_any_cut_and_any_changed_octet() -> None:
    whole = message(0xA2, value=ber(6, CISCO_OBJECT))
    for at in range(len(whole)):
        for value in (0x00, 0x06, 0x7F, 0x80, 0x82, 0xFF):
            changed = whole[:at] + bytes([value]) + whole[at + 1 :]
            assert not [s for s in (*snmp.read(changed), *snmp.read(whole[:at])) if "QUILL" in s.value]


def test_without_a_community_nothing_was_seen_in_clear() -> None:
    assert COMMUNITY not in snmp.read(message(0xA0, community=b""))


@pytest.mark.parametrize(
    "head", [b"\x30\x84\xff\xff\xff\xff", b"\x30\xff", b"\x30\x80", b"\x30\x82\xff\xff", b"\x31\2\2\0"]
)
def test_lengths_that_lie_are_silent(head: bytes) -> None:
    assert snmp.read(head + message(0xA0)[2:]) == []


@pytest.mark.captures
def test_tshark_says_the_same(captures: Path) -> None:
    names = {
        "0": "get",
        "1": "get-next",
        "2": "response",
        "3": "set",
        "5": "get-bulk",
        "6": "inform",
        "7": "trap",
        "4": "trap",
    }
    same = 0
    path = captures / "cleartext" / "snmp_v1v2_ndpi.pcapng"
    for payload, version, kind in fields(path, "snmp && udp", "udp.payload", "snmp.version", "snmp.data"):
        if not version:
            continue  # version 3 has other fields
        found = {signal.kind: signal.value for signal in snmp.read(bytes.fromhex(payload[0]))}
        assert found["snmp.version"] == {"0": "1", "1": "2c", "3": "3"}[version[0]]
        assert found.get("snmp.message") == (names[kind[0]] if kind and version[0] != "3" else None)
        same += 1
    assert same > 20
