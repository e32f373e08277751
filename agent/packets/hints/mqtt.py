"""MQTT CONNECT (MQTT 3.1.1 and 5.0 section 3.1): version, the class of the client id, that a password is there.

The client id itself often holds a serial number or a person: only what kind of text it is leaves this file. User name,
password, will and topics are not read.
"""

import re

from agent.packets.hints.records import Signal
from agent.packets.hints.text import bounded, u16

_CONNECT = 0x10
_LENGTH_OCTETS_MAX = 4  # of the remaining length
_VERSIONS = {3: "3.1", 4: "3.1.1", 5: "5"}
_NAMES = frozenset({b"MQTT", b"MQIsdp"})
_PASSWORD, _VERSION_5 = 0x40, 5
_RESERVED = 0x01  # a server refuses a CONNECT in which it is set
_CLIENT_MAX_OCTETS = 256
_CLASSES = (  # the first that fits all of it; none repeats a repetition
    ("uuid", re.compile(rb"[^0-9a-fA-F]?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
    ("mac", re.compile(rb"(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}")),
    ("hexadecimal-12", re.compile(rb"[0-9a-fA-F]{12}")),
    ("digits", re.compile(rb"[0-9]+")),
    ("hexadecimal", re.compile(rb"[0-9a-fA-F]{8,}")),
    ("tool", re.compile(rb"(?:mosq|mqttjs|paho|mqtt-explorer|MQTT_FX_Client)[-/_|]?.*", re.DOTALL)),
    ("word-and-number", re.compile(rb"[A-Za-z]+[-_./:]?[0-9a-fA-F]*[0-9]")),
    ("word", re.compile(rb"[A-Za-z]+")),
)


def _variable_header(payload: bytes) -> int:
    """Offset behind the remaining length; -1 when that is too long or cut."""
    for size in range(1, _LENGTH_OCTETS_MAX + 1):
        if size >= len(payload):
            return -1
        if not payload[size] & 0x80:
            return size + 1
    return -1


def _properties(payload: bytes, at: int) -> int:
    """Offset behind the properties of version 5, whose length is a variable number too; -1 when it is damaged."""
    value, shift = 0, 0
    for step in range(_LENGTH_OCTETS_MAX):
        if at + step >= len(payload):
            return -1
        value |= (payload[at + step] & 0x7F) << shift
        if not payload[at + step] & 0x80:
            return at + step + 1 + value
        shift += 7
    return -1


def _class(client: bytes) -> str:
    """What kind of text a client id is."""
    return next((name for name, pattern in _CLASSES if pattern.fullmatch(client)), "other") if client else "empty"


def read(payload: bytes) -> list[Signal]:
    """Signals of a CONNECT."""
    at = _variable_header(payload) if payload[:1] == bytes([_CONNECT]) else -1
    if at < 0:
        return []
    size = u16(payload, at)
    name, at = payload[at + 2 : at + 2 + size], at + 2 + size
    if name not in _NAMES or len(payload) < at + 4:
        return []
    version, flags = payload[at] & 0x7F, payload[at + 1]
    signals = [Signal("mqtt.version", _VERSIONS.get(version, "other"))]
    if flags & (_PASSWORD | _RESERVED) == _PASSWORD:
        signals.append(Signal("credentials.clear", "mqtt"))
    at = _properties(payload, at + 4) if version == _VERSION_5 else at + 4
    size = u16(payload, at) if at >= 0 else 0
    if 0 <= at <= len(payload) - 2 and size <= _CLIENT_MAX_OCTETS and at + 2 + size <= len(payload):
        signals.append(Signal("mqtt.client", _class(payload[at + 2 : at + 2 + size])))
    return bounded(signals)
