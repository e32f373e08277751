"""DHCP (RFC 2131, options RFC 2132)."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.forge.octets import ip, mac

CLIENT_PORT, SERVER_PORT = 68, 67
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
MASK, ROUTER, DNS, HOST_NAME, DOMAIN, NTP, WANTED, LEASE, KIND, SERVER, LIST, VENDOR_CLASS, CLIENT_ID = (
    1, 3, 6, 12, 15, 42, 50, 51, 53, 54, 55, 60, 61,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dhcp:
    """A message: its type, the client and the options beside the type, in order."""

    kind: int
    client_mac: str
    transaction: int
    options: Mapping[int, bytes] = field(default_factory=dict)
    client: str = "0.0.0.0"
    yours: str = "0.0.0.0"
    server: str = "0.0.0.0"
    broadcast: bool = False

    def octets(self) -> bytes:
        """The UDP payload, padded to the 300 octets that BOOTP relays expect."""
        answer = self.kind in {OFFER, ACK, NAK}
        head = struct.pack(
            ">BBBBIHH", 2 if answer else 1, 1, 6, 0, self.transaction, 0, 0x8000 if self.broadcast else 0
        )
        head += ip(self.client) + ip(self.yours) + ip(self.server) + b"\0" * 4
        head += mac(self.client_mac).ljust(16, b"\0") + b"\0" * 192 + b"\x63\x82\x53\x63"
        body = bytes([KIND, 1, self.kind])
        body += b"".join(bytes([code, len(value)]) + value for code, value in self.options.items())
        return (head + body + b"\xff").ljust(300, b"\0")


def client_options(host: str, vendor_class: str, parameters: bytes = b"\x01\x03\x06\x0f\x2a") -> dict[int, bytes]:
    """What a client says of itself: host name, vendor class, the parameters it asks for."""
    options = {HOST_NAME: host.encode(), LIST: parameters}
    if vendor_class:
        options[VENDOR_CLASS] = vendor_class.encode()
    return {code: value for code, value in options.items() if value}


def server_options(server: str, router: str, domain: str, *, lease_s: int = 3600) -> dict[int, bytes]:
    """What a server gives: itself as server, resolver and time source, a /24 mask, a router, a domain, a lease."""
    return {
        SERVER: ip(server),
        LEASE: struct.pack(">I", lease_s),
        MASK: b"\xff\xff\xff\0",
        ROUTER: ip(router),
        DNS: ip(server),
        DOMAIN: domain.encode(),
        NTP: ip(server),
    }
