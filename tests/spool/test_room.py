"""What goes first when space is needed."""

from pathlib import Path

from agent.spool.coverage import Coverage
from agent.spool.records import Lane
from agent.spool.room import Need, Victim, choose, gap_contents, held_seqs, victim_ranges
from agent.spool.segment import Kind, frame, list_segments, parse_name, segment_name
from agent.wire import body
from agent.wire.delivery import GAP, GAP_RANGES_MAX
from agent.wire.header import NO_PREVIOUS, Header
from agent.wire.types import MessageType

RUN, OLD = bytes(range(16)), bytes(range(16, 32))


def lay(folder: Path, lane: Lane, run: bytes, *seqs: int, generation: int = 2) -> Path:
    path = folder / segment_name(generation, lane, seqs[0], 0, run)
    records = [frame(Kind.RECORD, seq, run, "wardtap/gap.v1", bytes(80)) for seq in seqs]
    path.write_bytes(b"".join(records) + frame(Kind.MARK, seqs[-1], run))
    return path


def order(folder: Path, acknowledged: dict[bytes, Coverage] | None = None, keep: Path | None = None) -> list[Path]:
    """Which go, one after another, if ever more is needed."""
    segments, _ = list_segments(folder)
    return [victim.segment.path for victim in choose(segments, [keep], acknowledged or {}, Need(1 << 40))]


def test_oldest_summaries_first_findings_last(tmp_path: Path) -> None:
    old = lay(tmp_path, Lane.URGENT, OLD, 1, 2, generation=1)
    summaries = [lay(tmp_path, Lane.BULK, RUN, seq, seq + 2) for seq in (1, 10, 20)]
    older = lay(tmp_path, Lane.BULK, OLD, 3, generation=1)
    finding = lay(tmp_path, Lane.URGENT, RUN, 2, 4)
    assert order(tmp_path) == [older, *summaries, old, finding]
    assert finding not in order(tmp_path, keep=finding)


def test_acknowledged_ones_before_all_others(tmp_path: Path) -> None:
    first, second, third = (lay(tmp_path, Lane.BULK, RUN, seq, seq + 1) for seq in (1, 3, 5))
    finding = lay(tmp_path, Lane.URGENT, OLD, 1, 2, generation=1)
    acknowledged = {OLD: Coverage([(1, 2)]), RUN: Coverage([(3, 4)])}
    assert order(tmp_path, acknowledged) == [finding, second, first, third]


def test_no_more_than_needed(tmp_path: Path) -> None:
    for seq in (1, 3, 5):
        lay(tmp_path, Lane.BULK, RUN, seq, seq + 1)
    segments, _ = list_segments(tmp_path)
    assert len(choose(segments, [], {}, Need(1))) == 1
    assert len(choose(segments, [], {}, Need(segments[0].size_bytes + 1))) == 2
    assert choose(segments, [], {}, Need(0)) == []


def test_what_is_given_up_is_what_nobody_has(tmp_path: Path) -> None:
    lay(tmp_path, Lane.BULK, RUN, 1, 2, 3, 7, 9)
    segments, _ = list_segments(tmp_path)
    victims = choose(segments, [], {RUN: Coverage([(2, 7)])}, Need(1))
    assert victim_ranges(victims, "full") == {RUN: [(1, 1, "summary", "full"), (9, 9, "summary", "full")]}
    assert not victims[0].acknowledged


def held(folder: Path, path: Path, durable_seq: int | None = None) -> dict[bytes, list[tuple[int, int]]]:
    segments, _ = list_segments(folder)
    one = next(segment for segment in segments if segment.path == path)
    return {run: coverage.ranges() for run, coverage in held_seqs(one, segments, durable_seq).items()}


def test_what_was_written_again_lies_elsewhere(tmp_path: Path) -> None:
    path = lay(tmp_path, Lane.BULK, RUN, 1, 2)
    path.write_bytes(path.read_bytes() + frame(Kind.RECORD, 3, RUN, "wardtap/gap.v1", b""))
    assert held(tmp_path, path, durable_seq=2) == {RUN: [(1, 2)]}  # 3 waits in memory
    lay(tmp_path, Lane.BULK, RUN, 3, 4)
    assert held(tmp_path, path) == {RUN: [(1, 2)]}


def test_a_record_whose_mark_is_lost_is_a_record(tmp_path: Path) -> None:
    path = lay(tmp_path, Lane.BULK, RUN, 1, 2)
    path.write_bytes(path.read_bytes()[:-1])
    lay(tmp_path, Lane.BULK, RUN, 3, 4)
    assert held(tmp_path, path) == {RUN: [(1, 2)]}


def test_what_a_damaged_place_held_goes_with_its_file(tmp_path: Path) -> None:
    path = lay(tmp_path, Lane.BULK, RUN, 1, 2, 4, 5)
    lay(tmp_path, Lane.URGENT, RUN, 3)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1  # in the record 4
    path.write_bytes(content)
    assert held(tmp_path, path) == {RUN: [(1, 2), (4, 5)]}


def test_summaries_alone_can_be_asked_for(tmp_path: Path) -> None:
    lay(tmp_path, Lane.URGENT, OLD, 1, 2, generation=1)
    summary = lay(tmp_path, Lane.BULK, RUN, 1, 3)
    segments, _ = list_segments(tmp_path)
    victims = choose(segments, [], {}, Need(1 << 40, (Lane.BULK,)))
    assert [victim.segment.path for victim in victims] == [summary]


def test_a_segment_that_cannot_be_read_declares_nothing(tmp_path: Path) -> None:
    one = parse_name(tmp_path / segment_name(1, Lane.BULK, 1, 0, RUN))
    assert one is not None
    assert held_seqs(one, []) == {}


def test_many_ranges_make_several_gap_records(tmp_path: Path) -> None:
    rows = [(seq, seq, "summary", "full") for seq in range(1, 2 * GAP_RANGES_MAX, 2)] * 3
    contents = list(gap_contents("sensor", {RUN: rows}))
    assert len(contents) == 3
    for content in contents:
        GAP.check(content, "gap")


def test_what_a_gap_record_said_is_said_again_when_it_goes(tmp_path: Path) -> None:
    header = Header("tap-1", "ward", "uplink", bytes(16), RUN, b"", 0, 1, NO_PREVIOUS, 1, 1, "none", -1)
    content = {"stream": "uplink", "run": OLD, "ranges": [[4, 6, "summary", "full"]]}
    octets = body.encode(MessageType.GAP, header, content)
    path = tmp_path / segment_name(2, Lane.URGENT, 1, 0, RUN)
    path.write_bytes(frame(Kind.RECORD, 1, RUN, MessageType.GAP, octets))
    segments, _ = list_segments(tmp_path)
    (victim,) = choose(segments, [], {}, Need(1))
    assert victim_ranges([victim], "full") == {
        RUN: [(1, 1, "finding", "full")],
        OLD: [(4, 6, "summary", "full")],
    }
    (delivered,) = choose(segments, [], {RUN: Coverage([(1, 1)])}, Need(1))
    assert delivered.acknowledged


def test_too_many_rows_lose_their_class_before_their_numbers(tmp_path: Path) -> None:
    lay(tmp_path, Lane.BULK, RUN, 1)
    (segment,), _ = list_segments(tmp_path)
    rows = [(seq, seq, ("summary", "finding")[seq % 2], "full") for seq in range(1, GAP_RANGES_MAX + 3)]
    victim = Victim(segment, {}, {RUN: rows})
    assert victim_ranges([victim], "full") == {RUN: [(1, GAP_RANGES_MAX + 2, "unknown", "several")]}
