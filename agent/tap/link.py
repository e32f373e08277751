"""What the kernel says about an interface: asked by name or number over one netlink socket (rtnetlink(7)).

Not /sys/class/net, which shows the network namespace it was mounted in and names only. The numbers are the same
(struct rtnl_link_stats64). The socket needs no capability and speaks to the kernel alone.
"""

import errno
import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_address
from typing import NamedTuple

from agent.errors import LinkError

RTM_NEWLINK, RTM_GETLINK, NLMSG_ERROR, NLM_F_REQUEST = 16, 18, 2, 1
RTM_NEWADDR, RTM_GETADDR, NLMSG_DONE, NLM_F_DUMP = 20, 22, 3, 0x300
IFLA_IFNAME, IFLA_MTU, IFLA_STATS64, IFLA_PROMISCUITY, IFLA_CARRIER = 3, 4, 23, 30, 33
IFA_ADDRESS, IFA_LOCAL = 1, 2  # of a point-to-point link the first is the other end's
IFF_UP, IFF_NOARP = 1, 0x80
# struct nlmsghdr, struct ifinfomsg, struct rtattr
_MESSAGE, _INTERFACE, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BxHiII"), struct.Struct("=HH")
_ERROR, _WHOLE = struct.Struct("=i"), struct.Struct("=I")
_ADDRESS = struct.Struct("=BBBBI")  # struct ifaddrmsg: family, length of the prefix, flags, scope, interface
# Places in struct rtnl_link_stats64 (linux/if_link.h).
RX_PACKETS, TX_PACKETS, RX_ERRORS, RX_FIFO_ERRORS, RX_MISSED_ERRORS = 0, 1, 4, 14, 15
_STATS = struct.Struct("=16Q")
_ANSWER_BYTES = 1 << 17  # an interface with many virtual functions tells of each
ADDRESSES_MAX = 64  # told of an interface; a tap leg has none
_TIMEOUT_S = 2.0  # the kernel answers while it is asked; it is never late


class Counters(NamedTuple):
    """What an interface counted since it was made."""

    received: int
    sent: int
    errors: int  # damaged frames
    lost: int  # for want of buffers: what libpcap counts as dropped by the interface


class Link(NamedTuple):
    """One interface."""

    number: int  # ifindex
    name: str
    kind: int  # ARPHRD_*
    up: bool
    carrier: bool
    counters: Counters
    arp: bool = True  # whether it would speak ARP
    mtu: int = 0
    promiscuity: int = 0  # how many ask it to hear everything


class Links:
    """Asks the kernel. Opened once, before capabilities and the right to new sockets are given up."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.settimeout(_TIMEOUT_S)
        self._turn = 0

    def named(self, name: str) -> Link | None:
        """The interface of this name, None when there is none."""
        text = name.encode() + b"\0"
        padded = text + bytes(-len(text) % 4)
        return self._ask(0, _ATTRIBUTE.pack(_ATTRIBUTE.size + len(text), IFLA_IFNAME) + padded)

    def numbered(self, number: int) -> Link | None:
        """The interface of this number, whatever its name is now."""
        return self._ask(number, b"")

    def addresses(self, number: int) -> list[str]:
        """IP addresses of an interface with their prefix, at most ADDRESSES_MAX."""
        found: list[str] = []
        try:
            for answer in self._dump(RTM_GETADDR, _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)):
                found += (text for owner, text in _addresses(answer) if owner == number)
        except (OSError, struct.error, ValueError) as error:
            raise LinkError(f"the kernel does not tell of its addresses: {error}") from error
        return found[:ADDRESSES_MAX]

    def _dump(self, kind: int, body: bytes) -> Iterator[bytes]:
        """Everything of a kind, one message after the other."""
        self._request(kind, NLM_F_REQUEST | NLM_F_DUMP, body)
        while True:
            answer, at = self._socket.recv(_ANSWER_BYTES), 0
            if not answer:
                raise OSError(errno.EPROTO, "an empty answer")
            while at < len(answer):
                size, told, _, turn, _ = _MESSAGE.unpack_from(answer, at)
                if turn == self._turn and told == NLMSG_DONE:
                    return
                if turn == self._turn and told == NLMSG_ERROR:
                    raise OSError(-_ERROR.unpack_from(answer, at + _MESSAGE.size)[0], "refused")
                if turn == self._turn:
                    yield answer[at : at + size]
                at += max(_MESSAGE.size, size + (-size % 4))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _request(self, kind: int, flags: int, body: bytes) -> None:
        """The only place of the room that sends, and it sends to the kernel: a question over netlink."""
        self._turn += 1
        self._socket.sendall(_MESSAGE.pack(_MESSAGE.size + len(body), kind, flags, self._turn, 0) + body)

    def _ask(self, number: int, attributes: bytes) -> Link | None:
        interface = _INTERFACE.pack(socket.AF_UNSPEC, 0, number, 0, 0)
        try:
            self._request(RTM_GETLINK, NLM_F_REQUEST, interface + attributes)
            while True:
                answer = self._socket.recv(_ANSWER_BYTES)
                _, kind, _, turn, _ = _MESSAGE.unpack_from(answer)
                if turn == self._turn:
                    return _link(answer, kind)
        except (OSError, struct.error) as error:
            raise LinkError(f"the kernel does not tell of its interfaces: {error}") from error


def _attributes(answer: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + _ATTRIBUTE.size <= len(answer):
        size, kind = _ATTRIBUTE.unpack_from(answer, at)
        if size < _ATTRIBUTE.size:
            return
        yield kind, answer[at + _ATTRIBUTE.size : at + size]
        at += size + (-size % 4)


def _addresses(message: bytes) -> Iterator[tuple[int, str]]:
    """(interface, address) of one message."""
    if _MESSAGE.unpack_from(message)[1] != RTM_NEWADDR:
        return
    _, length, _, _, owner = _ADDRESS.unpack_from(message, _MESSAGE.size)
    told = dict(_attributes(message, _MESSAGE.size + _ADDRESS.size))
    octets = told.get(IFA_LOCAL) or told.get(IFA_ADDRESS)
    if octets:
        yield owner, f"{ip_address(octets)}/{length}"


def _link(answer: bytes, message: int) -> Link | None:
    """What the kernel answered: an interface, or that there is none; anything else is an error of ours."""
    if message != RTM_NEWLINK:
        code = -_ERROR.unpack_from(answer, _MESSAGE.size)[0] if message == NLMSG_ERROR else errno.EPROTO
        if code == errno.ENODEV:
            return None
        raise OSError(code, errno.errorcode.get(code, str(code)))
    _, kind, number, flags, _ = _INTERFACE.unpack_from(answer, _MESSAGE.size)
    told = dict(_attributes(answer, _MESSAGE.size + _INTERFACE.size))
    counts = _STATS.unpack_from(told[IFLA_STATS64]) if IFLA_STATS64 in told else (0,) * 16
    return Link(
        number=number,
        name=told.get(IFLA_IFNAME, b"").rstrip(b"\0").decode(errors="replace"),
        kind=kind,
        up=bool(flags & IFF_UP),
        carrier=told.get(IFLA_CARRIER, b"\1") != b"\0",
        counters=Counters(
            counts[RX_PACKETS],
            counts[TX_PACKETS],
            counts[RX_ERRORS],
            counts[RX_MISSED_ERRORS] + counts[RX_FIFO_ERRORS],
        ),
        arp=not flags & IFF_NOARP,
        mtu=_whole(told, IFLA_MTU),
        promiscuity=_whole(told, IFLA_PROMISCUITY),
    )


def _whole(told: dict[int, bytes], kind: int) -> int:
    number: int = _WHOLE.unpack(told[kind])[0] if kind in told else 0
    return number
