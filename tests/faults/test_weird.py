"""A million weird events (C13): what is written about them has a bound, and every one is counted by its reason."""

from pathlib import Path

import numpy as np
import pytest

from agent.packets.records import IGNORED_REASONS, Verdict
from agent.service.sensor import run
from tests.faults.test_floods import config
from tests.forge.pcap import Pcap
from tests.service.test_sensor import summaries
from tests.simulators.attacks import deep_frames, lying_headers
from tests.simulators.bursts import HASHES, THIN, Heard, burst_of, decode
from tests.simulators.floods import Table, octets_of, stacked
from tests.simulators.siege import START_S

pytestmark = [HASHES, pytest.mark.skipif(THIN > 1, reason="too long without the JIT")]
EVENTS = 1_000_000
SPAN_S = 3600  # they come within an hour
SAID_MAX = 10  # lines to the journal, beside how far the file is read
SPOOL_BYTES_MAX = 10 << 20  # an hour of summaries and findings


def weird() -> list[bytes]:
    """A frame of each kind of trouble: those that are refused, none that is metered."""
    frames = [frame for frame in (*lying_headers(), *deep_frames()) if len(frame) <= 128]
    verdicts = decode(burst_of(Heard(frame) for frame in frames))["verdict"].tolist()
    return [frame for frame, verdict in zip(frames, verdicts, strict=True) if verdict in IGNORED_REASONS]


def capture(table: Table) -> bytes:
    """A capture file of a table, its frames evenly over the span."""
    count, size = table.shape
    times_us = np.arange(count, dtype=np.int64) * (SPAN_S * 10**6 // count)
    heads = np.zeros((count, 16 + size), np.uint8)
    fields = (START_S + times_us // 10**6, times_us % 10**6, np.full(count, size), np.full(count, size))
    for column, values in enumerate(fields):
        heads[:, 4 * column : 4 * column + 4] = octets_of(values, 4)[:, ::-1]
    heads[:, 16:] = table
    return Pcap().octets([]) + heads.tobytes()


def test_a_million_weird_events_are_counted_and_not_written_down(tmp_path: Path) -> None:
    frames = weird()
    assert len(frames) >= 10
    table = stacked(frames, -(-EVENTS // len(frames)))[:EVENTS]
    path, state, said = tmp_path / "weird.pcap", tmp_path / "state", list[str]()
    path.write_bytes(capture(table))
    assert run(config(), state, [path], say=said.append) == 0
    truth = np.bincount(decode(burst_of(Heard(bytes(row)) for row in table[: len(frames)]))["verdict"], minlength=9)
    whole, rest = divmod(EVENTS, len(frames))
    first = np.bincount(decode(burst_of(Heard(bytes(row)) for row in table[:rest]))["verdict"], minlength=9)
    told = summaries(state)
    assert sum(one.processed for one in told) == 0
    for verdict, reason in IGNORED_REASONS.items():
        counted = sum(one.ignored.get(reason, 0) for one in told)
        assert counted == whole * truth[verdict] + first[verdict], Verdict(verdict).name
    assert len([line for line in said if " of capture, " not in line]) <= SAID_MAX
    spool = sum(file.stat().st_size for file in (state / "sensor" / "spool").rglob("*") if file.is_file())
    assert spool <= SPOOL_BYTES_MAX
