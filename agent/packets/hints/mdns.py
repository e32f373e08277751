"""Multicast DNS (RFC 6762) and DNS-SD (RFC 6763): service types, host names, and of TXT records the model keys only.

Instance names and the friendly name (`fn`) often hold a person's name: they are not read.
"""

from agent.packets.hints import dns_message
from agent.packets.hints.records import Signal
from agent.packets.hints.text import bounded, printable

_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_MODEL_KEYS = {
    b"md": "mdns.model",  # Google Cast
    b"model": "mdns.model",  # _device-info
    b"am": "mdns.model",  # RAOP
    b"ty": "mdns.model",  # printers (Bonjour printing specification)
    b"usb_mdl": "mdns.model",
    b"usb_mfg": "mdns.maker",
    b"manufacturer": "mdns.maker",
    b"mf": "mdns.maker",
}
_TXT_STRINGS_MAX = 32


def service_type(name: str) -> str:
    """`_service._tcp` or `_service._udp` out of a DNS-SD name, or the empty string."""
    labels = name.lower().split(".")
    for number in range(len(labels) - 1):
        service, transport = labels[number], labels[number + 1]
        if (
            transport in {"_tcp", "_udp"}
            and 1 < len(service) <= 17
            and service[0] == "_"
            and _LABEL.issuperset(service)
        ):
            return "" if service == "_dns-sd" else f"{service}.{transport}"
    return ""


def _models(data: bytes) -> list[Signal]:
    """The allow-listed keys of a TXT record."""
    signals: list[Signal] = []
    at = 0
    for _ in range(_TXT_STRINGS_MAX):
        if at >= len(data):
            break
        key, equals, value = data[at + 1 : at + 1 + data[at]].partition(b"=")
        kind = _MODEL_KEYS.get(key.lower())
        if equals and kind:
            signals.append(Signal(kind, printable(value)))
        at += 1 + data[at]
    return signals


def _from_record(record: dns_message.Record) -> list[Signal]:
    """What one answer or additional record says of the sender."""
    if record.type in {dns_message.A, dns_message.AAAA}:
        host = record.name.partition(".")[0]
        address = record.data if len(record.data) in {4, 16} else b""
        return [Signal("mdns.host", printable(host.encode()), None, address)]
    if record.type == dns_message.TXT:
        return [Signal("mdns.service", service_type(record.name)), *_models(record.data)]
    if record.type == dns_message.PTR:
        return [Signal("mdns.service", service_type(record.target) or service_type(record.name))]
    return [Signal("mdns.service", service_type(record.name))] if record.type == dns_message.SRV else []


def read(payload: bytes) -> list[Signal]:
    """Signals of one mDNS message: models first, for they say most, then services, then hosts."""
    message = dns_message.walk(payload)
    if not message.is_answer:  # a query's records are known answers and probes: they need not be the sender's own
        return bounded([Signal("mdns.asks", service_type(question.name)) for question in message.questions])
    signals = [signal for record in message.records for signal in _from_record(record)]
    signals.sort(key=lambda signal: ("mdns.model", "mdns.maker", "mdns.service", "mdns.host").index(signal.kind))
    return bounded(signals)
