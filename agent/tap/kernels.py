"""Capture files, walked in place: file octets -> FRAME rows, no copy.

Before: `octets` is a piece of the file. After: `frames[:count]` point into it. Total: every read is guarded by the
octets that are left, and a walk ends at the first record that cannot be one, with a status that says why. Cost: one
pass over headers.
"""

import numpy as np

from agent.jit import Words, kernel, leaf
from agent.tap.records import Octets, Rows

U64, U32 = np.uint64, np.uint32
ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)  # unsigned indices: see packets/cursor.py

# What a walk ended with.
FULL = 0  # the frame table is full: call again
END = 1  # the file ended between two records
CUT_HEADER = 2  # the file ends inside a record header
CUT_FRAME = 3  # the file ends inside a frame
NOT_A_RECORD = 4  # a length no record can have

TIME_MAX_NS = 1 << 62  # the year 2116: a writer with the wrong resolution must not carry time past 63 bits
CAPLEN_MAX = 1 << 20  # no writer's snap length comes near; libpcap's own maximum is 262144
PCAP_RECORD = 16  # draft-ietf-opsawg-pcap section 5
INTERFACES_MAX = 256  # of one pcapng section

# Columns of `state`: what a pcapng walk remembers between bursts.
SWAPPED, INTERFACES, SKIPPED_BLOCKS = 0, 1, 2
# Columns of `interfaces`: link type, nanoseconds per tick (0: ticks per second in the third), ticks per second, snap
# length.
LINK, TICK_NS, TICKS_PER_S, SNAPLEN = 0, 1, 2, 3


@leaf
def _u32(octets: Octets, at: int, swapped: bool) -> int:
    """Four octets, unsigned; the caller has checked that they are there."""
    i = U64(at)
    a, b = np.uint32(octets[i]), np.uint32(octets[i + ONE])
    c, d = np.uint32(octets[i + TWO]), np.uint32(octets[i + THREE])
    if swapped:
        return np.int64((a << U32(24)) | (b << U32(16)) | (c << U32(8)) | d)
    return np.int64((d << U32(24)) | (c << U32(16)) | (b << U32(8)) | a)


@leaf
def _u16(octets: Octets, at: int, swapped: bool) -> int:
    """Two octets, unsigned; the caller has checked that they are there."""
    i = U64(at)
    a, b = np.int64(octets[i]), np.int64(octets[i + ONE])
    return (a << 8) | b if swapped else (b << 8) | a


@leaf
def _put(row: np.void, time_ns: int, at: int, caplen: int, wirelen: int, link: int) -> None:
    row["time_ns"] = time_ns
    row["offset"] = at
    row["caplen"] = caplen
    row["wirelen"] = max(wirelen, caplen)
    row["link"] = link
    row["leg"] = 0
    row["vlan"] = 0


@kernel
def walk_pcap(octets: Octets, start: int, frames: Rows, swapped: bool, tick_ns: int, link: int) -> tuple[int, int, int]:
    """Classic pcap records from `start` on. Returns (frames found, offset of the next record, status)."""
    size, at, count = len(octets), start, 0
    while count < len(frames):
        if at + PCAP_RECORD > size:
            return count, at, END if at == size else CUT_HEADER
        caplen, wirelen = _u32(octets, at + 8, swapped), _u32(octets, at + 12, swapped)
        if caplen > CAPLEN_MAX:
            return count, at, NOT_A_RECORD
        if at + PCAP_RECORD + caplen > size:
            return count, at, CUT_FRAME
        # Seconds are unsigned: captures of 2038 and later keep their order.
        time_ns = _u32(octets, at, swapped) * 1_000_000_000 + _u32(octets, at + 4, swapped) * tick_ns
        _put(frames[count], time_ns, at + PCAP_RECORD, caplen, wirelen, link)
        count += 1
        at += PCAP_RECORD + caplen
    return count, at, FULL


@leaf
def _time_ns(high: int, low: int, interface: Words) -> int:
    """A pcapng timestamp in nanoseconds; resolutions finer than a nanosecond or not of ten are divided."""
    ticks = (np.uint64(high) << np.uint64(32)) | np.uint64(low)
    if interface[TICK_NS] > 0:
        tick_ns = np.uint64(interface[TICK_NS])
        return np.int64(ticks * tick_ns) if ticks <= np.uint64(TIME_MAX_NS) // tick_ns else TIME_MAX_NS
    per_s = np.uint64(max(interface[TICKS_PER_S], 1))
    whole, rest = ticks // per_s, ticks % per_s
    if whole > np.uint64(TIME_MAX_NS // 1_000_000_000):
        return TIME_MAX_NS
    return np.int64(whole) * 1_000_000_000 + np.int64(np.float64(rest) * 1e9 / np.float64(per_s))


@leaf
def _interface(octets: Octets, at: int, length: int, swapped: bool, row: Words) -> None:
    """An Interface Description Block: link type, snap length and if_tsresol (option 9)."""
    row[LINK], row[SNAPLEN] = _u16(octets, at + 8, swapped), _u32(octets, at + 12, swapped)
    row[TICK_NS], row[TICKS_PER_S] = 1000, 1_000_000
    option, end = at + 16, at + length - 4
    while option + 4 <= end:
        code, size = _u16(octets, option, swapped), _u16(octets, option + 2, swapped)
        if code == 0 or option + 4 + size > end:
            return
        if code == 9 and size == 1:
            exponent = np.int64(octets[option + 4])
            row[TICK_NS], row[TICKS_PER_S] = 0, 1
            if exponent & 0x80:
                row[TICKS_PER_S] = np.int64(1) << min(exponent & 0x7F, 62)
            else:
                for _ in range(int(min(exponent, 18))):
                    row[TICKS_PER_S] *= 10
                if exponent <= 9:
                    row[TICK_NS] = 1_000_000_000 // row[TICKS_PER_S]
        option += 4 + ((size + 3) & ~3)


@leaf
def _packet_block(
    octets: Octets, at: int, length: int, swapped: bool, state: Words, interfaces: Words, row: np.void
) -> int:
    """A packet block (enhanced 6, simple 3, obsolete 2) into one row: 1 done, 0 of no known interface, -1 a lie."""
    block = _u32(octets, at, swapped)
    if block == 3:
        if state[INTERFACES] < 1 or length < 16:
            return 0
        wirelen = _u32(octets, at + 8, swapped)
        caplen = min(wirelen, length - 16)
        if interfaces[0, SNAPLEN] > 0:
            caplen = min(caplen, interfaces[0, SNAPLEN])
        _put(row, 0, at + 12, caplen, wirelen, interfaces[0, LINK])  # a simple packet has no time (pcapng section 4.4)
        return 1
    if length < 32:
        return -1
    number = _u32(octets, at + 8, swapped) if block == 6 else _u16(octets, at + 8, swapped)
    caplen, wirelen = _u32(octets, at + 20, swapped), _u32(octets, at + 24, swapped)
    if caplen > length - 32:
        return -1
    if number >= state[INTERFACES]:
        return 0
    time_ns = _time_ns(_u32(octets, at + 12, swapped), _u32(octets, at + 16, swapped), interfaces[number])
    _put(row, time_ns, at + 28, caplen, wirelen, interfaces[number, LINK])
    return 1


@kernel
def walk_pcapng(octets: Octets, start: int, frames: Rows, state: Words, interfaces: Words) -> tuple[int, int, int]:
    """Pcapng blocks from `start` on (draft-ietf-opsawg-pcapng). Returns (frames, offset of the next block, status)."""
    size, at, count = len(octets), start, 0
    while count < len(frames):
        if at + 12 > size:
            return count, at, END if at == size else CUT_HEADER
        swapped = state[SWAPPED] != 0
        block = _u32(octets, at, swapped)
        if block == 0x0A0D0D0A:  # a section header: its byte-order magic decides, and interfaces start anew
            magic = _u32(octets, at + 8, False)
            if magic != 0x1A2B3C4D and magic != 0x4D3C2B1A:
                return count, at, NOT_A_RECORD
            swapped = magic == 0x4D3C2B1A
            state[SWAPPED], state[INTERFACES] = np.int64(swapped), 0
        length = _u32(octets, at + 4, swapped)
        if length < 12 or length & 3 or length > (CAPLEN_MAX << 4):
            return count, at, NOT_A_RECORD
        if at + length > size:
            return count, at, CUT_FRAME
        if block == 1 and length >= 20:
            if state[INTERFACES] < INTERFACES_MAX:
                _interface(octets, at, length, swapped, interfaces[state[INTERFACES]])
                state[INTERFACES] += 1
        elif block == 6 or block == 3 or block == 2:
            made = _packet_block(octets, at, length, swapped, state, interfaces, frames[count])
            if made < 0:
                return count, at, NOT_A_RECORD
            count += made
            state[SKIPPED_BLOCKS] += 1 - made
        at += length
    return count, at, FULL
