"""The twin itself is checked against values worked out by hand: a wrong ruler measures nothing."""

import random

import pytest

from agent.packets.records import PACKET, PacketFlag, Verdict
from tests.forge.octets import ip, mac
from tests.naive.decode import decode
from tests.naive.frames import A4, A6, B4, B6, C4, A, B, frames

FRAMES = {name: (octets, link) for name, octets, link in frames()}
VERDICTS = {
    Verdict.LINK: {
        "arp", "arp-reply", "arp-odd", "lldp", "stp", "llc", "snap-cisco", "vlan-arp", "null-other", "sll-broadcast",
        "pppoe-lcp",
    },
    Verdict.MALFORMED: {
        "raw-neither", "ip6-extension-lie", "version-5", "ihl-4", "total-short",
    },
    Verdict.UNSUPPORTED: {"link-unknown"},
    Verdict.TOO_DEEP: {"vlan-4", "mpls-9", "ip6-extensions-9", "ipip-5"},
}  # fmt: skip


def row(name: str, **options: int) -> dict[str, int]:
    """The twin's row of a named frame."""
    octets, link = FRAMES[name]
    return decode(octets, link=link, **options)


def number(address: str) -> int:
    """The lower half of an address as rows hold it."""
    raw = ip(address)
    return 0xFFFF << 32 | int.from_bytes(raw) if len(raw) == 4 else int.from_bytes(raw[8:])


@pytest.mark.parametrize("name", FRAMES)
def test_verdict_of_every_named_frame(name: str) -> None:
    expected = next((verdict for verdict, names in VERDICTS.items() if name in names), Verdict.METERED)
    told = row(name)
    assert told["verdict"] == expected
    assert tuple(told) == PACKET.names


def test_plain_tcp_row_by_hand() -> None:
    told = row("tcp4", wirelen=61, time_ns=5, leg=1)
    wanted = {
        "time_ns": 5, "leg": 1, "src_lo": number(A4), "dst_lo": number(B4), "src_mac": int.from_bytes(mac(A)),
        "dst_mac": int.from_bytes(mac(B)), "payload": 54, "payload_octets": 7, "payload_caplen": 7, "wire_octets": 61,
        "l3_octets": 47, "tcp_seq": 1000, "tcp_ack": 2000, "ethertype": 0x0800, "src_port": 50000, "dst_port": 104,
        "ip_id": 77, "tcp_window": 64240, "tcp_flags": 16, "protocol": 6, "ip_version": 4, "ttl": 64,
    }  # fmt: skip
    assert wanted.items() <= told.items()
    assert told["flags"] == PacketFlag.PORTS


def test_cut_frame_keeps_wire_lengths() -> None:
    octets, _ = FRAMES["tcp4"]
    told = decode(octets[:56], wirelen=61)
    assert (told["payload_octets"], told["payload_caplen"], told["wire_octets"]) == (7, 2, 61)
    assert told["flags"] == PacketFlag.PORTS | PacketFlag.CUT
    assert decode(octets[:30], wirelen=61)["verdict"] == Verdict.TRUNCATED
    assert decode(octets[:13], wirelen=61)["verdict"] == Verdict.EMPTY
    assert decode(octets[:30])["verdict"] == Verdict.MALFORMED, "the wire had no more either"
    assert decode(b"")["verdict"] == Verdict.EMPTY


@pytest.mark.parametrize(
    ("name", "outer", "second"),
    [("vlan-1", 100, 0), ("vlan-2", 100, 200), ("vlan-3", 100, 200), ("vlan-priority", 0, 0)],
)
def test_vlan_ids_outermost_first(name: str, outer: int, second: int) -> None:
    told = row(name)
    assert (told["vlan"], told["vlan_inner"], told["dst_port"]) == (outer, second, 104)


def test_tag_taken_out_by_the_ring_is_the_outermost() -> None:
    told = row("vlan-1", ring_vlan=0xE000 | 42)
    assert (told["vlan"], told["vlan_inner"]) == (42, 100)
    assert row("vlan-3", ring_vlan=42)["verdict"] == Verdict.TOO_DEEP


def test_fragments_have_ports_once() -> None:
    first, second, last = (row(f"fragment-{i}") for i in range(3))
    assert first["flags"] == PacketFlag.FIRST_FRAGMENT | PacketFlag.FRAGMENT | PacketFlag.PORTS
    assert (first["src_port"], first["payload_octets"]) == (5, 8)
    assert second["flags"] == last["flags"] == PacketFlag.FRAGMENT
    assert (second["src_port"], second["payload_octets"], last["payload_octets"]) == (0, 16, 16)
    assert row("ip6-atomic")["flags"] == PacketFlag.PORTS
    assert row("ip6-fragment-0")["flags"] == PacketFlag.FRAGMENT | PacketFlag.FIRST_FRAGMENT | PacketFlag.PORTS


def test_ipv6_chain_ends_at_tcp() -> None:
    told = row("ip6-chain")
    assert (told["protocol"], told["dst_port"], told["payload_octets"]) == (6, 443, 3)
    assert (told["src_hi"], told["src_lo"], told["dst_lo"]) == (0x20010DB8 << 32, number(A6), number(B6))
    assert told["l3_octets"] == 40 + 8 + 24 + 16 + 24 + 23


@pytest.mark.parametrize(
    "name",
    [
        "ipip",
        "gre",
        "gre-key",
        "gre-all",
        "vxlan",
        "vxlan-tagged",
        "geneve",
        "capwap",
        "capwap-down",
        "ip4-in-6",
        "ipip-4",
    ],
)
def test_tunnel_rows_tell_of_the_inside(name: str) -> None:
    told = row(name)
    assert (told["src_lo"], told["dst_port"], told["l3_octets"], told["vlan"]) == (number(A4), 104, 47, 0)
    assert told["flags"] & PacketFlag.TUNNELLED
    assert told["tunnels"] == (4 if name == "ipip-4" else 1)
    octets, _ = FRAMES[name]
    assert octets[told["payload"] :][: told["payload_caplen"]] == b"payload"


@pytest.mark.parametrize("name", ["gre-erspan", "gre-pptp", "vxlan-no-flag", "teredo-not", "capwap-native"])
def test_tunnels_that_are_not_entered_count_outside(name: str) -> None:
    told = row(name)
    assert (told["src_lo"], told["tunnels"]) == (number(C4), 0)


@pytest.mark.parametrize("name", ["teredo", "teredo-origin", "teredo-both", "ip6-in-4", "geneve-ip"])
def test_ipv6_inside(name: str) -> None:
    assert row(name)["src_lo"] == number(A6)
    assert row(name)["dst_port"] == 2575


def test_arp_row() -> None:
    told = row("arp")
    assert (told["src_lo"], told["dst_lo"], told["dst_port"], told["ip_version"]) == (number(A4), number(B4), 1, 0)
    assert told["flags"] == PacketFlag.BROADCAST
    assert (told["l3_octets"], told["payload"], told["payload_octets"]) == (0, 14, 46)
    outside = row("vxlan-arp")
    assert (outside["src_lo"], outside["dst_port"], outside["tunnels"]) == (number(C4), 4789, 0), (
        "not IP: stays outside"
    )


@pytest.mark.parametrize(
    ("name", "octets"),
    [("udp-short", 0), ("udp-less", 4), ("tcp-offset-1", 0), ("tcp-offset-15", 0)],
)
def test_lengths_that_lie(name: str, octets: int) -> None:
    assert row(name)["payload_octets"] == octets


def test_icmp_type_and_code_stand_for_ports() -> None:
    assert (row("icmp")["src_port"], row("icmp")["dst_port"], row("icmp")["payload_octets"]) == (0x0800, 0, 4)
    assert row("icmp-error")["src_port"] == 0x0303
    assert row("icmp6")["src_port"] == 135 << 8


def test_ignored_rows_are_bare() -> None:
    told = row("ihl-4", time_ns=9, leg=2, wirelen=2000)
    assert {key: value for key, value in told.items() if value} == {
        "time_ns": 9, "leg": 2, "wire_octets": 2000, "verdict": Verdict.MALFORMED, "flags": PacketFlag.CUT,
    }  # fmt: skip


def test_any_octets_give_a_row() -> None:
    rng = random.Random(3)
    for octets, link in FRAMES.values():
        for _ in range(40):
            torn = bytearray(octets[: rng.randrange(len(octets) + 1)])
            for _ in range(min(3, len(torn))):
                torn[rng.randrange(len(torn))] = rng.randrange(256)
            told = decode(bytes(torn), link=link, wirelen=len(octets))
            assert told["verdict"] in set(Verdict)
            assert 0 <= told["payload"] + told["payload_caplen"] <= len(torn)
            limits = {name: PACKET[name].itemsize * 8 for name in PACKET.names or ()}
            assert all(0 <= value < 1 << limits[name] for name, value in told.items())
