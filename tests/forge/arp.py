"""ARP over Ethernet (RFC 826)."""

import struct

from tests.forge.ethernet import ARP, ethernet
from tests.forge.octets import BROADCAST, ip, mac

REQUEST, REPLY = 1, 2
NOBODY = "00:00:00:00:00:00"


def arp(operation: int, sender: tuple[str, str], target: tuple[str, str]) -> bytes:
    """The 28 octets after the Ethernet header; sender and target are (MAC, IPv4)."""
    head = struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation)
    return head + mac(sender[0]) + ip(sender[1]) + mac(target[0]) + ip(target[1])


def request(sender: tuple[str, str], wanted: str) -> bytes:
    """A broadcast frame: who has `wanted`."""
    return ethernet(BROADCAST, sender[0], ARP, arp(REQUEST, sender, (NOBODY, wanted)))


def reply(sender: tuple[str, str], asker: tuple[str, str]) -> bytes:
    """The answer, to the asker alone."""
    return ethernet(asker[0], sender[0], ARP, arp(REPLY, sender, asker))


def gratuitous(sender: tuple[str, str]) -> bytes:
    """An announcement (RFC 5227): a request for its own address."""
    return request(sender, sender[1])
