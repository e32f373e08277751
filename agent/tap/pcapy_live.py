"""libpcap through pcapy-ng: the portable live backend, what compiles filters, and what reads odd capture formats.

`next_batch` gives seconds, microseconds, offset and captured length but no wire length, so frames are taken whole
(snap length 262144) and a wire length of 0 tells the decoder to trust the IP header. One leg is one handle; legs are
read in turn, so the two halves of a conversation on two legs come in the order of the legs: the ring merges them.
"""

import ctypes
import os
import select
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import numpy as np
import pcapy

from agent.clock import Clock, SystemClock
from agent.errors import InputError
from agent.tap.link import Links
from agent.tap.records import BURST_FRAMES_MAX, Burst, LegCounts, Octets, Rows, frame_buffers
from agent.tap.source import cannot_listen, checked_legs
from agent.tap.watch import LegWatch

SNAPLEN_BYTES = 262144  # libpcap's maximum: a shorter one would hide wire lengths that next_batch does not give
BUFFER_BYTES = 32 << 20  # of each leg, in the kernel: a quarter of a second at 1 Gbit/s
# What pcap_activate(3PCAP) answers instead of raising; positive numbers are warnings.
ACTIVATE_ERRORS = {
    -5: "no such interface",
    -8: "permission denied",
    -9: "the interface is down",
    -11: "permission denied",
}
NO_NETMASK = 0xFFFFFFFF  # PCAP_NETMASK_UNKNOWN: a tap has no address
READ_TIMEOUT_MS = 100  # a silent leg gives the turn back this often, so that the clock goes on
BATCH_FRAMES = BURST_FRAMES_MAX
RAW = 101  # LINKTYPE_RAW; DLT_RAW differs between systems
LINK_TYPES = {12: RAW, 14: RAW}
META = np.dtype([("sec", "<u4"), ("usec", "<u4"), ("offset", "<u4"), ("caplen", "<u4")])


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """pcapy-ng prints to the standard error of the process when it opens a handle; people see only our line."""
    sys.stderr.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def libpcap_version() -> str:
    """What libpcap says of itself; empty when pcapy-ng was built so that nobody can ask."""
    try:
        ask = ctypes.CDLL(pcapy.__file__).pcap_lib_version
    except (OSError, AttributeError):
        return ""
    ask.restype = ctypes.c_char_p
    return bytes(ask()).decode("ascii", errors="replace")


def compiled_filter(text: str, link: int) -> list[tuple[int, int, int, int]]:
    """A filter in libpcap's language as a classic BPF program for the kernel. InputError when it is none."""
    kind = pcapy.DLT_RAW if link == RAW else link  # for filters libpcap knows it by its system's number
    try:
        with _quiet_stderr():
            program: list[tuple[int, int, int, int]] = pcapy.compile(kind, SNAPLEN_BYTES, text, 1, NO_NETMASK).get_bpf()
    except (pcapy.PcapError, pcapy.BPFError) as error:
        raise _filter_error(error) from error
    return program


def _filter_error(error: Exception) -> InputError:
    return InputError(f"no capture filter: {error}", where="[tap] filter", todo="its language: `man pcap-filter`")


class _Leg:
    """One interface: its handle, its link type, and what its counters have grown since we took over."""

    def __init__(self, name: str, buffer_bytes: int, capture_filter: str, links: Links) -> None:
        self.name = name
        self.handle = _activated(name, buffer_bytes)
        # libpcap's own timeout begins with a packet (TPACKET_V3 wakes nobody for an empty block): on a silent leg a
        # blocking read waits for ever. So legs never block, and `next_burst` waits on their descriptors.
        self.handle.setnonblock(1)
        self.handle.setdirection(pcapy.PCAP_D_IN)  # what this machine sends itself is not the ward's
        if capture_filter:
            self._set_filter(capture_filter)
        self.link = LINK_TYPES.get(self.handle.datalink(), self.handle.datalink())
        self.frames = 0
        first = links.named(name)
        if first is None:
            raise cannot_listen(name, "no such interface")
        self._watch = LegWatch(name, first)
        self._links = links

    def _set_filter(self, text: str) -> None:
        try:
            with _quiet_stderr():
                self.handle.setfilter(text)
        except pcapy.PcapError as error:
            raise _filter_error(error) from error

    def counts(self, now_ns: int) -> LegCounts:
        """Kernel and interface counters since takeover. Drops are the kernel's and the interface's together."""
        received, dropped, interface_dropped = self.handle.stats()
        named, numbered = self._links.named(self.name), self._links.numbered(self._watch.number)
        ours = named is not None and named.number == self._watch.number  # a handle stays with its interface
        self._watch.look(named if ours else None, numbered, now_ns)
        grown = self._watch.grown
        return LegCounts(
            self.name,
            self.frames,
            dropped + interface_dropped,
            0,  # libpcap does not tell
            grown.sent,
            received=received,
            nic_received=grown.received,
            nic_lost=grown.lost,
            nic_errors=grown.errors,
            blind_ns=self._watch.blind_ns,
            fault=self._watch.fault,
        )


def _activated(leg: str, buffer_bytes: int) -> Any:
    """A listening handle whose kernel buffer has the configured size: what it cannot hold is dropped, and counted."""
    try:
        with _quiet_stderr():
            handle = pcapy.create(leg)
            handle.set_snaplen(SNAPLEN_BYTES)
            handle.set_promisc(1)
            handle.set_timeout(READ_TIMEOUT_MS)
            handle.set_buffer_size(buffer_bytes)
            code = handle.activate()
    except pcapy.PcapError as error:
        raise cannot_listen(leg, str(error)) from error
    if code < 0:
        raise cannot_listen(leg, ACTIVATE_ERRORS.get(code, f"libpcap error {code}"))
    return handle


class PcapyLive:
    """Live legs, read in turn; an empty burst when all were silent for READ_TIMEOUT_MS."""

    live = True

    def __init__(
        self,
        legs: list[str],
        buffer_bytes: int = BUFFER_BYTES,
        capture_filter: str = "",
        clock: Clock | None = None,
    ) -> None:
        checked_legs(legs)
        self.faults: list[InputError] = []
        self._clock = clock or SystemClock()
        with ExitStack() as opened:
            self._links = opened.enter_context(closing(Links()))
            self._legs = [_Leg(name, buffer_bytes, capture_filter, self._links) for name in legs]
            opened.pop_all()
        self._buffers = frame_buffers()
        self._turn = 0
        self._poll = select.poll()
        self._numbers: dict[int, int] = {}
        for number, leg in enumerate(self._legs):
            self._numbers[leg.handle.getfd()] = number
            self._poll.register(leg.handle.getfd(), select.POLLIN)

    def _next_leg(self) -> int:
        """The next leg, in turn, that has something; the one whose turn it is when all are silent for the timeout."""
        ready = {self._numbers[descriptor] for descriptor, _ in self._poll.poll(READ_TIMEOUT_MS)}
        count = len(self._legs)
        order = [(self._turn + step) % count for step in range(count)]
        number = next((leg for leg in order if leg in ready), self._turn)
        self._turn = (number + 1) % count
        return number

    def next_burst(self) -> Burst | None:
        """One batch of the next leg. A leg that breaks ends the source: the service starts anew and reopens it."""
        number = self._next_leg()
        leg = self._legs[number]
        try:
            octets, meta = leg.handle.next_batch(BATCH_FRAMES)
        except pcapy.PcapError as error:
            self.faults.append(InputError(f"the leg stopped: {error}", where=leg.name, todo="check the cable"))
            return None
        frames = next(self._buffers)
        count = _fill(frames, meta, leg.link, number)
        leg.frames += count
        return Burst(frames, count, _writable(octets))

    def legs(self) -> list[LegCounts]:
        """Counters of every leg since takeover."""
        now_ns = self._clock.mono_ns()
        return [leg.counts(now_ns) for leg in self._legs]

    def deafen(self) -> None:
        """Not here: a filter set now would also throw away what waits in libpcap's ring."""

    def close(self) -> None:
        """Close the handles."""
        self._links.close()
        for leg in self._legs:
            leg.handle.close()


def _writable(octets: bytes) -> Octets:
    """The kernels' one array type is writable; pcapy gives immutable bytes."""
    array = np.empty(max(len(octets), 1), np.uint8)
    array[: len(octets)] = np.frombuffer(octets, np.uint8)
    return array


def _fill(frames: Rows, meta: bytes, link: int, leg: int) -> int:
    """Records of pcapy into FRAME rows; wire length 0 = not known."""
    records = np.frombuffer(meta, META)
    rows = frames[: len(records)]
    rows["time_ns"] = records["sec"].astype(np.int64) * 1_000_000_000 + records["usec"].astype(np.int64) * 1000
    rows["offset"], rows["caplen"], rows["wirelen"] = records["offset"], records["caplen"], 0
    rows["link"], rows["leg"], rows["vlan"] = link, leg, 0
    return len(records)


class LibpcapWalker:
    """A capture file in a format that only libpcap reads, packet by packet; slow, and rare."""

    base = 0  # libpcap does not tell where in the file it is

    def __init__(self, name: str) -> None:
        self._name = name
        self.fault: InputError | None = None
        try:
            with _quiet_stderr():
                self._handle = pcapy.open_offline(name)
        except pcapy.PcapError as error:
            raise InputError(f"not a capture: {error}", where=f"{name}: offset 0") from error
        self._link = LINK_TYPES.get(self._handle.datalink(), self._handle.datalink())
        self._buffers = frame_buffers()
        self._read = 0
        self._done = False

    def next_burst(self) -> Burst | None:
        """Up to 1024 packets, copied together."""
        if self._done:
            return None
        parts: list[bytes] = []
        at = 0
        frames = next(self._buffers)
        while len(parts) < 1024:
            try:
                header, data = self._handle.next()
            except pcapy.PcapError as error:
                self.fault = InputError(str(error), where=f"{self._name}: after frame {self._read}")
                self._done = True
                break
            if header is None:
                self._done = True
                break
            seconds, micros = header.getts()
            row = frames[len(parts)]
            row["time_ns"], row["offset"] = seconds * 1_000_000_000 + micros * 1000, at
            row["caplen"], row["wirelen"], row["link"] = len(data), header.getlen(), self._link
            row["leg"], row["vlan"] = 0, 0
            parts.append(data)
            at += len(data)
            self._read += 1
        return Burst(frames, len(parts), _writable(b"".join(parts)))
