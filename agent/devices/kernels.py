"""Attribute: PACKET rows -> DEVICE and STATS rows, in a fixed, set-associative, keyed table.

Before: decoded rows. After: each METERED or LINK row is counted for the device that sent it, or as `unplaced` when the
table had no room, and for the device it was addressed to, when that one is known. A flood of invented source addresses
fills only slots whose owner said little and fell silent: whoever has spoken properly keeps its place.
Addresses belong to a device when it claims them by ARP or sends from them without sending from many others; a MAC that
speaks for many addresses is a gateway.
"""

import numpy as np

from agent.devices.placing import WAYS, memo_place, owned, recall, scope_of
from agent.devices.records import ADDRESSES_MAX, DeviceFlag, Rows, Scope
from agent.devices.tallies import begin_stats, fetch_stats, measure_frame
from agent.jit import LINE, Hashes, Slots, Words, fetch_line, kernel, leaf
from agent.keyed import NO_MAC_BIT, address_name, sip3
from agent.packets.records import Application, PacketFlag, Verdict

AHEAD = 8  # rows between asking for a device's lines and reading them
FURTHER = 24  # and for a row's own: another worker's rows lie in another core's cache
PROMOTED_FRAMES = 3
FOREIGN_MIN = 2  # bits of the linear-counting map: two remote sources behind one MAC make it a gateway
# A promoted device keeps its slot for so long after its last frame: a day, but no longer than it has earned. Cards that
# were invented for an ARP or DHCP flood sent one frame each and make room within the minute.
KEEP_NS = 24 * 3600 * 1_000_000_000
KEEP_NS_PER_FRAME = 20 * 1_000_000_000
U64 = np.uint64

METERED, LINK = int(Verdict.METERED), int(Verdict.LINK)
F_BROADCAST, F_MULTICAST = int(PacketFlag.BROADCAST), int(PacketFlag.MULTICAST)
F_TUNNELLED, F_NO_MAC = int(PacketFlag.TUNNELLED), int(PacketFlag.NO_MAC)
D_GATEWAY, D_RANDOM, D_NO_MAC = int(DeviceFlag.GATEWAY), int(DeviceFlag.RANDOM_MAC), int(DeviceFlag.NO_MAC)
D_PROMOTED, D_GROUP = int(DeviceFlag.PROMOTED), int(DeviceFlag.GROUP_SOURCE)
S_SEGMENT, S_INTERNET = int(Scope.SEGMENT), int(Scope.INTERNET)
S_MULTICAST, S_BROADCAST = int(Scope.MULTICAST), int(Scope.BROADCAST)

NS_PER_S = 1_000_000_000
A_DHCP = int(Application.DHCP)
ETHERTYPE_ARP = 0x0806

# Columns of `counts`.
ATTRIBUTED, UNPLACED, EVICTED, EVICTED_PACKETS, IN_TABLE, ARPS, RUSH_S, RUSHED, GATEWAYS = 0, 1, 2, 3, 4, 5, 6, 7, 8
COUNTS = 9
# Strangers who may take somebody's slot within a second; a ward of hundreds that starts all at once has fewer, and most
# of them announce themselves. A flood of invented cards is turned away: it would only displace itself, and each
# newcomer of the ward with it before it has sent three frames.
STRANGERS_MAX = 1024


@leaf
def _weakest(devices: Rows, base: int, now_ns: int) -> int:
    """A slot whose owner never was promoted or was silent for too long; -1 when all are well owned."""
    victim, oldest = -1, np.int64(1 << 62)
    for way in range(WAYS):
        slot = base + way
        last = np.int64(devices[slot]["last_ns"])
        earned = min(np.int64(devices[slot]["tx_packets"]) * KEEP_NS_PER_FRAME, KEEP_NS)
        weak = not devices[slot]["flags"] & D_PROMOTED or now_ns - last > earned
        if weak and last < oldest:
            victim, oldest = slot, last
    return victim


@leaf
def _waits(row: np.void, verdict: int, source: np.uint64, doors: Hashes, place: int, counts: Words) -> bool:
    """Whether a stranger is turned away although somebody would have to make room: only while too many come.

    Who announces itself (and so is promoted at once) does not wait, nor who comes twice before the next stranger does.
    """
    second = np.int64(row["time_ns"]) // NS_PER_S
    if second != counts[RUSH_S]:
        counts[RUSH_S], counts[RUSHED] = second, 0
    if verdict == LINK or row["application"] == A_DHCP or counts[RUSHED] < STRANGERS_MAX:
        return False
    again = doors[place] == source
    doors[place] = source
    return not again


@leaf
def _room(row: np.void, source: np.uint64, macs: Hashes, devices: Rows, base: int, doors: Hashes, counts: Words) -> int:
    """The slot that a stranger gets, or -1."""
    for way in range(WAYS):
        if macs[base + way] == 0:
            counts[IN_TABLE] += 1
            return base + way
    if _waits(row, np.int64(row["verdict"]), source, doors, base // WAYS, counts):
        return -1
    slot = _weakest(devices, base, np.int64(row["time_ns"]))
    if slot >= 0:
        counts[RUSHED] += 1
        counts[EVICTED] += 1
        counts[EVICTED_PACKETS] += np.int64(devices[slot]["tx_packets"])
    return slot


@leaf
def _begin(device: np.void, mac: np.uint64, row: np.void) -> None:
    """A device in its slot before its first frame is counted."""
    device["mac"], device["first_ns"], device["last_ns"] = mac, row["time_ns"], row["time_ns"]
    device["vlan"], device["address_count"], device["claimed"], device["foreign"] = row["vlan"], 0, 0, U64(0)
    device["tx_packets"], device["rx_packets"], device["tx_octets"], device["rx_octets"] = (
        U64(0),
        U64(0),
        U64(0),
        U64(0),
    )
    device["group_packets"] = U64(0)
    device["flows_started"], device["flows_answered"], device["flows_failed"] = 0, 0, 0
    device["flows_accepted"], device["arp_requests"], device["arp_answered"], device["peers"] = 0, 0, 0, 0
    device["tries"], device["tries_s"] = 0, 0
    flags = 0
    if mac & NO_MAC_BIT:
        flags = D_NO_MAC
    elif mac >> U64(40) & U64(2):
        flags = D_RANDOM
    if not mac & NO_MAC_BIT and mac >> U64(40) & U64(1):
        flags |= D_GROUP
    device["flags"] = flags


@leaf
def _is_among(macs: Hashes, mac: np.uint64) -> bool:
    """Whether a MAC is one of few."""
    found = False
    for i in range(len(macs)):
        found |= macs[i] == mac
    return found


@leaf
def _claim(device: np.void, hi: np.uint64, lo: np.uint64, by_arp: bool) -> None:
    """Give the device an address; a full list replaces its last unclaimed one for an ARP claim."""
    index = owned(device, hi, lo)
    if index < 0:
        index = np.int64(device["address_count"])
        if index == ADDRESSES_MAX:
            if not by_arp:
                return
            index = ADDRESSES_MAX - 1
        else:
            device["address_count"] += 1
        device["address_hi"][index], device["address_lo"][index] = hi, lo
        device["claimed"] &= 255 ^ (1 << index)
    if by_arp:
        device["claimed"] |= 1 << index


@leaf
def _make_gateway(device: np.void) -> None:
    """It speaks for others: only what it claimed by ARP stays its own."""
    device["flags"] |= D_GATEWAY
    kept = 0
    for i in range(np.int64(device["address_count"])):
        if device["claimed"] >> i & 1:
            device["address_hi"][kept], device["address_lo"][kept] = device["address_hi"][i], device["address_lo"][i]
            kept += 1
    device["address_count"], device["claimed"] = kept, (1 << kept) - 1


@leaf
def _sends_from(device: np.void, row: np.void, secret: Hashes, sites: Hashes, counts: Words) -> None:
    """Its source address: its own, or one that it forwards for."""
    hi, lo = row["src_hi"], row["src_lo"]
    if owned(device, hi, lo) >= 0:
        return
    if hi == U64(0) and lo == U64(0):
        return  # `::`, before an IPv6 address is had (RFC 4291, 2.5.2)
    scope = scope_of(hi, lo, sites)
    if scope == S_BROADCAST or scope == S_MULTICAST:
        return  # 0.0.0.0 before DHCP, or a lie
    count, gateway = np.int64(device["address_count"]), device["flags"] & D_GATEWAY
    own = scope != S_INTERNET and count < ADDRESSES_MAX
    if not gateway and (own or count == 0):
        _claim(device, hi, lo, False)
        return
    if scope == S_SEGMENT and hi != U64(0):
        return  # an IPv6 link-local address is never forwarded; a host may have several
    device["foreign"] |= U64(1) << (sip3(secret[1], secret[0], hi, lo, U64(0)) & U64(63))
    bits, foreign = 0, device["foreign"]
    while foreign != U64(0):
        foreign &= foreign - U64(1)
        bits += 1
    if bits >= FOREIGN_MIN and not gateway:
        _make_gateway(device)
        counts[GATEWAYS] += 1


@leaf
def _hear_arp(device: np.void, row: np.void) -> None:
    """RFC 826: the sender claims its protocol address; an ARP probe (RFC 5227) has 0.0.0.0 and claims nothing."""
    if row["dst_port"] == 1:
        device["arp_requests"] += 1
    elif row["dst_port"] == 2:
        device["arp_answered"] += 1
    if row["src_lo"] & U64(0xFFFFFFFF) != U64(0):
        _claim(device, row["src_hi"], row["src_lo"], True)
    device["flags"] |= D_PROMOTED


@kernel
def attribute_burst(
    rows: Rows, places: Words, macs: Hashes, devices: Rows, secret: Hashes, sites: Hashes, counts: Words,
    fresh: Slots, memo: Words, stats: Rows, doors: Hashes, forwarders: Hashes,
) -> int:  # fmt: skip
    """Count the rows at `places`, in that order, for their devices. `fresh[:n]` are slots that were promoted now.

    `doors`, a word for each set, remembers the stranger who was turned away last. `forwarders` are gateways of old by
    MAC: what comes from one is not its own from the first frame on. Returns n.
    """
    n, count = 0, len(places)
    for i in range(count):
        row = rows[U64(places[i])]
        if i + FURTHER < count:
            fetch_line(rows, places[i + FURTHER], 0)
            fetch_line(rows, places[i + FURTHER], LINE)
        if i + AHEAD < count:
            later = rows[U64(places[i + AHEAD])]
            sender, receiver = memo[memo_place(later["src_mac"])], memo[memo_place(later["dst_mac"])]
            fetch_line(devices, sender, 0)
            fetch_line(devices, sender, LINE)
            fetch_line(devices, receiver, 0)
            fetch_line(devices, receiver, LINE)
            fetch_stats(stats, sender, receiver)
        verdict = row["verdict"]
        if verdict != METERED and verdict != LINK:
            continue
        source = row["src_mac"]
        named = (row["src_hi"] | row["src_lo"]) != U64(0)  # without an address it is nobody's
        if row["flags"] & F_NO_MAC and source == U64(0) and named:
            source = address_name(secret[0], secret[1], row["src_hi"], row["src_lo"])
            row["src_mac"] = source
            row["dst_mac"] = address_name(secret[0], secret[1], row["dst_hi"], row["dst_lo"])
        slot, base = recall(macs, secret, memo, source)
        if source == U64(0):
            slot = -1  # a free slot has the MAC 0: a frame that says it comes from there is nobody's
        elif slot < 0:
            slot = _room(row, source, macs, devices, base, doors, counts)
            if slot >= 0:
                macs[slot] = source
                _begin(devices[slot], source, row)
                begin_stats(stats[slot])
                if _is_among(forwarders, source):
                    devices[slot]["flags"] |= D_GATEWAY
                    counts[GATEWAYS] += 1
        gap_ns = np.int64(-1)
        counts[ATTRIBUTED] += 1
        counts[ARPS] += np.int64(verdict == LINK and row["ethertype"] == ETHERTYPE_ARP)
        if slot >= 0:
            device = devices[slot]
            if device["tx_packets"] != U64(0):
                gap_ns = max(np.int64(row["time_ns"]) - np.int64(device["last_ns"]), 0)
            device["tx_packets"] += U64(1)
            device["tx_octets"] += U64(row["wire_octets"])
            if row["time_ns"] > device["last_ns"]:
                device["last_ns"] = row["time_ns"]
            if row["flags"] & (F_BROADCAST | F_MULTICAST):
                device["group_packets"] += U64(1)
            promoted = device["flags"] & D_PROMOTED
            if verdict == METERED:
                if not row["flags"] & F_TUNNELLED:
                    _sends_from(device, row, secret, sites, counts)
            elif row["ethertype"] == ETHERTYPE_ARP and row["dst_port"] != 0:
                _hear_arp(device, row)
            else:
                device["flags"] |= D_PROMOTED  # LLDP, STP and their kin announce
            if device["tx_packets"] >= U64(PROMOTED_FRAMES) or row["application"] == A_DHCP:
                device["flags"] |= D_PROMOTED
            if not promoted and device["flags"] & D_PROMOTED:
                fresh[n] = slot
                n += 1
        else:
            counts[UNPLACED] += 1
        target = -1
        if not row["flags"] & (F_BROADCAST | F_MULTICAST) and row["dst_mac"] != U64(0):
            target, _ = recall(macs, secret, memo, row["dst_mac"])
            if target >= 0:
                device = devices[target]
                device["rx_packets"] += U64(1)
                device["rx_octets"] += U64(row["wire_octets"])
                if not device["flags"] & D_PROMOTED and device["tx_packets"] > U64(0) and n < len(fresh):
                    device["flags"] |= D_PROMOTED  # somebody answered it
                    fresh[n] = target
                    n += 1
        measure_frame(row, slot, target, gap_ns, devices, stats, sites)
    return n
