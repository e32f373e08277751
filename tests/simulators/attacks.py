"""What somebody on the ward's network may do to the tap: each attack makes the frames of one second of it.

Attackers have a card of their own, the devices of the ward stand in `siege.py`. Nothing here is sent anywhere.
"""

from collections.abc import Callable

import numpy as np

from tests.forge import arp, dns
from tests.forge.dhcp import DISCOVER, Dhcp, client_options
from tests.forge.ethernet import IPV4, IPV6, MPLS, QINQ, VLAN, ethernet, mpls, tagged
from tests.forge.icmp import icmpv6
from tests.forge.ipv4 import GRE, IPIP, MORE_FRAGMENTS, UDP, Ipv4
from tests.forge.ipv4 import TCP as TCP_NUMBER
from tests.forge.ipv6 import DESTINATION, ICMPV6, NO_NEXT, Ipv6, options
from tests.forge.octets import BROADCAST, mac
from tests.forge.tcp import SYN, Tcp
from tests.forge.tunnels import gre, vxlan
from tests.forge.udp import Udp
from tests.simulators.floods import (
    IP4_DST,
    IP4_DST_PORT,
    IP4_ID,
    IP4_SRC,
    IP4_SRC_PORT,
    IP6_DST,
    SRC_MAC,
    Table,
    drawn,
    stacked,
    stamped,
)

Attack = Callable[[np.random.Generator, int], Table]  # (randomness, frames of a second)
ATTACKER, ATTACKER_MAC = "10.9.9.9", "00:50:56:00:09:09"
ATTACKER6 = "fd00:9::9"
UDP4_CHECK, BOOTP = 40, 42  # offsets in a plain frame
VICTIM, VICTIM_MAC = "10.1.200.1", "00:0c:29:00:c8:01"


def _tcp(flags: int = SYN) -> bytes:
    segment = Tcp(40000, 443, flags=flags).octets(ATTACKER, VICTIM)
    return ethernet(VICTIM_MAC, ATTACKER_MAC, IPV4, Ipv4(ATTACKER, VICTIM, TCP_NUMBER).octets(segment))


def _udp(data: bytes, ports: tuple[int, int], ends: tuple[str, str] = (ATTACKER, VICTIM)) -> bytes:
    packet = Ipv4(*ends, UDP).octets(Udp(*ports).octets(*ends, data))
    return ethernet(VICTIM_MAC, ATTACKER_MAC, IPV4, packet)


def _odd(macs: Table) -> Table:
    """Station addresses that look like a maker's: neither group nor locally administered."""
    macs[:, 0] &= 0xFC
    return macs


def _clients(rng: np.random.Generator, count: int) -> Table:
    """Addresses of 10.0.0.0/8."""
    return np.concatenate([np.full((count, 1), 10, np.uint8), drawn(rng, count, 3)], axis=1)


def syn_flood(rng: np.random.Generator, count: int) -> Table:
    """C1: SYNs to one server from addresses and ports that are drawn: each one is a flow of its own."""
    ports, addresses = drawn(rng, count, 2), drawn(rng, count, 4)
    return stamped(_tcp(), count, {IP4_ID: drawn(rng, count, 2), IP4_SRC: addresses, IP4_SRC_PORT: ports})


def answered_flood(rng: np.random.Generator, count: int) -> Table:
    """C1, the harder form: two accomplices, a question and its answer each: to the cache these are real talks."""
    half = count // 2
    clients, ports = _clients(rng, half), drawn(rng, half, 2)
    question, answer = _udp(b"question", (40000, 7777)), _udp(b"answered", (7777, 40000), (VICTIM, ATTACKER))
    there = stamped(question, half, {IP4_SRC: clients, IP4_SRC_PORT: ports, IP4_ID: drawn(rng, half, 2)})
    back = stamped(answer, half, {IP4_DST: clients, IP4_DST_PORT: ports, IP4_ID: drawn(rng, half, 2)})
    back[:, :6], back[:, 6:12] = there[:, 6:12], there[:, :6]
    return np.stack([there, back], axis=1).reshape(2 * half, -1)


def wide_scan(rng: np.random.Generator, count: int) -> Table:
    """C3: one host tries drawn ports of drawn hosts."""
    return stamped(
        _tcp(), count, {IP4_ID: drawn(rng, count, 2), IP4_DST: _clients(rng, count), IP4_DST_PORT: drawn(rng, count, 2)}
    )


def port_scan(rng: np.random.Generator, count: int) -> Table:
    """C3: one host tries every port of one other."""
    return stamped(_tcp(), count, {IP4_ID: drawn(rng, count, 2), IP4_DST_PORT: drawn(rng, count, 2)})


def host_sweep(rng: np.random.Generator, count: int) -> Table:
    """C3: one host tries one port of everybody."""
    return stamped(_tcp(), count, {IP4_ID: drawn(rng, count, 2), IP4_DST: _clients(rng, count)})


def mac_flood(rng: np.random.Generator, count: int) -> Table:
    """C4: a frame each from cards that do not exist (macof)."""
    macs = _odd(drawn(rng, count, 6))
    return stamped(_tcp(), count, {SRC_MAC: macs, IP4_SRC: drawn(rng, count, 4), IP4_SRC_PORT: drawn(rng, count, 2)})


def arp_flood(rng: np.random.Generator, count: int) -> Table:
    """C4: cards that do not exist ask by ARP: one such frame is enough to be called a device."""
    macs, senders = _odd(drawn(rng, count, 6)), drawn(rng, count, 4)
    template = arp.request((ATTACKER_MAC, ATTACKER), VICTIM)
    return stamped(template, count, {SRC_MAC: macs, 22: macs, 28: senders, 38: drawn(rng, count, 4)})


def arp_sweep(rng: np.random.Generator, count: int) -> Table:
    """C4: one card asks for everybody."""
    return stamped(arp.request((ATTACKER_MAC, ATTACKER), VICTIM), count, {38: drawn(rng, count, 4)})


def dhcp_starvation(rng: np.random.Generator, count: int) -> Table:
    """C4: each DISCOVER from another card, with a name of its own."""
    ends = ("0.0.0.0", "255.255.255.255")
    asked = Dhcp(DISCOVER, ATTACKER_MAC, 0, client_options("thief-0000000000", "")).octets()
    packet = Ipv4(*ends, UDP).octets(Udp(68, 67).octets(*ends, asked))
    frame = ethernet(BROADCAST, ATTACKER_MAC, IPV4, packet)
    macs, names = _odd(drawn(rng, count, 6)), (97 + drawn(rng, count, 10) % 26).astype(np.uint8)
    columns = {SRC_MAC: macs, IP4_ID: drawn(rng, count, 2), UDP4_CHECK: drawn(rng, count, 2)}
    columns |= {BOOTP + 4: drawn(rng, count, 4), BOOTP + 28: macs, frame.index(b"0000000000"): names}
    return stamped(frame, count, columns)


def ipv6_sweep(rng: np.random.Generator, count: int) -> Table:
    """C4: echo requests to drawn addresses of one /64."""
    ends = (ATTACKER6, "fd00:9::1")
    frame = ethernet(VICTIM_MAC, ATTACKER_MAC, IPV6, Ipv6(*ends, ICMPV6).octets(icmpv6(*ends, 128, 0, b"\0\1\0\1ping")))
    return stamped(frame, count, {IP6_DST + 8: drawn(rng, count, 8)})


def fragment_flood(rng: np.random.Generator, count: int) -> Table:
    """C5: first and later pieces of datagrams that never end, all ids, from drawn addresses; some overlap."""
    piece = Udp(4000, 4001).octets(ATTACKER, VICTIM, bytes(16))
    wholes = [Ipv4(ATTACKER, VICTIM, UDP, flags=MORE_FRAGMENTS, offset=at).octets(piece) for at in (0, 8, 16, 65_504)]
    frames = stacked([ethernet(VICTIM_MAC, ATTACKER_MAC, IPV4, whole) for whole in wholes], -(-count // 4))[:count]
    frames[:, IP4_ID : IP4_ID + 2], frames[:, IP4_SRC : IP4_SRC + 4] = drawn(rng, count, 2), drawn(rng, count, 4)
    return frames


def _wrapped(times: int, wrap: Callable[[bytes], bytes], inner: bytes) -> bytes:
    for _ in range(times):
        inner = wrap(inner)
    return inner


def _frame(kind: int, body: bytes) -> bytes:
    return ethernet(VICTIM_MAC, ATTACKER_MAC, kind, body)


def deep_frames() -> list[bytes]:
    """C6: headers in headers, further than anybody reads."""
    ends = (ATTACKER, VICTIM)
    plain = Ipv4(*ends, UDP).octets(Udp(4000, 4001).octets(*ends, b"inside"))
    outer, outer6 = Ipv4(*ends, IPIP), Ipv6(ATTACKER6, "fd00:9::1", DESTINATION)
    tunnel = Ipv4(*ends, UDP)
    return [
        _frame(*tagged([(VLAN, n) for n in range(1, 18)], IPV4, plain)),
        _frame(*tagged([(QINQ, n) for n in range(1, 18)], IPV4, plain)),
        _frame(IPV4, _wrapped(20, outer.octets, plain)),
        _frame(IPV4, _wrapped(20, lambda p: Ipv4(*ends, GRE).octets(gre(IPV4, p)), plain)),
        _frame(
            IPV4,
            _wrapped(12, lambda p: tunnel.octets(Udp(1, 4789).octets(*ends, vxlan(7, _frame(IPV4, p)))), plain),
        ),
        _frame(IPV6, outer6.octets(_wrapped(100, lambda p: options(DESTINATION, p), options(NO_NEXT, b"")))),
        _frame(MPLS, mpls(range(16, 66), plain)),
    ]


def deep_nesting(rng: np.random.Generator, count: int) -> Table:
    """C6: all of them in turn, from drawn cards' worth of ids."""
    frames = deep_frames()
    table = stacked(frames, -(-count // len(frames)))[:count]
    table[:, -8:] = drawn(rng, count, 8)
    return table


def lying_payloads() -> list[bytes]:
    """C7: lengths, counts and offsets that lie, on the ports where somebody reads them."""
    loop = b"\0\1\1\0\xff\xff\xff\xff\xff\xff\xff\xff" + b"\xc0\x0c" * 16
    chain = b"\0\1\1\0\0\1\0\0\0\0\0\0" + b"".join(b"\xc0" + bytes([12 + 2 * n]) for n in range(1, 90)) + b"\0"
    overrun = Dhcp(DISCOVER, ATTACKER_MAC, 0).octets()[:243] + b"\x0c\xff"
    hello = b"\x16\x03\x01\xff\xff\x01\xff\xff\xff\x03\x03" + bytes(32) + b"\xff" + bytes(32) + b"\xff\xff"
    return [
        _udp(loop, (53, 53)),
        _udp(chain, (5353, 5353)),
        _udp(dns.question(1, "a." * 60 + "local")[:-2], (5353, 5353)),
        _udp(overrun, (68, 67)),
        _udp(b"\x82" + b"\xff" * 80, (47808, 47808)),
        _lie(hello + b"\x13\x01" * 200, 443),
        _lie(b"\x0bMSH|^~\\&|" + b"|" * 300, 2575),
        _lie(b"\x01\x00\xff\xff\xff\xff" + bytes(70), 104),
        _lie(b"\x10\xff\xff\xff\x7f\x00\x04MQTT\x05" + b"\xff" * 40, 1883),
        _lie(b"\x00\xff\xff\xff\xffSMB\x72" + b"\xff" * 60, 445),
        _lie(b"GET /" + b"a" * 400, 80),
    ]


def _four(body: bytes = bytes(40), protocol: int = TCP_NUMBER, **lies: int) -> bytes:
    """An IPv4 packet whose header lies."""
    return _frame(IPV4, Ipv4(ATTACKER, VICTIM, protocol, **lies).octets(body))  # type: ignore[arg-type]


def _six(next_header: int, body: bytes, **lies: int) -> bytes:
    """An IPv6 packet whose header lies."""
    return _frame(IPV6, Ipv6(ATTACKER6, "fd00:9::1", next_header, **lies).octets(body))  # type: ignore[arg-type]


def lying_headers() -> list[bytes]:
    """C7: lengths, offsets and versions that lie, header by header from the link up."""
    ends = (ATTACKER, VICTIM)
    whole = Tcp(40000, 443).octets(*ends, b"x" * 20)
    asked = arp.request((ATTACKER_MAC, ATTACKER), VICTIM)
    return [
        _four(version=5), _four(version=0), _four(ihl=0), _four(ihl=4), _four(ihl=15), _four(total=0), _four(total=19),
        _four(total=65535), _four(flags=MORE_FRAGMENTS, offset=65_528), _four(whole, total=39),
        _four(Tcp(1, 2, data_offset=0).octets(*ends)), _four(Tcp(1, 2, data_offset=15).octets(*ends)),
        _four(Udp(53, 53, length=0).octets(*ends), UDP), _four(Udp(53, 53, length=7).octets(*ends, b"abc"), UDP),
        _four(Udp(53, 53, length=65535).octets(*ends, b"abc"), UDP), _four(b"", protocol=1), _four(b"\x08", protocol=1),
        _four(b"\xb0\0", protocol=GRE), _four(gre(IPV4, b""), protocol=GRE), _four(b"\x45", protocol=IPIP),
        _four(Udp(9, 4789).octets(*ends, b"\x08" + bytes(7) + b"\xff" * 13), UDP),
        _six(6, whole, length=65535), _six(6, whole, length=1), _six(0, b"\x06\xff" + bytes(6)),
        _six(44, b"\x11\0\xff"), _six(51, b"\x06\xff" + bytes(10)), _six(DESTINATION, b"\x3c\0"),
        _frame(IPV6, b"\x45" + bytes(50)), _frame(VLAN, b"\0"), _frame(VLAN, b"\0\x05\x08\0"),
        _frame(MPLS, b"\0\0\0\x40" * 12), _frame(0x8864, b"\x11\0\0\1\xff\xff\0\x21"),
        _frame(0x0806, b"\0\1\x08\0\xff\xff" + bytes(22)), asked[:30].ljust(60, b"\xff"), _frame(0x05DC, b"\xaa\xaa\3"),
    ]  # fmt: skip


def lying_below(rng: np.random.Generator, count: int) -> Table:
    """C7: headers that lie, from drawn hosts."""
    frames = lying_headers()
    table = stacked(frames, -(-count // len(frames)))[:count]
    table[:, IP4_ID : IP4_ID + 2], table[:, IP4_SRC + 1 : IP4_SRC + 4] = drawn(rng, count, 2), drawn(rng, count, 3)
    return table


def _lie(data: bytes, port: int) -> bytes:
    segment = Tcp(40000, port).octets(ATTACKER, VICTIM, data)
    return ethernet(VICTIM_MAC, ATTACKER_MAC, IPV4, Ipv4(ATTACKER, VICTIM, TCP_NUMBER).octets(segment))


def lying(rng: np.random.Generator, count: int) -> Table:
    """C7: payloads that lie, no two alike (their tails are drawn), from drawn ports."""
    frames = lying_payloads()
    table = stacked(frames, -(-count // len(frames)))[:count]
    table[:, IP4_ID : IP4_ID + 2] = drawn(rng, count, 2)
    table[:, 60:68] = drawn(rng, count, 8)
    return table


def noise(rng: np.random.Generator, count: int) -> Table:
    """C7, C13: every octet behind the addresses is drawn, half of the frames say that they are IP."""
    table = drawn(rng, count, 96)
    table[:, :12] = np.frombuffer(mac(VICTIM_MAC) + mac(ATTACKER_MAC), np.uint8)
    table[::4, 12:15] = (8, 0, 0x45)
    table[1::4, 12:15] = (0x86, 0xDD, 0x60)
    return table


ATTACKS: dict[str, Attack] = {
    one.__name__.replace("_", "-"): one
    for one in (
        syn_flood, answered_flood, wide_scan, port_scan, host_sweep, mac_flood, arp_flood, arp_sweep, dhcp_starvation,
        ipv6_sweep, fragment_flood, deep_nesting, lying_below, lying, noise,
    )
}  # fmt: skip
