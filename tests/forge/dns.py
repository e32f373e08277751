"""DNS messages (RFC 1035) for unicast, multicast (RFC 6762) and LLMNR; names are written without compression."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from tests.forge.octets import ip

DNS_PORT, MDNS_PORT, LLMNR_PORT = 53, 5353, 5355
A, PTR, TXT, AAAA, SRV = 1, 12, 16, 28, 33
NXDOMAIN = 3


class Record(NamedTuple):
    """A resource record; `flush` is the cache-flush bit of multicast DNS."""

    name: str
    kind: int
    data: bytes
    ttl_s: int = 300
    flush: bool = False


def name(text: str) -> bytes:
    """Labels; a label longer than 63 octets cannot be written."""
    labels = [label.encode() for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _record(record: Record) -> bytes:
    kind = struct.pack(">HHIH", record.kind, 0x8001 if record.flush else 1, record.ttl_s, len(record.data))
    return name(record.name) + kind + record.data


def question(ident: int, wanted: str, kind: int = A, *, multicast: bool = False) -> bytes:
    """One question; recursion is desired unless multicast."""
    return (
        struct.pack(">HHHHHH", ident, 0 if multicast else 0x0100, 1, 0, 0, 0)
        + name(wanted)
        + struct.pack(">HH", kind, 1)
    )


def answer(ident: int, wanted: str, records: Sequence[Record], *, rcode: int = 0, kind: int = A) -> bytes:
    """The answer to one question."""
    head = struct.pack(">HHHHHH", ident, 0x8180 | rcode, 1, len(records), 0, 0)
    return head + name(wanted) + struct.pack(">HH", kind, 1) + b"".join(map(_record, records))


def announcement(records: Sequence[Record]) -> bytes:
    """An unasked multicast answer."""
    return struct.pack(">HHHHHH", 0, 0x8400, 0, len(records), 0, 0) + b"".join(map(_record, records))


def a(host: str, address: str, *, ttl_s: int = 300, flush: bool = False) -> Record:
    """An address record, A or AAAA by the address."""
    raw = ip(address)
    return Record(host, A if len(raw) == 4 else AAAA, raw, ttl_s, flush)


def ptr(service: str, instance: str) -> Record:
    """A service pointer."""
    return Record(service, PTR, name(instance), 4500)


def srv(instance: str, host: str, port: int) -> Record:
    """Where an instance lives."""
    return Record(instance, SRV, struct.pack(">HHH", 0, 0, port) + name(host), 120, flush=True)


def txt(instance: str, pairs: Sequence[str]) -> Record:
    """What an instance says of itself, `key=value` each."""
    return Record(instance, TXT, b"".join(bytes([len(p.encode())]) + p.encode() for p in pairs), 4500, flush=True)
