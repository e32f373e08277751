"""That a header has the shape of an exploit of small devices' stacks: a fact, and not an octet of the packet.

The shapes are those of URGENT/11 (ICSMA-19-274-01), Ripple20 (ICSA-20-168-01), LAND and the tiny fragments of RFC 1858;
the kernel has found which one it is.
"""

from agent.packets.hints.records import Reader, Signal


def reader(shape: str) -> Reader:
    """The reader for one shape: any octets mean that the kernel saw it."""
    seen = [Signal("header.exploit", shape)]

    def read(octets: bytes) -> list[Signal]:
        return list(seen) if octets else []

    return read
