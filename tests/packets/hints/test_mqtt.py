"""MQTT: versions and the class of the client id, never the id."""

from pathlib import Path

import pytest

from agent.packets.hints import mqtt
from agent.packets.hints.records import Signal
from tests.packets.hints.samples import mqtt as connect
from tests.packets.hints.tshark import fields


@pytest.mark.parametrize(
    ("client", "word"),
    [
        (b"", "empty"),
        (b"9d4e1f6a-0001-4c3e-9f10-112233445566", "uuid"),
        (b"00:d0:75:18:42:9b", "mac"),
        (b"00d07518429b", "hexadecimal-12"),
        (b"7713408871", "digits"),
        (b"deadbeef00", "hexadecimal"),
        (b"mosq-Kx9PzQ", "tool"),
        (b"pump-13408871", "word-and-number"),
        (b"gateway", "word"),
        (b"Orsola Quillfeather", "other"),
        (b"\xff\xfe", "other"),
    ],
)
def test_the_class_of_a_client_id(client: bytes, word: str) -> None:
    signals = mqtt.read(connect(client))
    assert signals[-1] == Signal("mqtt.client", word)
    assert all(client.decode("latin-1") not in signal.value for signal in signals if client)


@pytest.mark.parametrize(
    ("level", "name", "word"),
    [(3, b"MQIsdp", "3.1"), (4, b"MQTT", "3.1.1"), (5, b"MQTT", "5"), (0x84, b"MQTT", "3.1.1")],
)
def test_versions(level: int, name: bytes, word: str) -> None:
    assert mqtt.read(connect(b"x", level=level, name=name)) == [
        Signal("mqtt.version", word),
        Signal("mqtt.client", "word"),
    ]


def test_a_password_is_a_fact_without_a_value() -> None:
    signals = mqtt.read(connect(b"x", 0xC2, tail=b"\0\5nurse\0\6secret"))
    assert Signal("credentials.clear", "mqtt") in signals
    assert not [signal for signal in signals if "nurse" in signal.value or "secret" in signal.value]
    assert Signal("credentials.clear", "mqtt") not in mqtt.read(connect(b"x", 0x82, tail=b"\0\5nurse"))


def test_remaining_lengths_that_lie() -> None:
    whole = connect(b"pump-7")
    assert mqtt.read(b"\x10\xff\xff\xff\xff" + whole[2:]) == []
    assert mqtt.read(b"\x10\xff\xff\xff\x7f" + whole[2:])[-1] == Signal("mqtt.client", "word-and-number")
    assert mqtt.read(b"\x10\x0e\0\4HTTP" + whole[8:]) == []


def test_properties_that_lie_hide_the_client_only() -> None:
    whole = bytearray(connect(b"pump-7", level=5))
    whole[12] = 0x7F
    assert [signal.kind for signal in mqtt.read(bytes(whole))] == ["mqtt.version"]


def test_a_long_client_id_costs_no_more() -> None:
    body = b"\0\4MQTT\4\2\0\x3c\x0f\xff" + b"a" * 4095
    assert mqtt.read(b"\x10\x8b\x20" + body) == [Signal("mqtt.version", "3.1.1")]


@pytest.mark.captures
def test_tshark_says_the_same(captures: Path) -> None:
    same = 0
    path = captures / "cleartext" / "mqtt_zeek.pcap"
    names = ("tcp.payload", "mqtt.ver", "mqtt.conflag.passwd", "mqtt.clientid_len")
    for payload, version, password, length in fields(path, "mqtt.msgtype==1", *names):
        found = {signal.kind: signal.value for signal in mqtt.read(bytes.fromhex(payload[0]))}
        assert found["mqtt.version"] == {"3": "3.1", "4": "3.1.1", "5": "5"}[version[0]]
        assert ("credentials.clear" in found) == (password[0] in {"1", "True"})
        assert (found["mqtt.client"] == "empty") == (length == ["0"])
        same += 1
    assert same > 1


def test_a_password_that_no_server_would_take_is_none() -> None:
    sound = b"\x10\x0e\0\4MQTT\4\xc2\0\x3c\0\2id"
    assert Signal("credentials.clear", "mqtt") in mqtt.read(sound)
    assert Signal("credentials.clear", "mqtt") not in mqtt.read(sound.replace(b"\4\xc2", b"\4\xff"))
