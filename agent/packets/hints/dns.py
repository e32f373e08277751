"""DNS (RFC 1035): names and record types asked, addresses answered, refusals. Full names stay inside the sensor."""

from agent.packets.hints import dns_message
from agent.packets.hints.records import Signal
from agent.packets.hints.text import bounded, printable

_CODES = {1: "format-error", 2: "server-failure", 3: "name-error", 4: "not-implemented", 5: "refused"}
_NAME_ERROR = 3
# Record types that are asked for beside addresses (IANA DNS parameters); whatever else there is, is `other`.
_TYPES = {
    2: "NS", 5: "CNAME", 6: "SOA", 10: "NULL", 12: "PTR", 15: "MX", 16: "TXT", 25: "KEY", 33: "SRV", 35: "NAPTR",
    43: "DS", 48: "DNSKEY", 64: "SVCB", 65: "HTTPS", 255: "ANY", 257: "CAA",
}  # fmt: skip
_ADDRESS_OCTETS = {dns_message.A: 4, dns_message.AAAA: 16}


def _name(value: str) -> str:
    """A name in lower case, cut to what a signal may hold: the end of a name says more than its start."""
    return printable(value.lower()[-128:].encode())


def read_query(payload: bytes) -> list[Signal]:
    """`dns.asks` for each question of a query, and `dns.type` behind it when it asks for no address."""
    message = dns_message.walk(payload)
    if message.is_answer:
        return []
    signals: list[Signal] = []
    for question in message.questions:
        signals.append(Signal("dns.asks", _name(question.name)))
        if question.type not in _ADDRESS_OCTETS:
            signals.append(Signal("dns.type", _TYPES.get(question.type, "other")))
    return bounded(signals)


def read_answer(payload: bytes) -> list[Signal]:
    """`dns.answer` for each address under the name that was asked (aliases end at it), `dns.code` when it failed."""
    message = dns_message.walk(payload)
    if not message.is_answer:
        return []
    asked = _name(message.questions[0].name) if message.questions else ""
    signals = [Signal("dns.code", _CODES.get(message.code, ""))]
    signals.append(Signal("dns.failed", asked if message.code == _NAME_ERROR else ""))
    signals += [
        Signal("dns.answer", asked or _name(record.name), None, record.data)
        for record in message.records
        if len(record.data) == _ADDRESS_OCTETS.get(record.type)
    ]
    return bounded(signals)
