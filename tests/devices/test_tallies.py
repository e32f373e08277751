"""Statistics of frames and flows against the slow twin, bins at their edges, distinct counts in both forms."""

from random import Random

import numpy as np
import pytest

from agent.devices import tallies
from agent.devices.records import EXACT_MAX, STATS, Clinical, Scope
from agent.devices.statistics import registers
from agent.flows import lifecycle
from agent.flows.records import BIFLOW, FlowState
from agent.packets.records import Application
from tests.devices.bench import GATEWAY, hello, number, tries
from tests.devices.talk_of_all_kinds import Pair, frames_of_all_kinds, greetings
from tests.flows.talks import HOSTS, START_S
from tests.forge import arp
from tests.forge.pcap import Frame
from tests.naive.statistics import GAP_EDGES, SIZE_EDGES, Statistic
from tests.simulators.bursts import HASHES, SECRET, THIN
from tests.test_keyed import sip

pytestmark = HASHES
S = 1_000_000_000
TURNED = SECRET[::-1]
DAY_S = 25 * 3600
CLINICAL = {
    Clinical.DICOM: Application.DICOM,
    Clinical.HL7: Application.HL7,
    Clinical.IEEE11073: Application.IEEE11073,
    Clinical.INTELLIVUE: Application.INTELLIVUE,
    Clinical.CAPSULE: Application.CAPSULE,
}


def of_twin(device: Statistic) -> dict[str, list[int]]:
    """The twin's counts in the columns of STATS."""
    pair = (("tx", device.tx_packets, device.tx_octets), ("rx", device.rx_packets, device.rx_octets))
    told = {
        name: [value for scope in Scope for value in (packets[scope], octets[scope])] for name, packets, octets in pair
    }
    told["sizes"] = [device.sizes[i] for i in range(len(SIZE_EDGES) + 1)]
    told["gaps"] = [device.gaps[i] for i in range(len(GAP_EDGES) + 1)]
    for name, counts in (("flows", device.flows), ("octets", device.octets)):
        for way, tls in (("clear", False), ("tls", True)):
            told[f"{way}_{name}"] = [counts[CLINICAL[place], tls] for place in Clinical]
    for name in ("announcements", "dns_questions", "dns_failures"):
        told[name] = getattr(device, name)
    return told


def digests(device: Statistic) -> dict[str, list[int]]:
    """The keyed hashes of what is counted as distinct."""
    half = 2**64 - 1
    peers = [sip(TURNED, [int(tallies.A_PEER), peer >> 64, peer & half]) for peer in device.peers]
    ports = [sip(TURNED, [int(tallies.A_PORT), protocol << 16 | port, 0]) for protocol, port in device.ports]
    return {"peers": sorted(peers), "ports": sorted(ports)}


def raised(hashes: list[int]) -> list[int]:
    """HyperLogLog by the book, on digits."""
    found = [0] * 512
    for text in (f"{digest:064b}" for digest in hashes):
        place, rest = int(text[:9], 2), text[9:]
        found[place] = max(found[place], (rest + "1").index("1") + 1)
    return found


def agree(pair: Pair) -> None:
    """Every column of every device is the twin's."""
    assert sorted(pair.table._macs[pair.slots()].tolist()) == sorted(pair.twin)
    for slot in pair.slots():
        stat, device = pair.table.stats[slot], pair.twin[int(pair.table._macs[slot])]
        for name, wanted in of_twin(device).items():
            assert stat[name].tolist() == wanted, f"{name} of {int(pair.table._macs[slot]):012x}"
        for name, hashes in digests(device).items():
            used = int(stat[f"{name}_used"])
            if len(hashes) <= EXACT_MAX:
                assert sorted(stat[name][:used].tolist()) == hashes
            else:
                assert used == tallies.DENSE
                assert registers(stat[name]).tolist() == raised(hashes)


@pytest.mark.parametrize("seed", range(3))
def test_frames_of_all_kinds(seed: int) -> None:
    pair = Pair().hear(frames_of_all_kinds(Random(seed), 4000 // THIN)).end()
    agree(pair)
    total = pair.table.stats[pair.slots()]
    if THIN == 1:
        for name in ("announcements", "dns_questions", "dns_failures", "sizes"):
            assert total[name].sum(axis=0).all(), f"no frame is counted in {name}"
        for name in ("tx", "rx"):
            assert total[name][:, ::2].sum(axis=0)[:3].all(), "segment, site and internet"
        assert total["clear_octets"].sum(axis=0).all()
        assert total["tls_octets"].sum(axis=0)[[Clinical.DICOM, Clinical.HL7, Clinical.IEEE11073]].all()
        assert np.count_nonzero(total["gaps"].sum(axis=0)) > 6


def test_a_scan_has_more_peers_and_ports_than_are_kept() -> None:
    targets = [((f"10.2.{n >> 8}.{n & 255}", GATEWAY[1]), 1000 + n % 150) for n in range(600 // THIN + EXACT_MAX)]
    pair = Pair().hear(greetings() + tries(HOSTS[0], targets, refused=False, at_s=2)).end()
    agree(pair)
    assert len(pair.twin[number(HOSTS[0][1])].peers) > EXACT_MAX


@pytest.mark.parametrize("size", [63, 64, 65, 66])
def test_around_the_size_of_the_exact_set(size: int) -> None:
    targets = [((f"10.2.0.{n}", GATEWAY[1]), 445) for n in range(1, size + 1)] * 2
    pair = Pair().hear(greetings() + tries(HOSTS[0], targets, refused=True, at_s=2)).end()
    agree(pair)
    row = pair.table.stats[pair.table._macs == number(HOSTS[0][1])][0]
    assert row["peers_used"] == min(size, tallies.DENSE)
    assert row["ports_used"] == 1


def test_bins_at_their_edges() -> None:
    """Each edge is the first of its bin; nothing is too large."""
    for edges, place in ((SIZE_EDGES, tallies.size_bin), (GAP_EDGES, tallies.gap_bin)):
        for number_of_bin, edge in enumerate(edges):
            assert place(edge - 1) == number_of_bin
            assert place(edge) == number_of_bin + 1
        assert place(0) == 0
        assert place(2**62) == len(edges)


def test_a_frame_out_of_order_has_no_negative_gap() -> None:
    end = HOSTS[0]
    frames = [Frame(START_S * S + at, arp.gratuitous((end[1], end[0]))) for at in (50_000, 20_000, 70_000)]
    pair = Pair().hear(frames).end()
    agree(pair)
    assert pair.table.stats[pair.slots()[0]]["gaps"].tolist()[:3] == [1, 1, 0]


def test_a_slot_s_new_owner_starts_from_nothing() -> None:
    pair = Pair(devices=64).hear(frames_of_all_kinds(Random(9), 600 // THIN)).end()
    before = {int(mac) for mac in pair.table._macs if mac}
    later = [hello((f"10.3.0.{n}", f"00:1b:78:00:00:{n:02x}"), 40 * DAY_S + n) for n in range(200)]
    pair.hear(later)
    held = [slot for slot in pair.slots() if int(pair.table._macs[slot]) not in before]
    assert len(held) == 64
    rows = pair.table.stats[held]
    assert rows["tx"].tolist() == [[0] * 8 + [1, 60]] * 64
    assert rows["announcements"].tolist() == [1] * 64
    assert not rows["rx"].any()
    for name in ("gaps", "clear_flows", "tls_flows", "clear_octets", "tls_octets", "peers_used", "dns_questions"):
        assert not rows[name].any(), name


def test_rows_are_whole_cache_lines() -> None:
    fields = STATS.fields or {}
    at = {name: fields[name][1] for name in ("tx", "rx", "sizes", "gaps")}
    lines = {"tx": tallies.TX_LINE, "rx": tallies.RX_LINE, "sizes": tallies.SIZES_LINE, "gaps": tallies.GAPS_LINE}
    assert at == {name: 64 * line for name, line in lines.items()}
    assert STATS.itemsize % 64 == 0


PORTS = sorted({1, 80, 443, 103, 105, 104, 2575, 2762, 6464, 11112, 24005, 24105, 5090})


@pytest.mark.parametrize("protocol", [6, 17, 1])
def test_no_end_of_a_clinical_flow_is_passed_over(protocol: int) -> None:
    """The cache tells no end that nobody counts; what is counted here it must take for something that may be."""
    record = np.zeros(1, BIFLOW)[0]
    record["state"], record["forward_data"] = FlowState.SYN, 1
    counted = 0
    for application in Application:
        for port in PORTS:
            for low, high in ((50000, port), (port, 50000)):
                record["application"] = application
                record["key_ports"] = low << 48 | high << 32 | protocol
                if tallies.clinical_of(record, protocol, port) >= 0:
                    counted += 1
                    assert lifecycle.may_be_clinical(record), (application, port)
    assert counted > 50
    record["application"], record["key_ports"] = 0, 50000 << 48 | 80 << 32 | protocol
    assert not lifecycle.may_be_clinical(record)


def test_registers_are_where_they_are_asked_for() -> None:
    """`fetch_meeting` counts octets into a row; asking for another line would only be slow, so nothing else notices."""
    row = np.zeros(1, STATS)
    for name, at in (("peers", tallies.PEERS_AT), ("ports", tallies.PORTS_AT)):
        row[name][0, 0] = 7
        assert row.view(np.uint8)[at] == 7
        row[name][0, 0] = 0


@pytest.mark.parametrize(("protocol", "counted"), [(6, True), (17, True), (1, False), (58, False), (47, False)])
def test_services_with_ports_are_distinct_ones(protocol: int, counted: bool) -> None:
    digest = tallies.service_digest(*map(np.uint64, SECRET), np.uint64(protocol << 16 | 443))
    assert bool(digest) == counted
    if counted:
        assert int(digest) == sip(TURNED, [int(tallies.A_PORT), protocol << 16 | 443, 0])
