"""Link headers, tags, labels and sessions: what a row says of them, by hand."""

import pytest

from agent.packets.records import PacketFlag, Verdict
from tests.forge import arp
from tests.forge.ethernet import IPV4, MPLS, PPPOE, QINQ, VLAN, ethernet, llc, mpls, pppoe, snap, tagged
from tests.forge.pcap import LINUX_SLL, LINUX_SLL2, NULL, RAW
from tests.naive.frames import A4, B4, TCP4, TCP6, A, B, eth
from tests.simulators.bursts import Heard, burst_of, decode


def row(octets: bytes, link: int = 1, vlan: int = 0, wirelen: int = 0) -> dict[str, int]:
    """The row of one frame."""
    told = decode(burst_of([Heard(octets, wirelen, link, vlan)]))[0]
    return {name: int(told[name]) for name in told.dtype.names}


@pytest.mark.parametrize(
    ("target", "flag"),
    [
        ("ff:ff:ff:ff:ff:ff", PacketFlag.BROADCAST),
        ("01:00:5e:00:00:fb", PacketFlag.MULTICAST),
        ("33:33:00:00:00:01", PacketFlag.MULTICAST),
        (B, 0),
    ],
)
def test_group_addresses(target: str, flag: int) -> None:
    told = row(ethernet(target, A, IPV4, TCP4))
    assert told["flags"] == flag | PacketFlag.PORTS
    assert told["dst_mac"] == int(target.replace(":", ""), 16)


@pytest.mark.parametrize(
    ("tags", "ring", "ids"),
    [
        ([], 0, (0, 0)), ([(VLAN, 7)], 0, (7, 0)), ([(QINQ, 100), (VLAN, 7)], 0, (100, 7)), ([(VLAN, 0)], 0, (0, 0)),
        ([], 9, (9, 0)), ([(VLAN, 7)], 9, (9, 7)), ([(VLAN, 1), (VLAN, 2), (VLAN, 3)], 0, (1, 2)),
    ],
)  # fmt: skip
def test_vlan_ids(tags: list[tuple[int, int]], ring: int, ids: tuple[int, int]) -> None:
    kind, body = tagged(tags, IPV4, TCP4)
    told = row(eth(body, kind), vlan=ring)
    assert ((told["vlan"], told["vlan_inner"]), told["dst_port"]) == (ids, 104)


def test_one_tag_too_many() -> None:
    kind, body = tagged([(VLAN, n) for n in range(1, 5)], IPV4, TCP4)
    assert row(eth(body, kind))["verdict"] == Verdict.TOO_DEEP
    assert row(eth(b"\0\1", VLAN)[:16])["verdict"] == Verdict.MALFORMED
    assert row(eth(b"\0\1", VLAN)[:16], wirelen=60)["verdict"] == Verdict.TRUNCATED


def test_labels() -> None:
    assert row(eth(mpls([16, 17], TCP4), MPLS))["dst_port"] == 104
    assert row(eth(mpls([16], TCP6), MPLS))["ip_version"] == 6
    assert row(eth(mpls([16], b"\0\0\0\0" + eth(TCP4)), MPLS))["dst_port"] == 104
    assert row(eth(mpls([16], b"\x10" * 40), MPLS))["verdict"] == Verdict.LINK
    assert row(eth(mpls(range(9), TCP4), MPLS))["verdict"] == Verdict.TOO_DEEP


def test_sessions() -> None:
    told = row(eth(pppoe(1, 0x21, TCP4), PPPOE))
    assert (told["dst_port"], told["ethertype"]) == (104, IPV4)
    assert row(eth(pppoe(1, 0xC021, b"\1\1\0\4"), PPPOE))["payload_octets"] == 4


def test_lengths_instead_of_types() -> None:
    told = row(llc(B, A, (0x42, 0x42), b"bpdu"))
    assert (told["verdict"], told["ethertype"]) == (Verdict.LINK, 7)
    assert row(snap(B, A, IPV4, TCP4))["dst_port"] == 104
    assert row(snap(B, A, IPV4, TCP4, oui=b"\0\0\x0c"))["verdict"] == Verdict.LINK


def test_arp() -> None:
    told = row(arp.reply((A, A4), (B, B4)))
    assert (told["src_lo"] & 0xFFFFFFFF, told["dst_lo"] & 0xFFFFFFFF) == (0x0A010005, 0x0A020009)
    assert (told["dst_port"], told["ip_version"], told["verdict"]) == (2, 0, Verdict.LINK)


def test_links_without_receivers_or_macs() -> None:
    cooked = b"\0\4\0\1\0\6" + bytes.fromhex(A.replace(":", "")) + b"\0\0\x08\0" + TCP4
    told = row(cooked, LINUX_SLL)
    assert (told["src_mac"], told["dst_mac"], told["flags"]) == (int(A.replace(":", ""), 16), 0, PacketFlag.PORTS)
    second = b"\x08\0\0\0\0\0\0\x02\0\1\1\6" + bytes.fromhex(A.replace(":", "")) + b"\0\0" + TCP4
    assert row(second, LINUX_SLL2)["flags"] == PacketFlag.PORTS | PacketFlag.BROADCAST
    for octets, link in ((TCP4, RAW), (b"\2\0\0\0" + TCP4, NULL), (b"\0\0\0\2" + TCP4, NULL)):
        told = row(octets, link)
        assert told["flags"] == PacketFlag.PORTS | PacketFlag.NO_MAC
        assert (told["dst_port"], told["src_mac"]) == (104, 0)


def test_nflog() -> None:
    fields = b"\x08\0\x0a\0mark" + b"\x05\0\x0b\0x\0\0\0"
    head = b"\x02\0\0\x05" + fields
    packet = (4 + len(TCP4)).to_bytes(2, "little") + b"\x09\0" + TCP4
    told = row(head + packet, 239)
    assert (told["dst_port"], told["payload_octets"]) == (104, 7)
    assert row(head + b"\x03\0\x09\0" + TCP4, 239)["verdict"] == Verdict.MALFORMED
    assert row(head, 239)["verdict"] == Verdict.TRUNCATED
    assert row(head[:7], 239)["verdict"] == Verdict.EMPTY


@pytest.mark.parametrize("link", [127, 147, 195, 253])
def test_links_that_are_not_read(link: int) -> None:
    assert row(eth(TCP4), link)["verdict"] == Verdict.UNSUPPORTED
