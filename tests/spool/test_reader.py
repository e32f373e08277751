"""Every intact record comes out, whatever was done to the files; the rest is counted."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.spool.reader import LaneReader, SpoolReader
from agent.spool.records import Lane, SpoolLimits, SpoolRecord
from agent.spool.segment import Frame, Kind, frame, frames, list_segments, segment_name
from tests.spool.conftest import Open, bulk, urgent

TINY = SpoolLimits(segment_bytes=2048, gather_bulk_s=0.01, gather_urgent_s=0.001)
RUN = bytes(range(16))


@pytest.fixture
def filled(folder: Path, open_spool: Open) -> Path:
    """Several segments in both lanes, closed."""
    writer = open_spool(TINY)
    for number in range(60):
        (urgent if number % 3 else bulk)(writer)
        if number % 5 == 0:
            writer.flush()
    writer.close()
    return folder


def bodies(folder: Path) -> set[bytes]:
    return {record.body for record in SpoolReader(folder, "uplink").records()}


def segments(folder: Path, lane: Lane = Lane.URGENT) -> list[Path]:
    return [segment.path for segment in list_segments(folder)[0] if segment.lane is lane]


def records_in(path: Path) -> list[Frame]:
    return [item for item in frames(path.read_bytes()) if isinstance(item, Frame) and item.kind is Kind.RECORD]


def test_poll_gives_each_once_and_what_comes_later(folder: Path, open_spool: Open) -> None:
    reader = SpoolReader(folder, "uplink")
    assert reader.poll() == []
    writer = open_spool(TINY)
    found: list[int] = []
    for _ in range(50):
        urgent(writer)
        writer.flush()
        found.extend(record.seq for record in reader.poll())
    assert found == list(range(1, 51))
    assert reader.poll() == []


def test_records_go_on_behind_a_position(filled: Path) -> None:
    reader = SpoolReader(filled, "uplink")
    everything = [record for record in reader.records() if record.lane is Lane.URGENT]
    for at in (0, 7, len(everything) - 1):
        rest = list(reader.records(everything[at].position))
        assert rest == everything[at + 1 :]


def test_a_position_whose_segment_is_gone_goes_on_at_the_next(filled: Path) -> None:
    reader = SpoolReader(filled, "uplink")
    first = next(record for record in reader.records() if record.lane is Lane.URGENT)
    path = filled / first.position.segment
    gone = {item.seq for item in records_in(path)}
    path.unlink()
    assert gone.isdisjoint(record.seq for record in reader.records(first.position))


def test_a_segment_deleted_while_it_is_read_is_passed_over(filled: Path) -> None:
    reader = LaneReader(filled, "uplink", Lane.URGENT)
    reader.poll(1)
    for path in segments(filled)[:2]:
        path.unlink()
    rest = [record.seq for record in iter_all(reader)]
    assert rest
    assert rest[-1] == max(
        record.seq for record in SpoolReader(filled, "uplink").records() if record.lane is Lane.URGENT
    )


def iter_all(reader: LaneReader) -> list[SpoolRecord]:
    found: list[SpoolRecord] = []
    while batch := reader.poll(16):
        found.extend(batch)
    return found


def test_what_is_not_durable_is_not_handed_out(folder: Path) -> None:
    folder.mkdir(parents=True)
    path = folder / f"00000001-f-{1:020d}-000-{RUN.hex()}.seg"
    records = [frame(Kind.RECORD, seq, RUN, "wardtap/gap.v1", b"x") for seq in (1, 2, 3)]
    path.write_bytes(records[0])
    reader = LaneReader(folder, "uplink", Lane.URGENT)
    assert reader.poll(9) == []
    path.write_bytes(records[0] + frame(Kind.MARK, 1, RUN) + records[1] + records[2][:20])
    assert [record.seq for record in reader.poll(9)] == [1]
    path.write_bytes(records[0] + frame(Kind.MARK, 1, RUN) + b"".join(records[1:]) + frame(Kind.MARK, 3, RUN))
    assert [record.seq for record in reader.poll(9)] == [2, 3]
    assert reader.counts.damaged_regions == 0


def test_a_damaged_mark_holds_nothing_up_once_a_later_segment_has_one(folder: Path) -> None:
    folder.mkdir(parents=True)
    first, second = (folder / f"00000001-f-{seq:020d}-000-{RUN.hex()}.seg" for seq in (1, 2))
    broken = bytearray(frame(Kind.MARK, 1, RUN))
    broken[30] ^= 1
    first.write_bytes(frame(Kind.RECORD, 1, RUN, "wardtap/gap.v1", b"x") + broken)
    reader = LaneReader(folder, "uplink", Lane.URGENT)
    assert reader.poll(9) == []
    second.write_bytes(frame(Kind.RECORD, 2, RUN, "wardtap/gap.v1", b"x") + frame(Kind.MARK, 2, RUN))
    assert [record.seq for record in reader.poll(9)] == [1, 2]


def test_every_flipped_octet_of_a_segment_costs_at_most_one_record(filled: Path, open_spool: Open) -> None:
    open_spool(TINY).close()  # the run is over: everything intact may be handed out
    path = segments(filled)[1]
    whole, everything = path.read_bytes(), bodies(filled)
    for at in range(0, len(whole), 13):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :])
        lost = everything - bodies(filled)
        assert len(lost) <= 1
    path.write_bytes(whole)
    assert bodies(filled) == everything


def test_cut_at_every_length_the_beginning_is_there(filled: Path, open_spool: Open) -> None:
    open_spool(TINY).close()
    path = segments(filled)[1]
    whole, everything, here = path.read_bytes(), bodies(filled), records_in(path)
    for length in range(0, len(whole), 23):
        path.write_bytes(whole[:length])
        expected = everything - {item.body for item in here if item.end > length}
        assert bodies(filled) == expected


def swap(paths: list[Path]) -> None:
    paths[1].rename(paths[1].with_suffix(".tmp"))
    paths[2].rename(paths[1])
    paths[1].with_suffix(".tmp").rename(paths[2])


def duplicate(paths: list[Path]) -> None:
    shutil.copy(paths[1], paths[1].with_name(paths[1].name.replace("-000-", "-001-")))


def wrap_in_noise(paths: list[Path]) -> None:
    noise = random.Random(3).randbytes(500)
    paths[1].write_bytes(noise + paths[1].read_bytes() + noise)


@pytest.mark.parametrize("harm", [swap, duplicate, wrap_in_noise])
def test_moved_copied_or_padded_segments_lose_nothing(
    filled: Path, open_spool: Open, harm: Callable[[list[Path]], None]
) -> None:
    open_spool(TINY).close()
    everything = bodies(filled)
    harm(segments(filled))
    assert bodies(filled) == everything


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe_instead(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link_instead(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


@pytest.mark.parametrize("harm", [Path.unlink, zero, folder_instead, pipe_instead, link_instead])
def test_a_segment_that_is_none_any_more_costs_only_itself(
    filled: Path, open_spool: Open, harm: Callable[[Path], None]
) -> None:
    open_spool(TINY).close()
    path = segments(filled)[1]
    expected = bodies(filled) - {item.body for item in records_in(path)}
    harm(path)
    assert bodies(filled) == expected
    writer = open_spool(TINY)
    urgent(writer)
    assert writer.flush(60), "the owner starts and writes all the same"


def test_damage_is_counted(filled: Path, open_spool: Open) -> None:
    open_spool(TINY).close()
    path = segments(filled)[1]
    here = records_in(path)
    whole = bytearray(path.read_bytes())
    for item in (here[0], here[2]):
        whole[item.end - 1] ^= 1
    path.write_bytes(bytes(whole))
    reader = SpoolReader(filled, "uplink")
    while reader.poll():
        pass
    assert reader.counts.damaged_regions == 2
    assert reader.counts.damaged_bytes == sum(item.end - item.start for item in (here[0], here[2]))


def test_random_harm_never_stops_it(filled: Path, open_spool: Open) -> None:
    chance = random.Random(1)
    open_spool(TINY).close()
    for _ in range(60):
        path = chance.choice(segments(filled, chance.choice(list(Lane))))
        data = bytearray(path.read_bytes())
        for _ in range(chance.randrange(1, 6)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(bytes(data[: chance.randrange(len(data) + 1)] if chance.random() < 0.2 else data))
        list(SpoolReader(filled, "uplink").records())
    writer = open_spool(TINY)
    urgent(writer)
    assert writer.flush(60)


def test_a_run_that_begins_later_in_one_lane_is_not_overlooked(folder: Path) -> None:
    """The other lane shows that a new run is there; this lane's reader looks, finds nothing, and must look again."""
    folder.mkdir(parents=True)
    old, new = bytes(16), bytes(range(16))

    def lay(generation: int, lane: Lane, run: bytes) -> None:
        path = folder / segment_name(generation, lane, 1, 0, run)
        path.write_bytes(frame(Kind.RECORD, 1, run, "wardtap/gap.v1", b"x") + frame(Kind.MARK, 1, run))

    lay(1, Lane.BULK, old)
    reader = LaneReader(folder, "uplink", Lane.BULK)
    assert [record.run for record in reader.poll(9)] == [old]
    lay(2, Lane.URGENT, new)
    assert reader.poll(9) == []
    lay(2, Lane.BULK, new)
    assert [record.run for record in reader.poll(9)] == [new]
