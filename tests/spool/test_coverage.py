"""Interval sets against plain sets, and the hint file."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.spool.coverage import PROGRESS_BYTES_MAX, Coverage, progress_bytes, read_progress

RANGES = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 12)).map(lambda pair: (pair[0], sum(pair))), max_size=12)


@given(RANGES, st.integers(1, 70), st.integers(0, 20))
def test_agrees_with_a_set(ranges: list[tuple[int, int]], first: int, length: int) -> None:
    coverage = Coverage(ranges)
    plain = {seq for low, high in ranges for seq in range(low, high + 1)}
    asked = range(first, first + length + 1)
    assert coverage.covers(asked[0], asked[-1]) == plain.issuperset(asked)
    assert {seq for low, high in coverage.missing(asked[0], asked[-1]) for seq in range(low, high + 1)} == set(
        asked
    ) - plain
    assert coverage.highest == max(plain, default=0)
    assert coverage.upto == next(seq for seq in range(len(plain) + 1) if seq + 1 not in plain)
    pairs = coverage.ranges()
    assert all(before[1] + 1 < after[0] for before, after in pairwise(pairs))


def test_never_more_intervals_than_allowed() -> None:
    coverage = Coverage(((seq, seq) for seq in range(1, 100, 2)), most=10)
    assert len(coverage.ranges()) == 10
    assert coverage.highest == 19


def test_the_file_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    path.write_bytes(progress_bytes({"sensor": {b"r" * 16: Coverage([(1, 5), (8, 9)])}}))
    assert read_progress(path)["sensor"][b"r" * 16].ranges() == [(1, 5), (8, 9)]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"version":1}',
        b'{"version":1,"streams":{"sensor":{"zz":[]}}}',
        b'{"version":1,"streams":{"sensor":{"00":[[1]]}}}',
        b'{"version":1,"streams":[]}',
        b'{"version":2,"streams":{}}',
        b"[" * 100_000,
        b" " * (PROGRESS_BYTES_MAX + 1),
        json.dumps({"version": 1, "streams": {"sensor": {"00": [["a", "b"]]}}}).encode(),
    ],
)
def test_a_bad_file_is_only_no_hint(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "progress.json"
    path.write_bytes(content)
    assert read_progress(path) == {}


def test_a_missing_file_is_only_no_hint(tmp_path: Path) -> None:
    assert read_progress(tmp_path / "none") == {}
