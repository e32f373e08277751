"""The decoder against its slow twin: named frames cut everywhere, torn, random, and the frames of real captures."""

import random
from pathlib import Path

import numpy as np
import pytest

from agent.packets.records import PACKET, VERDICTS, PacketFlag, Verdict
from agent.tap.replay import ReplaySource
from tests.conftest import captures_folder
from tests.forge import ipv6
from tests.forge.ethernet import VLAN, tagged
from tests.forge.ipv4 import TCP
from tests.forge.ipv6 import Ipv6
from tests.fuzz.oracle import compare
from tests.naive.frames import A6, B6, SEGMENT6, TCP4, eth, frames
from tests.simulators.bursts import LONG, THIN, Heard, burst_of, decode, decode_into

NAMED = frames()
LINKS = (0, 1, 12, 14, 101, 108, 113, 228, 229, 239, 276, 127, 147, 0xFFFF)
PER_CAPTURE = 60 // (THIN if THIN == 1 else 4)  # frames of each capture in the normal run; all of them with `slow`


@pytest.mark.parametrize(("name", "octets", "link"), NAMED, ids=[named[0] for named in NAMED])
def test_named_frame_cut_at_every_length(name: str, octets: bytes, link: int) -> None:
    sizes = range(0, len(octets) + 1, 1 if THIN == 1 else 7)
    cut = (Heard(octets[:size], wirelen, link) for size in sizes for wirelen in (len(octets), 0))
    assert compare(cut) == 2 * len(sizes), name


def test_tag_taken_out_by_the_ring() -> None:
    heard = [Heard(octets, 0, link, vlan) for _, octets, link in NAMED for vlan in (1, 0xE00A, 0x0FFF)]
    assert compare(heard[::THIN])


def test_torn_frames() -> None:
    rng = random.Random(20261102)
    torn = []
    for _ in range(8000 // THIN):
        _, octets, link = rng.choice(NAMED)
        raw = bytearray(octets[: rng.randrange(len(octets) + 1)] if rng.random() < 0.3 else octets)
        for _ in range(rng.randint(1, 4)):
            if raw:
                raw[rng.randrange(min(len(raw), 96))] = rng.choice(
                    (0, 1, 4, 0x45, 0x60, 0x81, 0xFF, rng.randrange(256))
                )
        torn.append(Heard(bytes(raw), rng.choice((0, len(octets), 20, 9000)), link))
    assert compare(torn) == len(torn)


def test_random_octets_on_every_link() -> None:
    rng = random.Random(7)
    heard = [Heard(rng.randbytes(rng.randrange(120)), 0, link) for link in LINKS for _ in range(200 // THIN)]
    starts = (
        b"\x45\0",
        b"\x60\0",
        b"\0\0\0\2\x45",
        b"\x1e\0\0\0\x60",
        b"\xff" * 12 + b"\x08\0\x45",
        b"\2" * 12 + b"\x86\xdd\x60",
    )
    for link in LINKS:
        heard += [Heard(rng.choice(starts) + rng.randbytes(80), 0, link) for _ in range(200 // THIN)]
    assert compare(heard) == len(heard)


def test_sixteen_layers_of_every_sort() -> None:
    """Deep stacks of tags and tunnels, one deeper than the other, end in the same verdict."""
    from tests.forge.ethernet import mpls, pppoe  # noqa: PLC0415 - only here
    from tests.forge.ipv4 import Ipv4  # noqa: PLC0415 - only here

    rng, heard = random.Random(5), []
    for _ in range(600 // THIN):
        packet = TCP4
        for _ in range(rng.randrange(5)):
            packet = Ipv4("10.0.0.1", "10.0.0.2", 4).octets(packet)
        kind, body = 0x0800, packet
        for _ in range(rng.randrange(4)):
            shim = rng.randrange(3)
            if shim == 0:
                kind, body = tagged([(VLAN, rng.randrange(4096))], kind, body)
            elif shim == 1 and kind == 0x0800:
                kind, body = 0x8847, mpls([rng.randrange(1 << 20) for _ in range(rng.randint(1, 9))], body)
            elif kind == 0x0800:
                kind, body = 0x8864, pppoe(1, 0x21, body)
        heard.append(Heard(eth(body, kind)))
    assert compare(heard) == len(heard)


def test_times_legs_and_lengths_are_the_frame_s() -> None:
    heard = [
        Heard(eth(TCP4), wirelen, 1, 0, leg, time)
        for wirelen, leg, time in ((0, 0, 0), (1500, 3, -1), (61, 1, 1 << 62))
    ]
    rows = decode(burst_of(heard))
    assert rows["time_ns"].tolist() == [0, -1, 1 << 62]
    assert rows["leg"].tolist() == [0, 3, 1]
    assert rows["wire_octets"].tolist() == [61, 1500, 61]
    assert (rows["flags"] & PacketFlag.CUT != 0).tolist() == [False, True, False]


def test_a_tag_that_the_ring_took_out_was_on_the_wire() -> None:
    """It counts as octets of the frame, and into no length of what is in it; the frame is not cut."""
    burst = burst_of([Heard(eth(TCP4), 61, vlan=7), Heard(b"", 0, vlan=7)])
    burst.frames["taken"] = 4
    tagged_one, empty = decode(burst)
    plain = decode(burst_of([Heard(eth(TCP4), 61)]))[0]
    assert (tagged_one["wire_octets"], plain["wire_octets"], empty["wire_octets"]) == (65, 61, 4)
    assert (tagged_one["vlan"], plain["vlan"]) == (7, 0)
    assert not tagged_one["flags"] & PacketFlag.CUT
    for name in ("l3_octets", "payload_octets", "payload_caplen", "verdict"):
        assert tagged_one[name] == plain[name]


@pytest.mark.parametrize("tci", [0, 0xE000])
def test_a_priority_tag_that_the_ring_took_out_was_the_outer_one(tci: int) -> None:
    """The frame has the same VLANs as in a file, where its tag is still in it."""
    inside = tagged([(VLAN, 90)], 0x0800, TCP4)[1]
    burst = burst_of([Heard(eth(inside, VLAN), vlan=tci)])
    burst.frames["taken"] = 4
    (from_ring,) = decode(burst)
    (from_file,) = decode(burst_of([Heard(eth(tagged([(VLAN, 0), (VLAN, 90)], 0x0800, TCP4)[1], VLAN))]))
    assert (from_ring["vlan"], from_ring["vlan_inner"]) == (0, 90)
    assert (from_file["vlan"], from_file["vlan_inner"]) == (0, 90)


def test_a_ninth_ipv6_extension_is_too_deep_whatever_it_holds() -> None:
    """Found by the fuzzer: the last fragment of a datagram, or a length beyond the packet, passed as something else."""
    for ninth in (b"\x06\0\0\x08\0\0\0\x01", b"\x06\xff\0\0\0\0\0\0"):
        chain = (bytes([60, 0]) + bytes(6)) * 7 + bytes([44 if ninth[3] else 60, 0]) + bytes(6) + ninth
        frame = Heard(eth(Ipv6(A6, B6, 60).octets(chain + SEGMENT6), 0x86DD))
        assert decode(burst_of([frame]))["verdict"].tolist() == [Verdict.TOO_DEEP]
        assert compare([frame]) == 1


@pytest.mark.parametrize(
    ("second", "flags"),
    [
        (ipv6.fragment(TCP, SEGMENT6, offset=64, more=False), PacketFlag.FRAGMENT),
        (
            ipv6.fragment(TCP, SEGMENT6, offset=0, more=False, ident=9),
            PacketFlag.FRAGMENT | PacketFlag.FIRST_FRAGMENT | PacketFlag.PORTS,
        ),
    ],
)
def test_two_fragment_headers(second: bytes, flags: int) -> None:
    """Found by the fuzzer: behind a first fragment's header another one that has an offset passed as the first."""
    frame = Heard(eth(Ipv6(A6, B6, 44).octets(ipv6.fragment(44, second, offset=0, more=True)), 0x86DD))
    (row,) = decode(burst_of([frame]))
    assert (row["flags"], row["ip_id"]) == (flags, 1)
    assert compare([frame]) == 1


def test_a_caplen_beyond_the_burst_reads_nothing_beyond() -> None:
    """No backend of ours says so; if one did, the walk still stays inside."""
    burst = burst_of([Heard(eth(TCP4))])
    burst.frames["caplen"] = 4000
    row = decode(burst)[0]
    assert row["payload"] + row["payload_caplen"] <= len(burst.octets)


def test_rows_are_written_whole() -> None:
    """A row buffer that held other packets keeps nothing of them."""
    heard = [Heard(octets, 0, link) for _, octets, link in NAMED]
    burst = burst_of(heard)
    fresh = decode(burst)
    used = np.zeros(len(heard), PACKET)
    used.view(np.uint8)[:] = 0xFF
    verdicts = decode_into(burst, used)
    for name in PACKET.names or ():
        assert np.array_equal(fresh[name], used[name]), name
    assert verdicts.tolist() == np.bincount(fresh["verdict"], minlength=VERDICTS).tolist()
    assert set(np.flatnonzero(verdicts)) >= {Verdict.METERED, Verdict.LINK, Verdict.MALFORMED, Verdict.TOO_DEEP}


def capture_names() -> list[str]:
    """Every capture of the folder, by its place in it."""
    folder = captures_folder()
    if folder is None:
        return []
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if ".pcap" in p.name and p.is_file())


def _of_a_capture(path: Path, most: int) -> int:
    """Compare `most` frames of a file, evenly spread over each burst."""
    source, compared = ReplaySource([path]), 0
    while (burst := source.next_burst()) is not None:
        step = max(1, burst.count // most)
        octets = burst.octets.tobytes()
        chosen = [
            Heard(octets[f["offset"] : int(f["offset"]) + int(f["caplen"])], int(f["wirelen"]), int(f["link"]))
            for f in burst.frames[: burst.count : step]
        ]
        compared += compare(chosen)
    source.close()
    return compared


GROUPS = sorted({name.split("/")[0] for name in capture_names()}) or ["none"]


@pytest.mark.captures
@pytest.mark.parametrize("group", GROUPS)
def test_frames_of_real_captures(captures: Path, group: str) -> None:
    paths = [captures / name for name in capture_names() if name.startswith(f"{group}/")]
    assert sum(_of_a_capture(path, PER_CAPTURE) for path in paths)


@pytest.mark.captures
@pytest.mark.slow
@LONG
@pytest.mark.parametrize("group", GROUPS)
def test_every_frame_of_real_captures(captures: Path, group: str) -> None:
    for name in capture_names():
        if name.startswith(f"{group}/"):
            _of_a_capture(captures / name, 1 << 30)
