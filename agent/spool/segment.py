"""The spool's files: frames that can be found again after damage, and names that say what is inside.

    frame   magic 4 | kind 1 | type length 1 | 0 2 | payload length 4 | seq 8 | run 16 | check 8 | payload = type, body

Integers are big-endian. `check` is BLAKE2b-64 over everything else of the frame, the length included (a checksum that
leaves the length out lets one flipped bit swallow the neighbours). A frame names its run and seq itself: a renamed or
swapped file still delivers what is in it.

A mark is a frame without payload: "every record of this run and lane up to `seq` is durable", written after the fsync
it speaks of. Readers deliver only what a mark covers, so nothing is ever sent that a power cut could take back.
"""

import os
import re
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from pathlib import Path

from agent.spool.records import Lane, Segment

MAGIC = b"\xd7wtS"  # not UTF-8, not a msgpack or zlib start: rare inside bodies
PAYLOAD_BYTES_MAX = 1 << 18  # four times the largest message
FILE_BYTES_MAX = 1 << 23  # what a reader will take into memory; writers stay at 1 MiB
_HEAD = struct.Struct(">4sBBHIQ16s")
CHECK_BYTES = 8
HEAD_BYTES = _HEAD.size + CHECK_BYTES
GRAVE_BYTES = HEAD_BYTES  # what a segment that was given up on a full disk still has: one mark
HASH_BUDGET = 8  # a file made of forged heads costs at most this many times its size
_NAME = re.compile(r"([0-9]{8,18})-([fs])-([0-9]{20})-([0-9]{3,9})-([0-9a-f]{32})\.seg")


class Kind(IntEnum):
    """What a frame is."""

    RECORD = 1
    MARK = 2
    RUN = 3


@dataclass(frozen=True, slots=True)
class Frame:
    """An intact frame and where it lies."""

    kind: Kind
    seq: int
    run: bytes
    type: str
    body: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Damage:
    """Octets between intact frames that are none."""

    start: int
    end: int


def _check(head: bytes, payload: bytes) -> bytes:
    return blake2b(head + payload, digest_size=CHECK_BYTES).digest()


def frame(kind: Kind, seq: int, run: bytes, type_name: str = "", body: bytes = b"") -> bytes:
    """The octets of one frame."""
    name = type_name.encode()
    head = _HEAD.pack(MAGIC, kind, len(name), 0, len(name) + len(body), seq, run)
    payload = name + body
    return head + _check(head, payload) + payload


def frames(data: bytes, start: int = 0) -> Iterator[Frame | Damage]:
    """Every intact frame from `start` on, in order, and what lies between two of them or behind the last one."""
    at = lost_from = start
    budget = HASH_BUDGET * (len(data) + HEAD_BYTES)
    while True:
        at = data.find(MAGIC, at)
        if at < 0 or budget <= 0:
            break
        found = _frame_at(data, at)
        if isinstance(found, Frame):
            if lost_from < at:
                yield Damage(lost_from, at)
            yield found
            budget -= found.end - at
            at = lost_from = found.end
        else:
            budget -= found
            at += 1
    if lost_from < len(data):
        yield Damage(lost_from, len(data))


def _frame_at(data: bytes, at: int) -> Frame | int:
    """The frame at `at`, or what looking cost in octets hashed."""
    body_at = at + HEAD_BYTES
    if body_at > len(data):
        return 0
    head: tuple[bytes, int, int, int, int, int, bytes] = _HEAD.unpack_from(data, at)
    _, kind, type_bytes, zero, length, seq, run = head
    plausible = kind in _KINDS and zero == 0 and type_bytes <= length <= PAYLOAD_BYTES_MAX
    end = body_at + length
    if not plausible or end > len(data):
        return 0
    payload = data[body_at:end]
    if _check(data[at : at + _HEAD.size], payload) != data[at + _HEAD.size : body_at]:
        return HEAD_BYTES + length
    try:
        name = payload[:type_bytes].decode("ascii")
    except UnicodeDecodeError:
        return HEAD_BYTES + length
    return Frame(Kind(kind), seq, run, name, payload[type_bytes:], at, end)


_KINDS = frozenset(int(kind) for kind in Kind)


def segment_name(generation: int, lane: Lane, first_seq: int, attempt: int, run: bytes) -> str:
    """File name of a segment; sorts by age within a lane."""
    return f"{generation:08d}-{lane}-{first_seq:020d}-{attempt:03d}-{run.hex()}.seg"


def list_segments(folder: Path) -> tuple[list[Segment], int]:
    """Segments of a folder, oldest first, and how many other things have their ending; OSError if unlisted."""
    found: list[Segment] = []
    foreign = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.endswith(".seg"):
                continue
            segment = _segment(folder, entry)
            if segment is None:
                foreign += 1
            else:
                found.append(segment)
    return sorted(found, key=lambda segment: segment.order), foreign


def _segment(folder: Path, entry: "os.DirEntry[str]") -> Segment | None:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    return parse_name(folder / entry.name, status.st_size) if stat.S_ISREG(status.st_mode) else None


def parse_name(path: Path, size_bytes: int = 0) -> Segment | None:
    """A segment by its file name, None when it is not one."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    return Segment(
        path=path,
        generation=int(match[1]),
        lane=Lane(match[2]),
        first_seq=int(match[3]),
        attempt=int(match[4]),
        run=bytes.fromhex(match[5]),
        size_bytes=size_bytes,
    )


def read_segment(path: Path, offset: int = 0) -> bytes:
    """Octets from `offset` on; OSError when the file is gone, is no regular file or is larger than a segment can be."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > FILE_BYTES_MAX:
            raise OSError(f"{path.name} is not a segment")
        parts: list[bytes] = []
        at = offset
        while part := os.pread(descriptor, 1 << 20, at):
            parts.append(part)
            at += len(part)
        return b"".join(parts)
    finally:
        os.close(descriptor)
