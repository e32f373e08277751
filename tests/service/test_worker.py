"""Several workers find what one finds: flows, devices, statistics, contacts, fans, findings, summaries, exactly."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from agent.config import Config
from agent.packets.records import Verdict
from agent.service.limits import flow_limits
from agent.service.overload import Detail
from agent.service.pipeline import Pipeline
from agent.tap.replay import ReplaySource
from agent.wire.summary import Summary
from tests.conftest import ROOT
from tests.devices.bench import hello, session, tries
from tests.devices.talk_of_all_kinds import frames_of_all_kinds
from tests.flows.talks import HOSTS, Talk, random_frames
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.ipv4 import UDP, Ipv4
from tests.forge.pcap import Frame, Pcap
from tests.forge.tcp import ACK, SYN
from tests.forge.udp import Udp
from tests.service.bench import Kept, parts, small
from tests.simulators.bursts import HASHES, LONG, SECRET, THIN, Heard, burst_of
from tests.simulators.shares import Several, share_of

pytestmark = HASHES
WARD = ROOT / "tests" / "captures" / "ward.pcap.gz"
WORKERS = (1, 2, 4)
OF_THE_PROCESS = {"memory_bytes", "cpu_ms"}
CAPTURES = (
    "benign/kerberos_login.pcap", "encap/mixed_vlan_mpls.pcap", "encap/icmp_fragmented_big.pcap",
    "threats/arp_scan_hs.pcap", "threats/portscan_small.pcap", "threats/nmap_fin_scan.pcap",
    "medical/hl7_adt_mllp.pcap", "identity/lldp_and_cdp.pcap", "format/snaplen_cut_tcp.pcap",
)  # fmt: skip


def one(paths: list[Path], config: Config) -> tuple[Pipeline, Kept]:
    """What one worker makes of captures, as a replay does it."""
    kept = Kept()
    pipeline, source = Pipeline(config, parts(), kept, SECRET), ReplaySource(paths)
    rows = pipeline.buffer()
    while (burst := source.next_burst()) is not None:
        list(pipeline.take_steps(pipeline.decode(burst, rows)))
    pipeline.settle()
    pipeline.drain()
    assert pipeline.conserved()
    return pipeline, kept


def several(paths: list[Path], config: Config, workers: int) -> Several:
    """What so many make of them."""
    source, made = ReplaySource(paths), Several(config, workers)
    while (burst := source.next_burst()) is not None:
        made.play([burst])
    made.end()
    return made


def told(summary: Summary) -> tuple[Any, ...]:
    """A summary without what it says of the process and its workers."""
    told_of = [name for name in summary.health if name not in OF_THE_PROCESS and not name.startswith("worker")]
    health = {name: summary.health[name] for name in told_of}
    return (*(getattr(summary, name) for name in summary.__dataclass_fields__ if name != "health"), health)


def equal(paths: list[Path], config: Config, workers: int) -> Several:
    """The merged result equals one worker's."""
    whole, kept = one(paths, config)
    made = several(paths, config, workers)
    merged, together = made.pipeline, made.kept
    records = [sorted(record.tobytes() for rows in who.records for record in rows) for who in (kept, together)]
    assert records[0] == records[1]
    for name in ("devices", "stats", "edges", "_fans"):
        assert getattr(whole.table, name).tobytes() == getattr(merged.table, name).tobytes(), name
    assert merged.table.pressure() == whole.table.pressure()
    assert together.findings == kept.findings
    assert [told(summary) for summary in together.summaries] == [told(summary) for summary in kept.summaries]
    for name in ("verdicts", "leg_frames", "leg_octets"):
        assert (getattr(merged.frames, name) == getattr(whole.frames, name)).all(), name
    assert (merged.frames.cut, merged.frames.unseen) == (whole.frames.cut, whole.frames.unseen)
    assert (merged.hints_skipped, merged.cache.exported) == (whole.hints_skipped, whole.cache.exported)
    assert sum(made.loads) == whole.frames.frames
    return made


def played(frames: list[Frame], folder: Path, workers: int, config: Config | None = None) -> Several:
    """The same of forged frames, in order of time."""
    path = folder / "forged.pcap"
    path.write_bytes(Pcap(nanoseconds=True).octets(sorted(frames, key=lambda frame: frame.time_ns)))
    return equal([path], config or small(), workers)


@pytest.mark.parametrize("workers", WORKERS)
def test_the_recorded_ward(workers: int) -> None:
    if THIN > 1:
        pytest.skip("too long without the JIT")
    made = equal([WARD], Config(), workers)
    assert min(made.loads) > 1000, "every worker has something to do"
    assert made.kept.findings


@pytest.mark.captures
@pytest.mark.parametrize("name", CAPTURES[:: 1 if THIN == 1 else 4])
@pytest.mark.parametrize("workers", [2, 4])
def test_real_captures(captures: Path, name: str, workers: int) -> None:
    equal([captures / name], Config(), workers)


@pytest.mark.captures
@pytest.mark.slow
@LONG
def test_every_real_capture(captures: Path) -> None:
    for path in sorted(p for p in captures.rglob("*") if ".pcap" in p.name and p.stat().st_size < 1 << 21):
        equal([path], Config(), 2)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("workers", WORKERS)
def test_talk_of_all_kinds(tmp_path: Path, seed: int, workers: int) -> None:
    made = played(frames_of_all_kinds(Random(seed), 3000 // THIN), tmp_path, workers)
    assert workers == 1 or THIN > 1 or min(made.loads) > 50


@pytest.mark.parametrize("workers", [2, 4])
def test_flows_in_every_state(tmp_path: Path, workers: int) -> None:
    """Ports used again, resets, pauses of minutes, IPv6, VLANs."""
    played(random_frames(Random(5), 3000 // THIN, 0.5), tmp_path, workers)


@pytest.mark.parametrize("refused", [True, False])
def test_a_scan_spread_over_workers_is_one_finding(tmp_path: Path, refused: bool) -> None:
    targets = [((f"10.1.{n >> 6}.{30 + (n & 63)}", f"00:1b:78:00:00:{n:02x}"), 445) for n in range(60)]
    frames = [hello(HOSTS[0]), *(hello(end, 0.1) for end, _ in targets)]
    frames += tries(HOSTS[0], targets, refused=refused, at_s=5)
    frames += session((HOSTS[1], HOSTS[2]), 7)
    made = played(frames, tmp_path, 4)
    assert sum(load > 10 for load in made.loads) >= 3
    assert len([finding for finding in made.kept.findings if finding.id in {"host-sweep", "smb-spread"}]) == 1


def test_who_serves_is_known_to_every_worker(tmp_path: Path) -> None:
    """A flow met in its middle: that its other end serves the port was learned by another worker, a moment before."""
    server = ("10.1.9.9", "00:d0:75:00:09:09")
    clients = [(f"10.1.9.{n}", f"00:d0:75:00:09:{n:02x}") for n in range(10, 40)]
    first, frames = Talk((clients[0], server), (50000, 50001)), list[Frame]()
    first.handshake(1.0)
    for number, client in enumerate(clients[1:]):
        talk = Talk((client, server), (51000 + number, 50001), frames=frames)
        talk.tcp(1.2 if number % 2 else 0.9, ACK, b"x", back=True)
    made = played(first.frames + frames, tmp_path, 2)
    ways = {int(record["direction"]) for records in made.kept.records for record in records}
    assert len(ways) == 3, "initiator, learned, first seen"
    assert min(made.loads) > 5


def test_links_without_mac_addresses(tmp_path: Path) -> None:
    talk = Talk()
    talk.handshake(1)
    path = tmp_path / "raw.pcap"
    path.write_bytes(Pcap(link=101).octets([Frame(frame.time_ns, frame.octets[14:]) for frame in talk.frames]))
    equal([path], small(), 2)


def test_fragments_stay_with_their_flow(tmp_path: Path) -> None:
    frames = list[Frame]()
    for number in range(40):
        source, target = f"10.2.0.{number + 1}", f"10.2.1.{number + 1}"
        datagram = Udp(40000, 2575).octets(source, target, bytes(3000))
        for piece, part in enumerate(Ipv4(source, target, UDP, ident=number).fragments(datagram, 1480)):
            octets = ethernet(HOSTS[1][1], HOSTS[0][1], IPV4, part)
            frames.append(Frame((1_793_606_400 + number) * 1_000_000_000 + piece * 1000, octets))
    made = played(frames, tmp_path, 4)
    records = np.concatenate(made.kept.records)
    assert len(records) == 40
    assert set(records["forward_packets"].tolist()) == {3}


def test_what_lands_elsewhere_still_adds_up() -> None:
    """No total rests on where a packet lands: here each lands by chance. A mirror's copies would not be recognised."""
    each = {frame.octets: frame for frame in frames_of_all_kinds(Random(3), 2000 // THIN)}
    frames = sorted(each.values(), key=lambda frame: frame.time_ns)
    burst = burst_of(Heard(f.octets, f.wirelen or len(f.octets), time_ns=f.time_ns) for f in frames)
    made = [Several(small(), workers) for workers in (1, 3)]
    rng = np.random.default_rng(1)
    for crew in made:
        crew.deal = lambda part, workers: rng.integers(0, workers, part.count)
        for start in range(0, burst.count, 500):
            some = burst.frames[start : start + 500]
            crew.play([burst._replace(frames=some, count=len(some))])
        crew.end()
    whole, merged = (crew.pipeline for crew in made)
    assert min(made[1].loads) > 10
    for name in ("tx_packets", "rx_packets", "tx_octets", "rx_octets", "arp_requests", "address_lo", "flags"):
        assert (merged.table.devices[name] == whole.table.devices[name]).all(), name
    for name in ("tx", "rx", "sizes", "gaps", "announcements", "dns_questions", "dns_failures"):
        assert (merged.table.stats[name] == whole.table.stats[name]).all(), name
    assert merged.cache.metered == whole.cache.metered
    records = [np.concatenate(crew.kept.records) for crew in made]
    sums = [sum(int(rows[f"{way}_octets"].sum()) for way in ("forward", "reverse")) for rows in records]
    assert sums[0] == sums[1]
    assert len(records[1]) > len(records[0])


def test_coarser_looks_count_every_frame() -> None:
    made = Several(small(), 2)
    frames = [hello(HOSTS[0]), hello(HOSTS[1]), *session((HOSTS[0], HOSTS[1]))]
    burst = burst_of(Heard(f.octets, len(f.octets), time_ns=f.time_ns) for f in frames)
    for detail in (Detail.FULL, Detail.HEADERS, Detail.TOTALS):
        made.detail = detail
        made.play([burst])
    made.end()
    counts = made.pipeline.frames
    assert counts.frames == 3 * len(frames)
    assert counts.ignored()["overload"] == len(frames)
    assert counts.processed + counts.verdicts[Verdict.DUPLICATE] == 2 * len(frames)


def test_slots_are_shared_out() -> None:
    slots = [flow_limits(Config(), workers).slots_max for workers in (1, 2, 3, 4)]
    assert slots == [131072, 65536, 65536, 32768], "powers of two; three have more than one would"


def test_a_pair_has_one_worker_whichever_way_it_talks() -> None:
    talk = Talk()
    talk.handshake()
    talk.tcp(2, SYN)
    assert len({share_of(frame.octets[:66], 4) for frame in talk.frames}) == 1
