"""What of a payload its reader would speak of, as one keyed hash: the same gist, the same signals.

Most messages carry numbers that are new each time (transaction ids, randoms, time stamps). A hash over these would make
every message news, and Python would read what it has read before. So each kind of hint has its gist: the octets that
its reader looks at. Total: every read is guarded by the octets that were captured; loops end with the payload.
"""

import numpy as np

from agent.jit import Hashes, leaf
from agent.keyed import sip3
from agent.packets.cursor import u16, u32
from agent.packets.point_of_care import DEVICE_OCTETS, HELLO, device_at, message_at
from agent.packets.records import HintKind
from agent.packets.scan import find
from agent.tap.records import Octets

H_DHCP, H_DHCPV6, H_NETBIOS, H_LLMNR = (
    int(HintKind.DHCP),
    int(HintKind.DHCPV6),
    int(HintKind.NETBIOS),
    int(HintKind.LLMNR),
)
H_QUERY, H_ANSWER, H_SYN = int(HintKind.DNS_QUERY), int(HintKind.DNS_ANSWER), int(HintKind.TCP_SYN)
H_TLS, H_TLS_SERVER, H_QUIC = int(HintKind.TLS_CLIENT), int(HintKind.TLS_SERVER), int(HintKind.QUIC)
H_MODBUS, H_NTP, H_SNMP, H_ND = int(HintKind.MODBUS), int(HintKind.NTP), int(HintKind.SNMP), int(HintKind.ND)
H_BACNET, H_SDC, H_POCT1A = int(HintKind.BACNET), int(HintKind.SDC), int(HintKind.POCT1A)
BOOTREPLY = 2  # RFC 951: `op` of what a server says
H_ARP, H_INTELLIVUE = int(HintKind.ARP), int(HintKind.INTELLIVUE)
H_FIRST_LOGIN, H_LAST_LOGIN = int(HintKind.FTP_LOGIN), int(HintKind.TELNET_LOGIN)
H_SMB_EXPLOIT = int(HintKind.SMB_EXPLOIT)
H_FIRST_SHAPE, H_LAST_SHAPE = int(HintKind.SOURCE_ROUTE), int(HintKind.RARP_REPLY)

U64 = np.uint64
HASHED_OCTETS = 512  # enough to tell two announcements of one device apart
EXTENSIONS_MAX = 64  # of a hello
EXTENSION_OCTETS = 128  # of one extension that count
SNMP_LOOK = 128  # sysObjectID is asked for by itself, or first
RESERVED = 0x0A0A  # RFC 8701
GROUPS, VERSIONS, SIGNATURES, PADDING, TICKET, EARLY, SHARES, ECH = 10, 43, 13, 21, 35, 41, 51, 0xFE0D
OPTION_END, OPTION_NOTHING, OPTION_SEGMENT, OPTION_SCALE = 0, 1, 2, 3
TCP_HEADER, TCP_HEADER_MAX, OPTIONS_MAX = 20, 60, 40
ACTIONS_MAX, ACTION_OCTETS = 16, 73  # of an SDC message: its reader takes four; a year, a stroke and a name
BEFORE_YEAR = 15  # octets of "/11073/11073-20701-2018/" before its "701-2018"


@leaf
def digest(octets: Octets, at: int, size: int, key: Hashes, start: np.uint64) -> np.uint64:
    """Keyed hash of the first octets at an offset, sixteen at a time."""
    found, i = start, at
    end = at + min(size, HASHED_OCTETS)
    while i < end:
        first, second = U64(0), U64(0)
        for j in range(8):
            if i + j < end:
                first = (first << U64(8)) | U64(octets[i + j])
            if i + 8 + j < end:
                second = (second << U64(8)) | U64(octets[i + 8 + j])
        found = sip3(key[0], key[1], found, first, second)
        i += 16
    return found


@leaf
def _is_reserved(number: int) -> bool:
    return number & 0x0F0F == RESERVED and number >> 8 == number & 0xFF


@leaf
def _numbers(octets: Octets, at: int, end: int, key: Hashes, start: np.uint64) -> np.uint64:
    """Keyed hash of 16-bit numbers in order; the reserved ones, drawn anew each time, do not count."""
    found, i = start, at
    while i + 2 <= end:
        number = u16(octets, i)
        if not _is_reserved(number):
            found = sip3(key[0], key[1], found, U64(number), U64(1))
        i += 2
    return found


@leaf
def _extension(octets: Octets, kind: int, at: int, end: int, key: Hashes) -> np.uint64:
    """Keyed hash of one extension: of keys, tickets and padding only that they are there."""
    start = sip3(key[0], key[1], U64(kind), U64(end - at) if kind == GROUPS else U64(0), U64(2))
    if kind == SHARES or kind == TICKET or kind == EARLY or kind == PADDING or kind == ECH:
        return start
    if kind == GROUPS or kind == SIGNATURES:
        return _numbers(octets, at + 2, end, key, start)
    if kind == VERSIONS:
        return _numbers(octets, at + 1, end, key, start)
    return digest(octets, at, min(end - at, EXTENSION_OCTETS), key, start)


@leaf
def _frame_of_hello(octets: Octets, at: int, size: int) -> np.uint64:
    """What a hello is wrapped in: content type, version, kind, and whether all of it is there."""
    length = (np.int64(octets[at + 6]) << 16) | u16(octets, at + 7)
    whole = 9 + length <= size and 4 + length <= u16(octets, at + 3)
    wrapping = (np.int64(octets[at]) << 16) | (np.int64(octets[at + 1]) << 8) | np.int64(octets[at + 5])
    return U64((wrapping << 8) | whole)


@leaf
def _datagram_or_name(octets: Octets, at: int, size: int, key: Hashes, start: np.uint64) -> np.uint64:
    """NetBIOS without the number that each message has."""
    if octets[at] >= 0x10 and octets[at] <= 0x12:
        start = sip3(key[0], key[1], start, U64(octets[at]), U64(8))
        return digest(octets, at + 4, size - 4, key, start)
    return digest(octets, at + 2, size - 2, key, start)


@leaf
def _client_hello(octets: Octets, at: int, size: int, key: Hashes, start: np.uint64) -> np.uint64:
    """Versions, suites and extensions; not the random, the session, nor the order of extensions, which some shuffle."""
    end = at + size
    i = at + 43
    if i >= end:
        return digest(octets, at, size, key, start)
    i += 1 + np.int64(octets[i])
    if i + 2 > end:
        return digest(octets, at, size, key, start)
    suites = i + 2 + u16(octets, i)
    found = sip3(key[0], key[1], start, U64(u16(octets, at + 9)), _frame_of_hello(octets, at, size))
    found = _numbers(octets, i + 2, min(suites, end), key, found)
    i = suites
    if i >= end:
        return found
    i += 1 + np.int64(octets[i])
    last = _last_extension(octets, at, i, end)
    stated = i + 2 + u16(octets, i) if i + 2 <= end else end
    total, i = U64(0), i + 2
    for _ in range(EXTENSIONS_MAX):
        if i + 4 > last:
            break
        kind, after = u16(octets, i), i + 4 + u16(octets, i + 2)
        if after > last:
            break
        if not _is_reserved(kind):
            total += _extension(octets, kind, i + 4, after, key)
        i = after
    length = (np.int64(octets[at + 6]) << 16) | u16(octets, at + 7)
    return sip3(key[0], key[1], found, total, U64((i == stated) + 2 * (i == at + 9 + length)))


@leaf
def _last_extension(octets: Octets, at: int, i: int, end: int) -> int:
    """Where the extensions end whose length stands at `i`: by that length, by the hello's, or by what was captured."""
    if i + 2 > end:
        return end
    length = (np.int64(octets[at + 6]) << 16) | u16(octets, at + 7)
    return min(i + 2 + u16(octets, i), end, at + 9 + length)


@leaf
def _server_hello(octets: Octets, at: int, size: int, key: Hashes, start: np.uint64) -> np.uint64:
    """The version, which newer servers say in an extension."""
    if size < 44:
        return digest(octets, at, size, key, start)
    end, chosen = at + size, 0
    i = at + 44 + np.int64(octets[at + 43]) + 3
    last = _last_extension(octets, at, i, end)
    i += 2
    for _ in range(EXTENSIONS_MAX):
        if i + 4 > last or i + 4 + u16(octets, i + 2) > last:
            break
        if u16(octets, i) == VERSIONS:
            chosen = u16(octets, i + 4) if i + 6 <= last and u16(octets, i + 2) >= 2 else 0
            break
        i += 4 + u16(octets, i + 2)
    start = sip3(key[0], key[1], start, _frame_of_hello(octets, at, size), U64(7))
    return sip3(key[0], key[1], start, U64(u16(octets, at + 9)), U64(chosen))


@leaf
def _snmp(octets: Octets, at: int, size: int, key: Hashes, start: np.uint64) -> np.uint64:
    """Version, whether there is a community, kind of message, and whether a system says what it is."""
    end, i = at + size, at + 2
    if size > 2 and octets[at + 1] & 0x80:
        i += np.int64(octets[at + 1] & 0x7F)
    if i + 5 > end:
        return digest(octets, at, size, key, start)
    community = np.int64(octets[i + 4])
    kind = i + 5 + community
    named = find(octets, at, min(end, at + SNMP_LOOK), 0x2B060102, 0x01010200)
    if kind >= end or community >= 0x80 or octets[kind] == 0xA4 or named >= 0:
        return digest(octets, at, size, key, start)
    said = (np.int64(octets[kind]) << 16) | (np.int64(octets[i + 2]) << 8) | np.int64(community != 0)
    return sip3(key[0], key[1], start, U64(said), U64(u32(octets, i)))


@leaf
def _intellivue(octets: Octets, at: int, size: int, key: Hashes, start: np.uint64) -> np.uint64:
    """Events whole; of other data export the kind of message, of an association its first octet."""
    if size < 12:
        return digest(octets, at, size, key, start)
    if u16(octets, at) == 0xE100:
        operation, command = u16(octets, at + 4), u16(octets, at + 10)
        if operation != 1 or command > 1:
            return sip3(key[0], key[1], start, U64(operation), U64(0))
    elif octets[at]:
        return sip3(key[0], key[1], start, U64(octets[at]), U64(octets[at + 1] >= 2))
    return digest(octets, at, size, key, start)


@leaf
def _bacnet(octets: Octets, at: int, size: int, key: Hashes, start: np.uint64) -> np.uint64:
    """Kind and service of a request, behind the routing that each message may have; an I-Am whole."""
    end, i = at + size, at + 4
    if size < 8 or octets[at] != 0x81 or u16(octets, at + 2) > size:
        return sip3(key[0], key[1], start, U64(2), U64(0))  # nothing is said of what is damaged
    i += 6 * (octets[at + 1] == 4)  # a forwarded message carries its first sender's address
    if i + 2 > end or octets[i] != 1:
        return digest(octets, at, size, key, start)
    control = np.int64(octets[i + 1])
    i += 2
    if control & 0x20:  # destination: network, length, address; and hops, behind the source
        i += 4 + (np.int64(octets[i + 2]) if i + 2 < end else 0)
    j = i - np.int64(control & 0x20 != 0)
    if control & 0x08:
        i += 3 + (np.int64(octets[j + 2]) if j + 2 < end else 0)
    kind = np.int64(octets[i] >> 4) if i < end else 2
    if control & 0x80 or kind > 1:
        return sip3(
            key[0], key[1], start, U64(2), U64(0)
        )  # of the network's own messages and of answers nothing is said
    if i + (2 if kind == 1 else 4) > end:
        return digest(octets, at, size, key, start)
    service = np.int64(octets[i + 1]) if kind == 1 else np.int64(octets[i + 3])
    if kind == 1 and service == 0:
        return digest(octets, i, end - i, key, sip3(key[0], key[1], start, U64(kind), U64(10)))
    return sip3(key[0], key[1], start, U64(kind), U64(service))


@leaf
def _sdc(octets: Octets, at: int, size: int, key: Hashes, start: np.uint64) -> np.uint64:
    """The operations, each up to the mark behind its name: what a message measures is new each time."""
    found, i, end = start, at, at + size
    for _ in range(ACTIONS_MAX):
        i = find(octets, i, end, 0x3730312D, 0x32303138)
        if i < 0:
            break
        first, last = max(i - BEFORE_YEAR, at), i
        while last < end and last < i + ACTION_OCTETS and octets[last] != 0x3C and octets[last] != 0x22:
            last += 1
        found = digest(octets, first, last + 1 - first if last < end else end - first, key, found)
        i += 8
    return found


@leaf
def _point_of_care(octets: Octets, at: int, size: int, key: Hashes, start: np.uint64) -> np.uint64:
    """The message's name, and of a hello its device section: numbers, times and results are new each time."""
    root = message_at(octets, at, size) if size >= 4 else -1
    if root < 0:
        return digest(octets, at, size, key, start)
    found = sip3(key[0], key[1], start, U64(u32(octets, root)), U64(u32(octets, root + 4)))
    device = device_at(octets, root, at + size) if u32(octets, root) == HELLO else -1
    return found if device < 0 else digest(octets, device, min(at + size - device, DEVICE_OCTETS), key, found)


@leaf
def tcp_header(row: np.void, octets: Octets) -> int:
    """Offset of a packet's TCP header, -1 when it was not captured whole: it ends where the payload begins.

    Its own length, ports and sequence number say where it began.
    """
    end = np.int64(row["payload"])
    if end > len(octets):
        return -1
    for size in range(TCP_HEADER, TCP_HEADER_MAX + 1, 4):
        at = end - size
        if at < 0:
            return -1
        if np.int64(octets[U64(at + 12)]) >> 4 == size >> 2 and u16(octets, at) == row["src_port"]:
            if u16(octets, at + 2) == row["dst_port"] and u32(octets, at + 4) == row["tcp_seq"]:
                return at
    return -1


@leaf
def _syn(octets: Octets, at: int, size: int, key: Hashes, start: np.uint64) -> np.uint64:
    """Window, flag of an answer, and options: of segment size and scale the values, of others that they are there."""
    found = sip3(key[0], key[1], start, U64(u16(octets, at + 14)), U64(octets[at + 13] & 0x12))
    i, end = at + TCP_HEADER, at + size
    kinds, values = U64(0), U64(0)
    for turn in range(OPTIONS_MAX):
        if i >= end:
            break
        kind = np.int64(octets[i])
        kinds = (kinds << U64(8)) | U64(kind + 1 if kind < 255 else 255)
        if turn & 7 == 7:
            found = sip3(key[0], key[1], found, kinds, U64(4))
        if kind == OPTION_END:
            break
        if kind == OPTION_NOTHING:
            i += 1
            continue
        length = np.int64(octets[i + 1]) if i + 1 < end else 0
        if length < 2 or i + length > end:
            values ^= U64(1) << U64(63)  # a damaged list
            break
        if kind == OPTION_SEGMENT and length == 4:
            values = (values & ~U64(0xFFFF)) | U64(u16(octets, i + 2)) | U64(1 << 32)
        elif kind == OPTION_SCALE and length == 3:
            values = (values & ~U64(0xFF0000)) | (U64(octets[i + 2]) << U64(16)) | U64(1 << 33)
        i += length
    return sip3(key[0], key[1], found, kinds, values)


@leaf
def _of_two_words(octets: Octets, at: int, size: int, kind: int, key: Hashes, start: np.uint64) -> np.uint64:
    """Kinds of which a few octets count."""
    first, second = 0, 0
    if kind == H_NTP and size >= 48:  # version and mode, stratum, the clock of a stratum 1
        first, second = u16(octets, at) & 0x3FFF, u32(octets, at + 12) if octets[at + 1] == 1 else 0
    elif kind == H_MODBUS and size >= 8:
        first, second = np.int64(octets[at + 7]), u32(octets, at + 2)
        second = np.int64(second >> 16 == 0 and 2 <= second & 0xFFFF <= 254)
    elif kind == H_QUIC and size >= 13:  # the version: behind the flags, or behind Google's connection id
        first = u32(octets, at + 1) if octets[at] & 0x80 else u32(octets, at + 9)
        second = np.int64(octets[at] & 0x89)
    return sip3(key[0], key[1], start, U64(first), U64(second))


@leaf
def _exploit(row: np.void, octets: Octets, at: int, size: int, key: Hashes, start: np.uint64) -> np.uint64:
    """To whom, which magic and command, whether it answers, whether it says that more than 64 KiB follow."""
    large = size >= 48 and (octets[at + 46] | octets[at + 47]) != 0
    what = (np.int64(octets[at + 8]) << 2) | (np.int64(octets[at + 13] >> 7) << 1) | np.int64(large)
    return sip3(key[0], key[1], start, U64(row["dst_mac"]), (U64(u32(octets, at + 4)) << U64(32)) | U64(what))


@leaf
def gist(kind: int, row: np.void, octets: Octets, at: int, size: int, key: Hashes, start: np.uint64) -> np.uint64:
    """The gist of `octets[at : at + size]` as a hint of a kind. `start` tells sender and kind."""
    if kind == H_SYN:
        return _syn(octets, at, size, key, start)
    if kind == H_TLS:
        return _client_hello(octets, at, size, key, start)
    if kind == H_TLS_SERVER:
        return _server_hello(octets, at, size, key, start)
    if kind == H_QUERY or kind == H_ANSWER or kind == H_LLMNR:  # behind the transaction's number
        return digest(octets, at + 2, size - 2, key, start)
    if kind == H_NETBIOS and size >= 4:  # the number comes first, or behind a datagram's kind and flags
        return _datagram_or_name(octets, at, size, key, start)
    if kind == H_DHCP and size >= 12 and octets[at] == BOOTREPLY:  # each answer is news: it tells that a device began
        return digest(octets, at, size, key, start)
    if kind == H_DHCP and size >= 12:  # behind its number and the seconds since it began
        first = U64(u32(octets, at) >> 8)
        return digest(octets, at + 12, size - 12, key, sip3(key[0], key[1], start, first, U64(6)))
    if kind == H_SNMP:
        return _snmp(octets, at, size, key, start)
    if kind == H_BACNET:
        return _bacnet(octets, at, size, key, start)
    if kind == H_SDC:
        return _sdc(octets, at, size, key, start)
    if kind == H_POCT1A:
        return _point_of_care(octets, at, size, key, start)
    if kind == H_INTELLIVUE:
        return _intellivue(octets, at, size, key, start)
    if kind == H_ARP:
        return sip3(key[0], key[1], start, U64(row["src_lo"]), U64(row["dst_port"] == 2))
    if kind == H_ND:  # behind the checksum, which the receiver's address changes
        return digest(octets, at + 4, size - 4, key, sip3(key[0], key[1], start, U64(octets[at]), U64(5)))
    if kind == H_NTP or kind == H_QUIC or (kind == H_MODBUS and size >= 8 and octets[at + 7] != 43):
        return _of_two_words(octets, at, size, kind, key, start)
    if kind == H_MODBUS:
        return digest(octets, at + 2, size - 2, key, start)
    if H_FIRST_LOGIN <= kind <= H_LAST_LOGIN:
        return sip3(key[0], key[1], start, U64(row["dst_mac"]), U64(0))  # once to each server
    if H_FIRST_SHAPE <= kind <= H_LAST_SHAPE:
        return sip3(key[0], key[1], start, U64(row["dst_mac"]), U64(11))
    if kind == H_SMB_EXPLOIT and size >= 36:
        return _exploit(row, octets, at, size, key, start)
    return digest(octets, at, size, key, start)
