"""A packet socket with a TPACKET_V3 ring: packet(7), Documentation/networking/packet_mmap.rst, linux/if_packet.h.

The socket is made with protocol 0 and hears nothing until everything is set; it is bound last. It has no name to send
from, and nothing here sends. Binding anew and promiscuous mode need no capability, so they work after it was given up.
"""

import ctypes
import errno
import mmap
import socket
import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from agent.errors import InputError
from agent.tap.link import Link
from agent.tap.records import Octets
from agent.tap.source import cannot_listen

SOL_PACKET, ETH_P_ALL = 263, 3
ADD_MEMBERSHIP, DROP_MEMBERSHIP, RX_RING, STATISTICS, VERSION, IGNORE_OUTGOING = 1, 2, 5, 6, 10, 23  # PACKET_*
FANOUT, FANOUT_DATA = 18, 22  # PACKET_*
BY_PROGRAM = 6  # PACKET_FANOUT_CBPF
# PACKET_FANOUT_FLAG_*: the kernel finds a number that no other group has; what this machine sends is left out (5.9).
UNIQUE_NUMBER, WITHOUT_OUTGOING = 0x2000, 0x4000
SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
MR_PROMISC = 1  # PACKET_MR_PROMISC
TPACKET_V3 = 2
BLOCK_TIMEOUT_MS = 40  # a frame waits so long for its block to fill; a stalled reader has this times the blocks
FRAME_BYTES = 2048  # TPACKET_V3 packs frames; the number only has to divide the block
BLOCK_BYTES, BLOCK_BYTES_MIN = 256 << 10, 128 << 10  # the smaller still holds a super-packet of 64 KiB
BLOCKS_MIN = 8
# ARPHRD_* -> LINKTYPE_*: Ethernet, loopback (which looks like it), and interfaces that carry bare IP packets.
LINK_TYPES = {1: 1, 772: 1, 65534: 101}
MAP_FIXED = 0x10  # mmap(2); Python's own mmap takes no address

Ring = socket.socket  # that has, or will have, a ring
BpfProgram = Sequence[tuple[int, int, int, int]]  # code, jump if true, jump if false, constant (linux/filter.h)
NOTHING: BpfProgram = ((6, 0, 0, 0),)  # return 0: no frame passes


class Geometry(NamedTuple):
    """How a ring is cut."""

    block_bytes: int
    blocks: int

    @property
    def ring_bytes(self) -> int:
        """Octets of the whole ring."""
        return self.block_bytes * self.blocks


class RingCounts(NamedTuple):
    """What the kernel counted since it was asked last: asking sets it back."""

    received: int  # those it dropped included
    dropped: int
    frozen: int


def geometry(buffer_bytes: int) -> Geometry:
    """Many blocks: on a quiet leg each holds a frame or two, and their number is the patience with a slow reader."""
    block = BLOCK_BYTES if buffer_bytes >= BLOCK_BYTES * BLOCKS_MIN * 4 else BLOCK_BYTES_MIN
    return Geometry(block, max(BLOCKS_MIN, buffer_bytes // block))


def open_socket(leg: str) -> Ring:
    """A packet socket that hears nothing yet."""
    try:
        return socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    except PermissionError as error:
        raise cannot_listen(leg, "not permitted") from error


def make_ring(ring: Ring, leg: str, shape: Geometry) -> None:
    """Give the socket its ring, and let it leave out what this machine itself sends."""
    frames = shape.ring_bytes // FRAME_BYTES
    request = struct.pack("=7I", shape.block_bytes, shape.blocks, FRAME_BYTES, frames, BLOCK_TIMEOUT_MS, 0, 0)
    try:
        ring.setsockopt(SOL_PACKET, VERSION, TPACKET_V3)
        ring.setsockopt(SOL_PACKET, RX_RING, request)
    except OSError as error:
        if error.errno == errno.ENOMEM:
            what = f"the kernel has no {shape.ring_bytes >> 20} MiB for the ring"
            raise InputError(what, where=leg, todo="lower [tap] buffer_bytes") from error
        raise InputError(
            f"the kernel gives no ring: {error.strerror}", where=leg, todo='set [tap] backend = "pcapy"'
        ) from error
    try:
        ring.setsockopt(SOL_PACKET, IGNORE_OUTGOING, 1)
    except OSError as error:
        if error.errno != errno.ENOPROTOOPT:  # a kernel older than 4.20: the walk passes over them
            raise


def set_filter(ring: Ring, program: BpfProgram) -> None:
    """Let only those frames in that a classic BPF program passes."""
    _hand_over(ring, socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def _hand_over(ring: Ring, level: int, option: int, program: BpfProgram) -> None:
    """A struct sock_fprog (linux/filter.h), which the kernel copies."""
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    held = ctypes.create_string_buffer(code, len(code))
    ring.setsockopt(level, option, struct.pack("@HP", len(program), ctypes.addressof(held)))


def clear_filter(ring: Ring) -> None:
    """Let everything in."""
    try:
        ring.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
    except OSError as error:
        if error.errno != errno.ENOENT:  # there is none
            raise


def attach(ring: Ring, link: Link) -> None:
    """Listen to an interface, to all that passes it. OSError when it is gone in the meantime."""
    ring.setsockopt(SOL_PACKET, ADD_MEMBERSHIP, _promiscuous(link.number))
    try:
        ring.bind((link.name, ETH_P_ALL))
    except OSError:
        leave(ring, link.number)
        raise


def join(rings: Sequence[Ring], program: BpfProgram) -> bool:
    """Share out what one interface hears: ring i gets the frames whose number, by the program, leaves i when divided.

    Each is bound to the interface already. False: this kernel does not, or not now (before 6.13 it asks for an
    interface that is up). A ring in a group cannot be bound anew, whoever asks: EINVAL (af_packet.c, packet_do_bind).
    """
    first, *others = rings
    try:
        first.setsockopt(SOL_PACKET, FANOUT, struct.pack("=HH", 0, BY_PROGRAM | UNIQUE_NUMBER | WITHOUT_OUTGOING))
        number = struct.unpack("=HH", first.getsockopt(SOL_PACKET, FANOUT, 4))[0]
        for other in others:
            other.setsockopt(SOL_PACKET, FANOUT, struct.pack("=HH", number, BY_PROGRAM | WITHOUT_OUTGOING))
        _hand_over(first, SOL_PACKET, FANOUT_DATA, program)
    except OSError:
        return False
    return True


def leave(ring: Ring, number: int) -> None:
    """No longer ask this interface to hear everything; one that is gone has forgotten it by itself."""
    try:
        ring.setsockopt(SOL_PACKET, DROP_MEMBERSHIP, _promiscuous(number))
    except OSError as error:
        if error.errno not in {errno.EADDRNOTAVAIL, errno.ENODEV}:
            raise


def _promiscuous(number: int) -> bytes:
    """A struct packet_mreq."""
    return struct.pack("=iHH8x", number, MR_PROMISC, 0)


def read_counts(ring: Ring) -> RingCounts:
    """The struct tpacket_stats_v3, which asking sets back to zero."""
    return RingCounts(*struct.unpack("=3I", ring.getsockopt(SOL_PACKET, STATISTICS, 12)))


def clear_error(ring: Ring) -> None:
    """A socket whose interface went down says so once."""
    ring.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def link_type(link: Link) -> int | None:
    """LINKTYPE_* of an interface's frames; None for kinds that are not read."""
    return LINK_TYPES.get(link.kind)


def place_for(shape: Geometry, rings: int) -> Octets:
    """Room for all rings behind each other as one array, so that one burst may point into any of them.

    It goes, and the rings that were laid over it with it, when the last array that points there goes: nobody ever reads
    where nothing is mapped.
    """
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    return np.frombuffer(mmap.mmap(-1, shape.ring_bytes * rings, flags=flags), np.uint8)


def lay_ring(place: Octets, number: int, shape: Geometry, ring: Ring, leg: str) -> None:
    """Map a socket's ring as number `number` of the place, over whatever was there."""
    libc_mmap = ctypes.CDLL(None, use_errno=True).mmap
    libc_mmap.restype = ctypes.c_void_p
    libc_mmap.argtypes = (
        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long,
    )  # fmt: skip
    start = place.ctypes.data + number * shape.ring_bytes
    reach, way = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED | MAP_FIXED
    if libc_mmap(start, shape.ring_bytes, reach, way, ring.fileno(), 0) != start:
        raise cannot_listen(leg, f"its ring cannot be mapped: {errno.errorcode.get(ctypes.get_errno(), '?')}")
