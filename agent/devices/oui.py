"""The vendor pack: which organisation a block of MAC addresses was given to. One file, mapped, searched by bisection.

Layout, all numbers big end first: magic (8), date of the registry yyyymmdd (4), counts of names, of 36-, 28- and 24-bit
blocks (4 each); offsets of the names (4 each, one more than names); per block size its sorted prefixes (5, 4 and 3
octets each) and then their name numbers (2 octets each); the names in UTF-8. Small blocks lie inside 24-bit blocks that
the registry itself holds, so the longest prefix is asked for first.
"""

import mmap
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from agent.errors import InputError

MAGIC = b"WTOUI\x00\x00\x01"
_HEADER = struct.Struct(">8s5I")
_BLOCKS = ((36, 5), (28, 4), (24, 3))  # bits of the prefix, octets it is stored in; longest first
NAMES_MAX = 0xFFFF  # a name number has two octets
FILE_MAX_BYTES = 4 << 20


class Assignment(NamedTuple):
    """Who a block was given to, and how long the block's prefix is."""

    organisation: str
    bits: int


class _Section(NamedTuple):
    """Where the prefixes of one size lie."""

    bits: int
    width: int
    blocks: int
    keys_at: int
    numbers_at: int


class VendorBlocks:
    """The mapped pack. Lookups are total: any 48-bit number, and any other integer, gives an answer or None."""

    def __init__(self, data: bytes | mmap.mmap, where: str) -> None:
        self._data = data
        if len(data) < _HEADER.size or data[:8] != MAGIC:
            raise InputError(
                "this is no vendor pack", where=where, todo="build it again, see firmware_config/packs/README.md"
            )
        _, self.date, self._names, *counts = _HEADER.unpack_from(data)
        self._offsets_at = at = _HEADER.size
        at += 4 * (self._names + 1)
        self._sections: list[_Section] = []
        for (bits, width), count in zip(_BLOCKS, counts, strict=True):
            self._sections.append(_Section(bits, width, count, at, at + width * count))
            at += (width + 2) * count
        self._names_at = at
        if at > len(data) or at + self._offset(self._names) != len(data):
            raise InputError("the vendor pack is cut or damaged", where=where, todo="install the packs again")

    @classmethod
    def load(cls, path: Path) -> "VendorBlocks":
        """Map the file read-only. InputError when it is missing, too large or damaged."""
        try:
            with path.open("rb") as file:
                if path.stat().st_size > FILE_MAX_BYTES:
                    raise InputError("the vendor pack is too large", where=str(path))
                return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), str(path))
        except (OSError, ValueError) as error:
            raise InputError(f"the vendor pack cannot be read: {error}", where=str(path)) from error

    def __len__(self) -> int:
        """How many blocks there are."""
        return sum(section.blocks for section in self._sections)

    def find(self, mac: int) -> Assignment | None:
        """The organisation of the longest block that holds this address."""
        if not 0 <= mac < 1 << 48:
            return None
        for section in self._sections:
            number = self._search(section, mac >> (48 - section.bits))
            if number >= 0:
                return Assignment(self._name(number), section.bits)
        return None

    def _search(self, section: _Section, prefix: int) -> int:
        """The name number of a prefix, -1 when the section does not have it."""
        data, width, base = self._data, section.width, section.keys_at
        key = prefix.to_bytes(width, "big")
        low, high = 0, section.blocks
        while low < high:
            middle = (low + high) // 2
            if data[base + middle * width : base + middle * width + width] < key:
                low = middle + 1
            else:
                high = middle
        if low == section.blocks or data[base + low * width : base + low * width + width] != key:
            return -1
        at = section.numbers_at + 2 * low
        return int.from_bytes(data[at : at + 2], "big")

    def names_one(self, organisation: str) -> bool:
        """Whether the registry spells an organisation exactly so; names lie in the order of their octets."""
        wanted, low, high = organisation.encode("utf-8", "surrogatepass"), 0, self._names
        while low < high:
            middle = (low + high) // 2
            if self._octets(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low < self._names and self._octets(low) == wanted

    def _offset(self, number: int) -> int:
        """Where a name starts among the names."""
        at = self._offsets_at + 4 * number
        return int.from_bytes(self._data[at : at + 4], "big")

    def _name(self, number: int) -> str:
        """A name; empty for a number the file does not have."""
        return self._octets(number).decode("utf-8", "replace") if number < self._names else ""

    def _octets(self, number: int) -> bytes:
        """A name as it lies in the file."""
        start, end = self._names_at + self._offset(number), self._names_at + self._offset(number + 1)
        return self._data[start:end]


def encode(blocks: Mapping[tuple[int, int], str], date: int) -> bytes:
    """The pack of {(bits, prefix): organisation}; the same input gives the same octets."""
    names = sorted(set(blocks.values()))
    if len(names) > NAMES_MAX:
        raise InputError(f"{len(names)} organisations, {NAMES_MAX} fit", todo="widen the name numbers of the format")
    number = {name: index for index, name in enumerate(names)}
    sections, counts = [], []
    for bits, width in _BLOCKS:
        prefixes = sorted(prefix for size, prefix in blocks if size == bits)
        counts.append(len(prefixes))
        sections.append(b"".join(prefix.to_bytes(width, "big") for prefix in prefixes))
        sections.append(b"".join(number[blocks[bits, prefix]].to_bytes(2, "big") for prefix in prefixes))
    offsets, at, texts = [], 0, [name.encode() for name in names]
    for text in texts:
        offsets.append(at)
        at += len(text)
    offsets.append(at)
    head = _HEADER.pack(MAGIC, date, len(names), *counts)
    return b"".join([head, struct.pack(f">{len(offsets)}I", *offsets), *sections, *texts])
