"""LLMNR (RFC 4795): the same message as DNS; who asks for which host, and which host answers."""

from agent.packets.hints import dns_message
from agent.packets.hints.records import Signal
from agent.packets.hints.text import bounded, printable


def read(payload: bytes) -> list[Signal]:
    """`llmnr.asks` of a query, `llmnr.host` (with its address) of an answer."""
    message = dns_message.walk(payload)
    if not message.is_answer:
        return bounded([Signal("llmnr.asks", printable(q.name.encode())) for q in message.questions])
    return bounded(
        [
            Signal("llmnr.host", printable(record.name.encode()), None, record.data)
            for record in message.records
            if len(record.data) == {dns_message.A: 4, dns_message.AAAA: 16}.get(record.type)
        ]
    )
