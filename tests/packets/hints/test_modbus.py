"""Modbus: kinds of requests, and what a device says of itself."""

from agent.packets.hints import modbus
from agent.packets.hints.records import Signal
from tests.packets.hints.samples import identification
from tests.packets.hints.samples import modbus as message


def test_requests_and_refusals_by_name() -> None:
    assert modbus.read(message(3)) == [Signal("modbus.speaks", "read-registers")]
    assert modbus.read(message(16)) == [Signal("modbus.speaks", "write-registers")]
    assert modbus.read(message(99)) == [Signal("modbus.speaks", "other")]
    assert modbus.read(message(0x90, b"\2")) == [Signal("modbus.refuses", "write-registers")]


def test_who_made_a_device() -> None:
    assert modbus.read(identification(b"Schneider Electric", b"TM221", b"V1.6", b"http://x", b"Ward 7"))[1:] == [
        Signal("modbus.maker", "Schneider Electric"),
        Signal("modbus.product", "TM221"),
        Signal("modbus.revision", "V1.6"),
    ]


def test_a_question_for_it_and_objects_that_lie() -> None:
    assert modbus.read(message(43, b"\x0e\1\0")) == [Signal("modbus.speaks", "read-identification")]
    made = bytearray(identification(b"Schneider", b"T"))
    made[13] = 255
    assert [signal.kind for signal in modbus.read(bytes(made))] == ["modbus.speaks", "modbus.maker", "modbus.product"]
    made[15] = 255
    assert [signal.kind for signal in modbus.read(bytes(made))] == ["modbus.speaks"]


def test_another_protocol_s_number_or_length_is_silent() -> None:
    whole = message(3)
    assert modbus.read(b"\0\7\0\1" + whole[4:]) == modbus.read(whole[:4] + b"\xff\xff" + whole[6:]) == []
