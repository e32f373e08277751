"""Spanning tree."""

from pathlib import Path

import pytest

from agent.packets.hints import stp
from agent.packets.hints.records import Signal
from tests.packets.hints.samples import bpdu, topology_change
from tests.packets.hints.tshark import fields


def test_root_bridge_and_change() -> None:
    assert stp.read(bpdu(1, 1)) == [Signal("stp.version", "stp"), Signal("stp.says", "root")]
    assert stp.read(bpdu(1, 2, flags=0x7D, version=2, kind=2)) == [
        Signal("stp.version", "rstp"),
        Signal("stp.says", "bridge"),
        Signal("stp.says", "topology-change"),
    ]
    assert stp.read(topology_change(7)) == [Signal("stp.version", "stp"), Signal("stp.says", "topology-change")]


def test_other_protocols_of_the_same_group_are_silent() -> None:
    frame = bytearray(bpdu(1, 1))
    frame[17:19] = b"\0\1"
    assert stp.read(bytes(frame)) == []


@pytest.mark.captures
def test_tshark_says_the_same(captures: Path) -> None:
    (kinds,) = {
        (version[0], kind[0])
        for version, kind in fields(captures / "encap" / "misc_l2_l3.pcap", "stp", "stp.version", "stp.type")
    }
    assert kinds == ("0", "0x00")
