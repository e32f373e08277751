"""Takes messages that nobody will look at out of the stream before the MQTT client sees them.

A message costs the client some 30 us before anybody is asked whether it may cost more: a system call for each part of
its packet, several copies, callbacks. Here the topic is looked at where it lies among the octets that just came, and a
PUBLISH that is refused is stepped over. Only one at QoS 0, which wants no answer: at QoS 1 a broker waits for the
client's acknowledgements, so such a flood is slow by itself. What is no such packet goes on as it came.
"""

import ssl
from collections.abc import Callable
from typing import Protocol

READ_BYTES = 64 * 1024
READS_MAX = 8  # then the client's loop has its turn: its acknowledgements and pings
PUBLISH_QOS_0, QOS_0_MASK = 0x30, 0xF6  # MQTT 3.1.1 and 5, 3.3.1: type 3, both QoS bits 0; DUP and RETAIN are free
LAST_SHIFT = 21  # a remaining length has four octets of seven bits (1.5.5)
NO_END = 1 << 62


class Line(Protocol):
    """A connected socket, TLS or not."""

    def recv(self, size: int, /) -> bytes:
        """Up to so many octets; BlockingIOError or ssl.SSLWantReadError when there are none, empty at the end."""

    def send(self, octets: bytes | bytearray, /) -> int:
        """How many were taken."""

    def fileno(self) -> int:
        """For select(2)."""

    def setblocking(self, flag: bool, /) -> None:
        """As a socket's."""

    def close(self) -> None:
        """As a socket's."""


class Sieve:
    """Stands where the client expects its socket; `wanted` is asked with a topic and the length of the whole packet."""

    def __init__(self, line: Line, wanted: Callable[[bytes, int], bool]) -> None:
        self._line, self._wanted = line, wanted
        self._begun = b""  # a packet whose topic is not there yet: 64 KiB at most
        self._left, self._passes = 0, True  # octets of the packet that is under way, and what becomes of them
        self._out, self._at = b"", 0  # what the client has not read yet

    def recv(self, size: int) -> bytes:
        """For the client: the next octets that it shall see."""
        reads = 0
        while self._at >= len(self._out):
            reads += 1
            if reads > READS_MAX:
                raise BlockingIOError
            octets = self._line.recv(READ_BYTES)
            if not octets:
                return b""
            self._out, self._at = self._sift(octets), 0
        given = self._out[self._at : self._at + size]
        self._at += len(given)
        return given

    def pending(self) -> int:
        """Octets that can be read without the network; the client asks before it waits."""
        inside = self._line.pending() if isinstance(self._line, ssl.SSLSocket) else 0
        return len(self._out) - self._at + inside

    def send(self, octets: bytes | bytearray) -> int:
        """As it is."""
        return self._line.send(octets)

    def fileno(self) -> int:
        """Of the socket."""
        return self._line.fileno()

    def setblocking(self, flag: bool) -> None:
        """Of the socket."""
        self._line.setblocking(flag)

    def close(self) -> None:
        """Of the socket."""
        self._line.close()

    def _sift(self, came: bytes) -> bytes:
        """What of these octets the client shall see."""
        octets = self._begun + came
        at, end, kept = 0, len(octets), list[bytes]()
        while at < end:
            if not self._left:
                measured = measure(octets, at)
                if measured is None:
                    break
                self._left, topic = measured
                self._passes = topic is None or self._wanted(topic, self._left)
            taken = min(self._left, end - at)
            if self._passes:
                kept.append(octets[at : at + taken])
            self._left -= taken
            at += taken
        self._begun = octets[at:]
        return b"".join(kept)


def measure(octets: bytes, at: int) -> tuple[int, bytes | None] | None:
    """Of the packet that begins at `at`: its whole length, and its topic when it is a PUBLISH at QoS 0.

    None when more octets have to come. A length that is none has no end: all that follows is for the client to refuse.
    """
    length, shift, place, end = 0, 0, at + 1, len(octets)
    while True:
        if place >= end:
            return None
        octet = octets[place]
        length, place = length | (octet & 0x7F) << shift, place + 1
        if octet < 0x80:
            break
        if shift == LAST_SHIFT:
            return NO_END, None
        shift += 7
    whole, name = place - at + length, place + 2
    if octets[at] & QOS_0_MASK != PUBLISH_QOS_0 or length < 2:
        return whole, None
    if name > end:
        return None
    size = octets[place] << 8 | octets[place + 1]
    if size + 2 > length:
        return whole, None
    return None if name + size > end else (whole, octets[name : name + size])
