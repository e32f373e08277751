"""IntelliVue: message kinds, maker and model; never a bed."""

import struct

from agent.packets.hints import intellivue
from agent.packets.hints.records import Signal
from tests.forge.bedside import poll
from tests.packets.hints.samples import MONITOR_MAC, OWN, connect_indication


def test_a_monitor_that_asks_to_be_connected() -> None:
    assert intellivue.read(connect_indication()) == [
        Signal("intellivue.says", "connect-indication"),
        Signal("intellivue.maker", "Philips"),
        Signal("intellivue.model", "M8007A"),
        Signal("intellivue.address", "monitor", MONITOR_MAC, OWN),
    ]


def test_no_bed_label() -> None:
    whole = connect_indication()
    for at in range(len(whole)):
        for value in (0x00, 0x09, 0x1E, 0x28, 0xFF):
            changed = whole[:at] + bytes([value]) + whole[at + 1 :]
            assert not [s for s in intellivue.read(changed) if "B07" in s.value and s.kind == "intellivue.says"]


def test_data_export_by_its_operation() -> None:
    assert intellivue.read(poll(7, answer=True)) == [Signal("intellivue.says", "result")]
    assert intellivue.read(poll(7, answer=False)) == [Signal("intellivue.says", "invoke")]


def test_steps_of_an_association() -> None:
    for first, word in ((0x0D, "association-request"), (0x0E, "association-accept"), (0x0C, "association-refuse")):
        assert intellivue.read(bytes([first, 0x40]) + bytes(64)) == [Signal("intellivue.says", word)]


def test_counts_that_lie() -> None:
    whole = connect_indication()
    for field in range(0, len(whole) - 1, 2):
        for value in (0, 1, 65535):
            changed = whole[:field] + struct.pack(">H", value) + whole[field + 2 :]
            assert len(intellivue.read(changed)) <= 16
