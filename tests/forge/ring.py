"""Blocks of a TPACKET_V3 ring as the kernel writes them (linux/if_packet.h, net/packet/af_packet.c)."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

KERNEL, USER = 0, 1  # TP_STATUS_KERNEL, TP_STATUS_USER
VLAN_VALID = 0x10
HOST, OUTGOING = 0, 4  # PACKET_HOST, PACKET_OUTGOING
BLOCK_HEADER, FRAME_HEADER, ADDRESS = 48, 48, 20  # struct tpacket_block_desc, tpacket3_hdr, sockaddr_ll
MAC = 82  # where the frame begins: the headers, aligned to 16, so that the IP header is aligned too


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame as the kernel tells of it. `mac`, `caplen` and `step` lie when a test sets them."""

    time_ns: int
    octets: bytes
    wirelen: int = 0
    tci: int = -1  # -1: no tag was taken out
    kind: int = HOST
    mac: int = MAC
    caplen: int = -1
    step: int = -1  # to the next header

    def record(self, *, last: bool) -> bytes:
        """Header, address and frame, padded to the next header."""
        size = MAC + len(self.octets)
        padded = size + -size % 8
        step = (0 if last else padded) if self.step < 0 else self.step
        caplen = len(self.octets) if self.caplen < 0 else self.caplen
        seconds, rest = divmod(self.time_ns, 1_000_000_000)
        status = USER | (VLAN_VALID if self.tci >= 0 else 0)
        head = struct.pack("=6I2H", step, seconds, rest, caplen, self.wirelen or len(self.octets), status, self.mac, 96)
        tag = struct.pack("=IIHH8x", 0, max(self.tci, 0), 0x8100 if self.tci >= 0 else 0, 0)
        address = struct.pack("=HHiHBB8x", 17, 0x0300, 2, 1, self.kind, 6)
        return (head + tag + address).ljust(MAC, b"\0") + self.octets + bytes(padded - size)


def block(frames: Iterable[Heard], size: int, *, status: int = USER, count: int = -1, first: int = 48) -> bytes:
    """A block of `size` octets."""
    heard = list(frames)
    records = b"".join(frame.record(last=number == len(heard) - 1) for number, frame in enumerate(heard))
    used = BLOCK_HEADER + len(records)
    assert used <= size, "the frames do not fit the block"
    number = len(heard) if count < 0 else count
    head = struct.pack("=2I4IQ4I", 1, 48, status, number, first, used, 1, 0, 0, 0, 0)
    return (head.ljust(BLOCK_HEADER, b"\0") + records).ljust(size, b"\0")


def ring(blocks: Iterable[bytes], size: int, count: int) -> bytes:
    """A ring of `count` blocks; those that are not given are the kernel's."""
    given = list(blocks)
    return b"".join(given) + block((), size, status=KERNEL) * (count - len(given))
