"""Captures to exact flow records, byte for byte."""

import json
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from tests.golden.flows import make
from tests.simulators.bursts import HASHES, THIN

pytestmark = [HASHES, pytest.mark.skipif(THIN > 1, reason="too long without the JIT")]
AGAIN = "if this is meant: python -m tests.golden.flows.make, and say why in the commit"
PAGE = Path(__file__).with_name("README.md").read_text(encoding="utf-8")


def stored(name: str) -> list[dict[str, Any]]:
    """The committed records, as anybody would read them."""
    return [json.loads(line) for line in make.stored(name).decode().splitlines()]


@pytest.mark.parametrize("name", make.CAPTURES)
def test_exact_octets(name: str) -> None:
    told, wanted = make.records(make.CAPTURES[name]), make.stored(name)
    for number, (now, then) in enumerate(zip_longest(told.splitlines(), wanted.splitlines()), 1):
        assert now == then, f"record {number} of {name}; {AGAIN}"
    assert told == wanted


@pytest.mark.parametrize("name", make.CASES)
def test_the_capture_is_the_one_that_is_forged(name: str) -> None:
    assert make.CAPTURES[name].read_bytes() == make.capture(name), AGAIN


def test_nothing_else_lies_here() -> None:
    files = {path.name for path in make.HERE.iterdir() if path.suffix in {".pcap", ".jsonl", ".gz"}}
    assert files == {make.place(name).name for name in make.CAPTURES} | {f"{name}.pcap" for name in make.CASES}
    assert all(f"| `{name}` |" in PAGE for name in make.CASES)


def packets(name: str) -> list[tuple[int, int]]:
    """Packets each way of every record."""
    return [(record["forward_packets"], record["reverse_packets"]) for record in stored(name)]


def test_what_the_page_says_is_in_them() -> None:
    ways = [record["originator_by"] for record in stored("both-directions")]
    assert ways == ["initiator", "learned", "port", "first-seen"]
    vlans = {(record["vlan"], record["vlan_inner"]) for record in stored("vlans")}
    assert vlans == {(None, None), (5, None), (6, None), (5, 7), (6, 7)}
    assert [record["protocol"] for record in stored("through-tunnels")] == [6, 17, 47]
    assert [record["end_reason"] for record in stored("timeouts")] == [2, 1, 1, 2, 4]
    assert [record["forward_resent_octets"] for record in stored("resent")] == [250]
    assert packets("copies") == [(3, 0)]
    assert sorted(packets("icmp-pairs")) == [(1, 0)] * 4 + [(1, 1)] * 6
    assert len({record["community_id"] for record in stored("icmp-pairs")}) == 10
    assert {record["responder_port"] for record in stored("other-protocols")} == {2905, 0}
