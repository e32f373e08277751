"""BACnet/IP: I-Am and requests."""

from agent.packets.hints import bacnet
from agent.packets.hints.records import Signal
from tests.packets.hints.payloads import I_AM


def test_i_am_names_device_and_vendor() -> None:
    assert bacnet.read(I_AM) == [Signal("bacnet.device", str(0x2_06445D & 0x3FFFFF)), Signal("bacnet.vendor", "5")]


def test_requests_by_name() -> None:
    assert bacnet.read(bytes.fromhex("810b000c0120ffff00ff1008")) == [Signal("bacnet.asks", "who-is")]
    assert bacnet.read(bytes.fromhex("810a001101040005010c0c023fffff194b")) == [Signal("bacnet.asks", "read-property")]


def test_a_reinitialize_is_told() -> None:
    payload = bytes.fromhex("810a000b01040005011409")
    assert bacnet.read(payload) == [Signal("bacnet.asks", "reinitialize-device")]


def test_network_messages_and_other_protocols_are_silent() -> None:
    assert bacnet.read(bytes.fromhex("810b00080180000000")) == []
    assert bacnet.read(b"\x82" + I_AM[1:]) == []
