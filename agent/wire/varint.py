"""Columns of whole numbers as octets: groups of seven bits, the lowest first, bit 7 set while more of a number follow.

That is LEB128, as in DWARF and in protocol buffers. A number has one spelling, the shortest, and nine octets at most:
what they hold is below 2^63, so what a reader gets fits a database and no shift grows with the sender's wish.
"""

from collections.abc import Iterable
from operator import index

from agent.errors import WireError
from agent.wire.schema import I64_MAX, refuse

NUMBER_BYTES_MAX = 9
_LAST_SHIFT = 7 * (NUMBER_BYTES_MAX - 1)
_SHORT = tuple(bytes((value,)) for value in range(128))


def number_bytes(value: int) -> int:
    """Octets that a number takes."""
    return (index(value).bit_length() + 6) // 7 or 1


def put_numbers(values: Iterable[int]) -> bytes:
    """The numbers one after the other; WireError for one that is negative or has more than 63 bits."""
    return b"".join([_SHORT[value] if 0 <= value < 128 else _put(value) for value in values])


def _put(value: int) -> bytes:
    if not 0 <= value <= I64_MAX:
        raise WireError(f"{value} is not from 0 to 2^63 - 1", reason="bad-schema", where="column")
    octets = bytearray()
    while value > 127:
        octets.append(value & 127 | 128)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def take_numbers(octets: bytes, count: int, where: str) -> list[int]:
    """Exactly `count` numbers that use up the octets; WireError `bad-schema` for anything else.

    A column cannot give more numbers than it has octets, so nothing is made that is not there.
    """
    if len(octets) < count:
        raise refuse(f"a column of {len(octets)} octets for {count} numbers", where)
    values = list(octets) if octets.isascii() else _take(octets, where)
    if len(values) != count:
        raise refuse(f"a column of {len(values)} numbers, not {count}", where)
    return values


def _take(octets: bytes, where: str) -> list[int]:
    values: list[int] = []
    held = shift = 0
    for octet in octets:
        if octet > 127:
            held |= (octet & 127) << shift
            shift += 7
            if shift > _LAST_SHIFT:
                raise refuse(f"a number of more than {NUMBER_BYTES_MAX} octets", where)
        elif shift:
            if not octet:
                raise refuse("a number that is not in its shortest form", where)
            values.append(held | octet << shift)
            held = shift = 0
        else:
            values.append(octet)
    if shift:
        raise refuse("a number that is cut off", where)
    return values
