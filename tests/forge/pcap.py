"""Capture files: classic pcap in both byte orders, micro- and nanoseconds, any link type, and pcapng."""

import gzip
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

EN10MB, NULL, RAW, LOOP, LINUX_SLL, IPV4, IPV6, LINUX_SLL2 = 1, 0, 101, 108, 113, 228, 229, 276
MICRO, NANO = 0xA1B2C3D4, 0xA1B23C4D


class Frame(NamedTuple):
    """One captured frame; `wirelen` None means that nothing was cut."""

    time_ns: int
    octets: bytes
    wirelen: int | None = None


@dataclass(frozen=True, slots=True)
class Pcap:
    """How to write a classic file."""

    link: int = EN10MB
    nanoseconds: bool = False
    big_endian: bool = False
    snaplen: int = 262144

    def octets(self, frames: Iterable[Frame]) -> bytes:
        """The whole file; frames longer than the snapshot length are cut."""
        order = ">" if self.big_endian else "<"
        magic, unit = (NANO, 1) if self.nanoseconds else (MICRO, 1000)
        out = bytearray(struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, self.snaplen, self.link))
        for frame in frames:
            seconds, rest = divmod(frame.time_ns, 1_000_000_000)
            kept = frame.octets[: self.snaplen]
            wirelen = len(frame.octets) if frame.wirelen is None else frame.wirelen
            out += struct.pack(f"{order}IIII", seconds, rest // unit, len(kept), wirelen) + kept
        return bytes(out)


def _block(kind: int, body: bytes, order: str) -> bytes:
    body += b"\0" * (-len(body) % 4)
    size = len(body) + 12
    return struct.pack(f"{order}II", kind, size) + body + struct.pack(f"{order}I", size)


def pcapng(frames: Iterable[Frame], *, link: int = EN10MB, big_endian: bool = False) -> bytes:
    """A section, one interface with nanosecond times (if_tsresol 9) and enhanced packet blocks."""
    order = ">" if big_endian else "<"
    out = _block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    resolution = struct.pack(f"{order}HHB3xHH", 9, 1, 9, 0, 0)
    out += _block(1, struct.pack(f"{order}HHI", link, 0, 262144) + resolution, order)
    for frame in frames:
        wirelen = len(frame.octets) if frame.wirelen is None else frame.wirelen
        head = struct.pack(
            f"{order}IIIII", 0, frame.time_ns >> 32, frame.time_ns & 0xFFFFFFFF, len(frame.octets), wirelen
        )
        out += _block(6, head + frame.octets, order)
    return out


def write(path: Path, content: bytes) -> None:
    """Write a capture; a name that ends in .gz is compressed with time zero, so equal input gives equal files."""
    path.write_bytes(gzip.compress(content, 9, mtime=0) if path.suffix == ".gz" else content)
