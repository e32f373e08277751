"""covert-channel: what uses the ports of DNS, NTP, ICMP and is none; what clocks, resolvers and pings do is silent."""

from pathlib import Path

import numpy as np
import pytest

from agent.findings.detectors import covert_channel
from agent.findings.detectors.covert_channel import TOLD_MAX
from agent.findings.records import Finding, Rows, Severity
from agent.findings.windows import Count, EdgeKey
from agent.packets.records import Application
from tests.findings.bench import IN, Bench
from tests.findings.recorded import found_in

PUBLIC = "203.0.113.53"


def minutes(bench: Bench, device: int, port: int, count: int = 3, peer: str = PUBLIC, **fields: int) -> list[Finding]:
    """The same counts in some intervals."""
    said: list[Finding] = []
    for _ in range(count):
        row: Rows = bench.edge(device, peer, port, **fields)
        said += [found for found in bench.interval([row]) if found.id == "covert-channel"]
    return said


def datagrams(sent: int, octets: int, got: int = 0, octets_got: int = 0, protocol: int = 17) -> dict[str, int]:
    """Counts of an interval, with mean payloads; 28 octets of headers are added."""
    return {
        "protocol": protocol,
        "packets_out": sent,
        "packets_in": got,
        "octets_out": sent * (octets + 28),
        "octets_in": got * (octets_got + 28),
    }


def test_what_a_glance_leaves_out_is_odd_to_no_judge() -> None:
    rng = np.random.default_rng(1)
    totals = (2 ** rng.uniform(0, 20, (20_000, 4))).astype(np.int64)
    totals[:, 2:] += 28 * totals[:, :2]
    passed = covert_channel._may_be_odd(totals)
    assert 0 < np.count_nonzero(passed) < len(totals)
    for protocol, port in ((17, 53), (6, 53), (17, 123), (1, 13 << 8), (58, 129 << 8)):
        judge, _ = covert_channel._JUDGES.get((protocol, port)) or covert_channel._JUDGES[protocol, None]
        key = EdgeKey(1, 0, protocol, port, 0, 0xFFFF_0A01_0101)
        for row in totals[~passed]:
            assert not judge(key, covert_channel._Sums(*map(int, row), 28))


def test_totals_are_those_of_all_intervals() -> None:
    counts = [Count(n, 1, 2 * n, 3 * n, 5 * n, 7 * n, n) for n in range(1, 5)]
    key, row = EdgeKey(1, 0, 17, 53, 0, 1), np.zeros(1)[0]
    windows = [(row, key, counts[:1]), (row, key, counts), (row, key, counts[2:])]
    assert covert_channel._totals(windows).tolist() == [[2, 3, 5, 7], [20, 30, 50, 70], [14, 21, 35, 49]]
    assert covert_channel._totals([]).shape == (0, 4)


@pytest.mark.parametrize(
    ("role", "severity"), [("infusion-pump", Severity.PAGE), ("office-workstation", Severity.REVIEW)]
)
def test_what_is_no_question(bench: Bench, role: str, severity: Severity) -> None:
    (found,) = minutes(bench, bench.add(role), 53, **datagrams(40, 300, 40, 300))
    assert found.severity is severity
    assert f"sent what looks like DNS to {PUBLIC} and is not: 80 datagrams of 300 octets on average" in found.sentence
    assert found.attack == ("T1095", "T1572", "T1048.003")


@pytest.mark.parametrize(
    ("port", "counts", "words"),
    [
        (53, datagrams(400, 1200, 300, 60, protocol=6), "like DNS"),
        (123, datagrams(60, 400, 60, 48), "like NTP"),
        (123, datagrams(60, 48, 60, 468), "like NTP"),
        (13 << 8, datagrams(60, 64, 60, 64, protocol=1), "like ICMP"),
        (0, datagrams(60, 64, protocol=1), "like ICMP"),
        (200 << 8, datagrams(60, 64, 5, 64, protocol=58), "like ICMPv6"),
    ],
)
def test_other_carriers(bench: Bench, port: int, counts: dict[str, int], words: str) -> None:
    said = minutes(bench, bench.add("unknown"), port, **counts)
    assert len(said) == 1
    assert words in said[0].sentence


@pytest.mark.parametrize(
    ("port", "counts"),
    [
        (53, datagrams(2000, 62, 2000, 400)),  # a busy resolver; answers may be long
        (53, datagrams(10, 400, 10, 60)),  # a few long ones
        (53, datagrams(40, 60, 900, 1300, protocol=6)),  # a zone that is fetched
        (123, datagrams(200, 48, 200, 48)),  # a server of time for a ward
        (123, datagrams(200, 68, 200, 68)),  # with a digest
        (123, datagrams(4, 300, 4, 300)),  # a client that signs (NTS)
        (8 << 8, datagrams(300, 1400, 300, 1400, protocol=1)),  # a large ping, which icmp-tunnel looks at
        (0, datagrams(60, 64, 60, 64, protocol=1)),  # a ping that began before the tap did
        (3 << 8, datagrams(500, 200, protocol=1)),  # errors
        (135 << 8, datagrams(500, 64, 500, 64, protocol=58)),  # neighbours
        (5353, datagrams(500, 900)),
    ],
)
def test_what_clocks_resolvers_and_pings_do(bench: Bench, port: int, counts: dict[str, int]) -> None:
    assert not minutes(bench, bench.add("infusion-pump"), port, count=8 if counts["packets_out"] > 10 else 3, **counts)


def test_one_minute_the_other_side_and_a_gateway(bench: Bench) -> None:
    pump, router = bench.add("infusion-pump"), bench.add("network-gear", gateway=True)
    odd = datagrams(900, 300, 900, 300)
    assert not minutes(bench, pump, 53, count=1, **odd)
    assert not minutes(bench, pump, 53, direction=IN, **odd)
    assert not minutes(bench, router, 53, **odd)
    assert not minutes(bench, pump, 53, peer="224.0.0.251", **odd)


def test_what_a_tunnel_in_names_explains_is_part_of_it(bench: Bench) -> None:
    desk = bench.add("unknown")
    for number in range(14):
        words = (("dns.asks", f"c.{number}.ns.example.com"), ("dns.type", "NULL"))
        bench.judge(remarks=[bench.remark(desk, desk, *words)])
    assert not minutes(bench, desk, 53, application=int(Application.DNS), **datagrams(40, 300, 40, 300))


def test_nothing_sent_is_nothing(bench: Bench) -> None:
    assert not minutes(bench, bench.add("unknown"), 53, **datagrams(0, 0))


@pytest.mark.captures
@pytest.mark.parametrize("capture", ["threats/icmp_tunnel.pcap", "benign/mixed_lan_cesnet.pcap", "benign/reddit.pcap"])
def test_captures_in_which_there_is_none(captures: Path, capture: str) -> None:
    assert "covert-channel" not in {found.id for found in found_in(captures / capture)}


def test_hundreds_at_once_are_counted_and_the_loudest_are_told(bench: Bench) -> None:
    device, said = bench.add("office-workstation"), []
    for _ in range(2):
        rows = [bench.edge(device, f"203.0.113.{n}", 53, **datagrams(40 + n, 300)) for n in range(1, TOLD_MAX + 10)]
        said += [found for found in bench.interval(rows) if found.id == "covert-channel"]
    assert f"203.0.113.{TOLD_MAX + 9} " in said[0].sentence
    (rest,) = (found for found in said if found.cause == "covert-channel|too-many")
    assert rest.count == 9
    assert "within one interval" in rest.sentence
