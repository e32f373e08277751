"""Reads and verifies a sealed message from `docs/wire.md` alone: nothing of the project, nothing of its libraries.

It is what somebody would write in another language. Ed25519 is RFC 8032 section 5.1, in its slowest form.
"""

import hashlib
import zlib
from typing import Any

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]


def add(one: Point, other: Point) -> Point:
    """The complete addition law of the twisted Edwards curve."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2
    x3 = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P)
    y3 = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P)
    return x3 % P, y3 % P


def multiply(factor: int, point: Point) -> Point:
    """Double and add."""
    result: Point = (0, 1)
    while factor:
        if factor & 1:
            result = add(result, point)
        point = add(point, point)
        factor >>= 1
    return result


def decompress(raw: bytes) -> Point:
    """RFC 8032 5.1.3."""
    value = int.from_bytes(raw, "little")
    sign, y = value >> 255, value & (1 << 255) - 1
    assert y < P
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - x2) % P == 0
    return (P - x if x % 2 != sign else x), y


BASE = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def verified(public: bytes, signature: bytes, message: bytes) -> bool:
    """RFC 8032 5.1.7."""
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % L
    return multiply(s, BASE) == add(decompress(r), multiply(k, decompress(public)))


class Reader:
    """msgpack, as far as the messages use it."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        """The next octets."""
        part = self.data[self.at : self.at + count]
        assert len(part) == count
        self.at += count
        return part

    def number(self, count: int, *, signed: bool = False) -> int:
        """Big endian."""
        return int.from_bytes(self.take(count), "big", signed=signed)

    def value(self) -> Any:
        """One value."""
        tag = self.number(1)
        if tag < 0x80:
            return tag
        if tag >= 0xE0:
            return tag - 256
        if tag < 0x90:
            return self.mapping(tag & 0x0F)
        if tag < 0xA0:
            return self.array(tag & 0x0F)
        if tag < 0xC0:
            return self.take(tag & 0x1F).decode()
        return self.long_form(tag)

    def long_form(self, tag: int) -> Any:
        """Everything with a length or a number behind its tag."""
        if tag == 0xC0:
            return None
        if 0xC4 <= tag <= 0xC6:
            return self.take(self.number(1 << tag - 0xC4))
        if 0xCC <= tag <= 0xCF:
            return self.number(1 << tag - 0xCC)
        if 0xD0 <= tag <= 0xD3:
            return self.number(1 << tag - 0xD0, signed=True)
        if 0xD9 <= tag <= 0xDB:
            return self.take(self.number(1 << tag - 0xD9)).decode()
        if tag in {0xDC, 0xDD}:
            return self.array(self.number(2 if tag == 0xDC else 4))
        assert tag in {0xDE, 0xDF}
        return self.mapping(self.number(2 if tag == 0xDE else 4))

    def array(self, count: int) -> list[Any]:
        """As many values."""
        return [self.value() for _ in range(count)]

    def mapping(self, count: int) -> dict[str, Any]:
        """As many pairs."""
        return {self.value(): self.value() for _ in range(count)}


def read(data: bytes) -> Any:
    """The one value in the octets."""
    reader = Reader(data)
    value = reader.value()
    assert reader.at == len(data)
    return value


def open_sealed(sealed: bytes, publics: dict[bytes, bytes]) -> tuple[str, Any, dict[str, Any]]:
    """Type, header and content of a sealed message; AssertionError when it is not authentic."""
    version, name, body, signatures = read(sealed)
    assert version == 1
    signed = b"wardtap.v1" + len(name).to_bytes(4, "big") + name.encode() + len(body).to_bytes(8, "big") + body
    for key_id, signature in signatures:
        public = publics[key_id]
        assert hashlib.sha256(b"ed25519" + public).digest()[:8] == key_id
        assert verified(public, signature, signed)
    plain = body[1:] if body[0] == 0 else zlib.decompress(body[1:])
    header, content = read(plain)
    return name, header, content


def numbers(column: bytes, count: int) -> list[int]:
    """The numbers of a column: groups of seven bits, the lowest first, bit 7 set while another follows."""
    found, at = [], 0
    while at < len(column):
        value = places = 0
        while True:
            octet = column[at]
            at += 1
            value += octet % 128 * 128**places
            places += 1
            if octet < 128:
                break
        assert places <= 9
        assert octet or places == 1
        found.append(value)
    assert len(found) == count
    return found


def columns(table: list[Any]) -> list[list[int]]:
    """Of a table whose columns all have a number for each row."""
    return [numbers(column, table[0]) for column in table[1:]]


def rows(table: list[Any]) -> list[list[Any]]:
    """The rows of `dv`: the first column holds differences."""
    number, found = 0, []
    for row in zip(*columns(table), strict=True):
        number += row[0]
        found.append([number, *row[1:]])
    return found


def edges(services: list[Any], addresses: list[bytes], table: list[Any]) -> list[list[Any]]:
    """The rows of `ed`, with what their services say, from both sides where one row stands for both."""
    count, device, peer, place, *rest = table
    peers = numbers(peer, count)
    places = iter(numbers(place, peers.count(0)))
    lines = iter(zip(numbers(device, count), peers, *(numbers(column, count) for column in rest), strict=True))
    found: list[list[Any]] = []
    for direction, protocol, port, scope, application, many in zip(*columns(services), strict=True):
        number = 0
        for _ in range(many):
            step, known, flows, packets_out, packets_in, octets_out, octets_in = next(lines)
            number += step
            whom = [known - 1, b"" if known else addresses[next(places)]]
            there = [packets_out, packets_in, octets_out, octets_in]
            back = [packets_in, packets_out, octets_in, octets_out]
            found.append([number, direction % 2, protocol, port, *whom, scope, application, flows, *there])
            if direction == 2:
                assert known
                found.append([known - 1, 1, protocol, port, number, b"", scope, application, flows, *back])
    assert next(lines, None) is None
    return found


def rows_v1(table: list[list[Any]]) -> list[list[Any]]:
    """The rows of `dv` or `ed` of the first version: columns of integers, the first holds differences."""
    number, found = 0, []
    for row in zip(*table, strict=True):
        number += row[0]
        found.append([number, *row[1:]])
    return found
