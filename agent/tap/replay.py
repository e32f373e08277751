"""Capture files at file time: mapped, walked in place by a kernel, never copied.

Classic pcap (both byte orders, micro- and nanoseconds) and pcapng are read here; gzip is unpacked to an unlinked
temporary file first, so memory stays flat; anything else is offered to libpcap. The mapping is private and writable
because a read-only array is another numba type and would compile every kernel a second time.
"""

import gzip
import mmap
import os
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from agent.errors import InputError
from agent.tap import kernels
from agent.tap.records import Burst, LegCounts, Octets, frame_buffers

# Magic number, as the file's first four octets -> (big-endian file, nanoseconds per tick). draft-ietf-opsawg-pcap
# section 4.
PCAP_MAGICS = {
    b"\xd4\xc3\xb2\xa1": (False, 1000),
    b"\xa1\xb2\xc3\xd4": (True, 1000),
    b"\x4d\x3c\xb2\xa1": (False, 1),
    b"\xa1\xb2\x3c\x4d": (True, 1),
}
PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
GZIP_MAGIC = b"\x1f\x8b"
PCAP_HEADER = 24
UNPACKED_MAX_BYTES = 16 << 30  # a gzip bomb stops here; longer captures are split by every tool that writes them

STATUS_TEXT = {
    kernels.CUT_HEADER: "the file ends inside a record header",
    kernels.CUT_FRAME: "the file ends inside a frame",
    kernels.NOT_A_RECORD: "no capture record can have this length or type",
}


class Walker(Protocol):
    """Frames of one open file."""

    def next_burst(self) -> Burst | None:
        """The next frames, None at the end."""

    @property
    def fault(self) -> InputError | None:
        """Why the walk ended early, if it did."""


class PcapWalker:
    """A mapped classic pcap."""

    def __init__(self, octets: Octets, name: str) -> None:
        self._octets, self._name = octets, name
        big, self._tick_ns = PCAP_MAGICS[octets[:4].tobytes()]
        # numba and numpy agree on native little-endian words; `swapped` means that the file's are big-endian.
        self._swapped = big
        self._link = int.from_bytes(octets[20:24].tobytes(), "big" if big else "little") & 0xFFFF
        self._at = PCAP_HEADER
        self._buffers = frame_buffers()
        self.fault: InputError | None = None
        self._done = False

    def next_burst(self) -> Burst | None:
        """The next records."""
        if self._done:
            return None
        frames = next(self._buffers)
        count, self._at, status = kernels.walk_pcap(
            self._octets, self._at, frames, self._swapped, self._tick_ns, self._link
        )
        self._done = status != kernels.FULL
        self.fault = _fault(self._name, self._at, status)
        return Burst(frames, count, self._octets)


class PcapngWalker:
    """A mapped pcapng: sections of either byte order, interfaces of their own link type and resolution."""

    def __init__(self, octets: Octets, name: str) -> None:
        self._octets, self._name, self._at = octets, name, 0
        self._buffers = frame_buffers()
        self._state = np.zeros(3, np.int64)
        self._interfaces = np.zeros((kernels.INTERFACES_MAX, 4), np.int64)
        self.fault: InputError | None = None
        self._done = False

    def next_burst(self) -> Burst | None:
        """The next packet blocks."""
        if self._done:
            return None
        frames = next(self._buffers)
        count, self._at, status = kernels.walk_pcapng(self._octets, self._at, frames, self._state, self._interfaces)
        self._done = status != kernels.FULL
        self.fault = _fault(self._name, self._at, status)
        return Burst(frames, count, self._octets)


def _fault(name: str, at: int, status: int) -> InputError | None:
    if status in STATUS_TEXT:
        return InputError(STATUS_TEXT[status], where=f"{name}: offset {at}", todo="what came before it is reported")
    return None


def _plain_file(path: Path) -> BinaryIO:
    """An open regular file: the path's own, or a temporary copy of a pipe or of standard input (`-`)."""
    if str(path) == "-":
        return _spooled(sys.stdin.buffer)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError("this is a directory, not a capture file", where=str(path), todo="name the files in it")
        handle = path.open("rb")
    except OSError as error:
        raise InputError(error.strerror or "cannot be read", where=str(path)) from error
    if stat.S_ISREG(mode):
        return handle
    with handle:
        return _spooled(handle)


def _spooled(stream: BinaryIO) -> BinaryIO:
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    shutil.copyfileobj(stream, copy)
    copy.seek(0)
    return copy


def _unpacked(packed: BinaryIO, name: str) -> tuple[BinaryIO, InputError | None]:
    """The content of a gzip file in an unlinked temporary file; what could be unpacked before damage is kept."""
    plain = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    fault: InputError | None = None
    try:
        with gzip.GzipFile(fileobj=packed) as stream:
            while chunk := stream.read1(1 << 20):  # read would lose what it had when damage comes
                plain.write(chunk)
                if plain.tell() > UNPACKED_MAX_BYTES:
                    fault = InputError("unpacks to more than 16 GiB", where=name, todo="unpack and split it first")
                    break
    except (OSError, EOFError, zlib.error) as error:
        fault = InputError(f"gzip damage after {plain.tell()} octets: {error}", where=name)
    plain.seek(0)
    return plain, fault


class ReplaySource:
    """Capture files, one after the other, at file time."""

    live = False

    def __init__(self, paths: list[Path]) -> None:
        self.faults: list[InputError] = []
        self.links: dict[tuple[str, int], int] = {}  # (file, link type) -> offset of its first frame
        self._frames = 0
        self._bursts: Generator[Burst, None, None] = self._walk(paths)

    def next_burst(self) -> Burst | None:
        """The next frames of the current file, or of the next one."""
        burst = next(self._bursts, None)
        if burst is not None:
            self._frames += burst.count
        return burst

    def legs(self) -> list[LegCounts]:
        """One leg named `file`: a file lost nothing that it could tell of."""
        return [LegCounts("file", self._frames, 0, 0, 0)]

    def close(self) -> None:
        """Nothing stays open between bursts but the current mapping, which goes with the generator."""
        self._bursts.close()

    def _walk(self, paths: list[Path]) -> Generator[Burst, None, None]:
        for path in paths:
            try:
                yield from self._walk_file(path)
            except InputError as error:
                self.faults.append(error)

    def _walk_file(self, path: Path) -> Iterator[Burst]:
        with _plain_file(path) as handle:
            if handle.peek(2)[:2] == GZIP_MAGIC if hasattr(handle, "peek") else False:
                plain, fault = _unpacked(handle, str(path))
                with plain:
                    yield from self._walk_plain(plain, str(path))
                if fault is not None:
                    self.faults.append(fault)
                return
            yield from self._walk_plain(handle, str(path))

    def _note_links(self, burst: Burst, name: str) -> None:
        links, first = np.unique(burst.frames["link"][: burst.count], return_index=True)
        for link, index in zip(links.tolist(), first.tolist(), strict=True):
            self.links.setdefault((name, link), int(burst.frames["offset"][index]))

    def _walk_plain(self, handle: BinaryIO, name: str) -> Iterator[Burst]:
        size = os.fstat(handle.fileno()).st_size
        if size == 0:
            raise InputError("the file is empty", where=name, todo="capture again, or check how it was copied")
        mapping = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_COPY)
        mapping.madvise(mmap.MADV_SEQUENTIAL)
        walker = _walker(np.frombuffer(mapping, np.uint8), name)
        while (burst := walker.next_burst()) is not None:
            self._note_links(burst, name)
            yield burst
        if walker.fault is not None:
            self.faults.append(walker.fault)


def _walker(octets: Octets, name: str) -> Walker:
    magic = octets[:4].tobytes()
    if magic in PCAP_MAGICS:
        if len(octets) < PCAP_HEADER:
            raise InputError("the file ends inside its header", where=f"{name}: offset {len(octets)}")
        return PcapWalker(octets, name)
    if magic == PCAPNG_MAGIC:
        return PcapngWalker(octets, name)
    from agent.tap.pcapy_live import LibpcapWalker  # noqa: PLC0415 - libpcap is loaded only for odd formats

    return LibpcapWalker(name)
