"""Capture files at file time: read in large chunks and walked there by a kernel.

Classic pcap (both byte orders, micro- and nanoseconds) and pcapng are read here, from files, pipes and gzip streams
alike, so memory stays flat; anything else is offered to libpcap.
"""

import gzip
import sys
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from agent.errors import InputError
from agent.tap import kernels
from agent.tap.chunks import Chunks, Read
from agent.tap.records import Burst, LegCounts, Rows, frame_buffers

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

    @property
    def base(self) -> int:
        """Offset in the stream of the last burst's octets."""


class _StreamWalker:
    """Bursts out of chunks; what a walk found incomplete is read on."""

    def __init__(self, chunks: Chunks, name: str, at: int) -> None:
        self._chunks, self._name, self._at = chunks, name, at
        self._buffers = frame_buffers()
        self._status = kernels.FULL
        self._handed_out = False  # a burst points into the present chunk
        self.fault: InputError | None = None
        self.base = 0  # stream offset of the last burst's octets

    def _walk(self, frames: Rows) -> tuple[int, int, int]:
        raise NotImplementedError

    def next_burst(self) -> Burst | None:
        """The next frames; None at the end."""
        frames = next(self._buffers)
        while self._status != kernels.NOT_A_RECORD:
            if self._status != kernels.FULL and not self._read_on():
                break
            count, self._at, self._status = self._walk(frames)
            if count:
                self.base, self._handed_out = self._chunks.base, True
                return Burst(frames, count, self._chunks.octets)
        self.fault = _fault(self._name, self._chunks.base + self._at, self._status)
        return None

    def _read_on(self) -> bool:
        more = self._chunks.refill(self._at, handed_out=self._handed_out)
        self._at, self._handed_out = 0, False
        return more


class PcapWalker(_StreamWalker):
    """A classic pcap."""

    def __init__(self, chunks: Chunks, name: str) -> None:
        super().__init__(chunks, name, PCAP_HEADER)
        header = chunks.octets[:PCAP_HEADER].tobytes()
        # numba and numpy agree on native little-endian words; `swapped` means that the file's are big-endian.
        self._swapped, self._tick_ns = PCAP_MAGICS[header[:4]]
        self._link = int.from_bytes(header[20:24], "big" if self._swapped else "little") & 0xFFFF

    def _walk(self, frames: Rows) -> tuple[int, int, int]:
        octets = self._chunks.octets
        return kernels.walk_pcap(octets, self._at, frames, self._swapped, self._tick_ns, self._link)


class PcapngWalker(_StreamWalker):
    """A pcapng: sections of either byte order, interfaces of their own link type and resolution."""

    def __init__(self, chunks: Chunks, name: str) -> None:
        super().__init__(chunks, name, 0)
        self._state = np.zeros(3, np.int64)
        self._interfaces = np.zeros((kernels.INTERFACES_MAX, 4), np.int64)

    def _walk(self, frames: Rows) -> tuple[int, int, int]:
        return kernels.walk_pcapng(self._chunks.octets, self._at, frames, self._state, self._interfaces)


def _fault(name: str, at: int, status: int) -> InputError | None:
    if status in STATUS_TEXT:
        return InputError(STATUS_TEXT[status], where=f"{name}: offset {at}", todo="what came before it is reported")
    return None


def _stream(path: Path) -> BinaryIO:
    """The path's octets, or standard input's (`-`)."""
    if str(path) == "-":
        return sys.stdin.buffer
    try:
        if path.is_dir():
            raise InputError("this is a directory, not a capture file", where=str(path), todo="name the files in it")
        return path.open("rb")
    except OSError as error:
        raise InputError(error.strerror or "cannot be read", where=str(path)) from error


class _Gzip:
    """A gzip stream as chunks read it; damage ends it, and what was unpacked before is kept."""

    def __init__(self, packed: BinaryIO, name: str) -> None:
        self._stream, self._name, self._octets = gzip.GzipFile(fileobj=packed), name, 0
        self.fault: InputError | None = None

    def readinto(self, room: memoryview) -> int:
        """The next octets; 0 at the end, at damage, or when far too much came out."""
        if self.fault is not None:
            return 0
        try:
            chunk = self._stream.read1(len(room))  # read would lose what it had when damage comes
        except (OSError, EOFError, zlib.error) as error:
            self.fault = InputError(f"gzip damage after {self._octets} octets: {error}", where=self._name)
            return 0
        self._octets += len(chunk)
        if self._octets > UNPACKED_MAX_BYTES:
            todo = "unpack and split it first"
            self.fault = InputError("unpacks to more than 16 GiB", where=self._name, todo=todo)
        room[: len(chunk)] = chunk
        return len(chunk)


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

    def deafen(self) -> None:
        """A file says what it says."""

    def close(self) -> None:
        """Nothing stays open between bursts but the current file, which goes with the generator."""
        self._bursts.close()

    def _walk(self, paths: list[Path]) -> Generator[Burst, None, None]:
        for path in paths:
            try:
                yield from self._walk_file(path)
            except InputError as error:
                self.faults.append(error)

    def _walk_file(self, path: Path) -> Iterator[Burst]:
        name = str(path)
        with _stream(path) as handle:
            if getattr(handle, "peek", lambda _: b"")(2)[:2] != GZIP_MAGIC:
                yield from self._walk_stream(Chunks(_reader(handle, name)), name)
                return
            packed = _Gzip(handle, name)
            yield from self._walk_stream(Chunks(packed.readinto), name)
            if packed.fault is not None:
                self.faults.append(packed.fault)

    def _walk_stream(self, chunks: Chunks, name: str) -> Iterator[Burst]:
        if not chunks.refill(0, handed_out=False):
            raise InputError("the file is empty", where=name, todo="capture again, or check how it was copied")
        walker = _walker(chunks, name)
        while (burst := walker.next_burst()) is not None:
            self._note_links(burst, name, walker.base)
            yield burst
        if walker.fault is not None:
            self.faults.append(walker.fault)

    def _note_links(self, burst: Burst, name: str, base: int) -> None:
        links = burst.frames["link"][: burst.count]
        if (name, int(links[0])) in self.links and (links == links[0]).all():
            return
        for link, index in zip(*(found.tolist() for found in np.unique(links, return_index=True)), strict=True):
            self.links.setdefault((name, link), base + int(burst.frames["offset"][index]))


def _reader(handle: BinaryIO, name: str) -> Read:
    """Reads that say what is wrong in the words of this program."""

    def readinto(room: memoryview) -> int:
        try:
            return handle.readinto(room)  # type: ignore[attr-defined, no-any-return] # BufferedReader has it
        except OSError as error:
            raise InputError(error.strerror or "cannot be read", where=name) from error

    return readinto


def _walker(chunks: Chunks, name: str) -> Walker:
    magic = chunks.octets[:4].tobytes()
    if magic in PCAP_MAGICS:
        if len(chunks.octets) < PCAP_HEADER:
            raise InputError("the file ends inside its header", where=f"{name}: offset {len(chunks.octets)}")
        return PcapWalker(chunks, name)
    if magic == PCAPNG_MAGIC:
        return PcapngWalker(chunks, name)
    from agent.tap.pcapy_live import LibpcapWalker  # noqa: PLC0415 - libpcap is loaded only for odd formats

    return LibpcapWalker(name)
