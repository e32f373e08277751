"""Frames survive whatever happens around them."""

import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.spool.records import Lane
from agent.spool.segment import (
    HEAD_BYTES,
    MAGIC,
    Damage,
    Frame,
    Kind,
    frame,
    frames,
    list_segments,
    parse_name,
    read_segment,
    segment_name,
)

RUN = bytes(range(16))
THREE = [frame(Kind.RECORD, seq, RUN, "wardtap/finding.v1", bytes([seq]) * 40) for seq in (1, 2, 3)]


def intact(data: bytes) -> list[int]:
    return [item.seq for item in frames(data) if isinstance(item, Frame)]


def test_a_frame_comes_back_as_it_was() -> None:
    (item,) = frames(frame(Kind.RECORD, 2**64 - 1, RUN, "wardtap/gap.v1", b"body"))
    assert isinstance(item, Frame)
    assert (item.kind, item.seq, item.run, item.type, item.body) == (
        Kind.RECORD,
        2**64 - 1,
        RUN,
        "wardtap/gap.v1",
        b"body",
    )


def test_every_flipped_octet_costs_its_own_frame_only() -> None:
    whole = b"".join(THREE)
    edges = [len(THREE[0]), len(THREE[0]) * 2]
    for at in range(len(whole)):
        broken = bytearray(whole)
        broken[at] ^= 0x40
        hit = 1 + sum(at >= edge for edge in edges)
        assert intact(bytes(broken)) == [seq for seq in (1, 2, 3) if seq != hit], at


def test_a_file_cut_at_every_length_keeps_what_was_complete() -> None:
    whole = b"".join(THREE)
    for length in range(len(whole)):
        assert intact(whole[:length]) == [1, 2, 3][: length // len(THREE[0])]


def test_what_lies_between_is_named_with_its_place() -> None:
    found = list(frames(b"xx" + THREE[0] + b"junk" + THREE[1] + b"tail"))
    size = len(THREE[0])
    assert [item for item in found if isinstance(item, Damage)] == [
        Damage(0, 2),
        Damage(2 + size, 6 + size),
        Damage(6 + 2 * size, 10 + 2 * size),
    ]


def test_a_lying_length_does_not_swallow_its_neighbour() -> None:
    broken = bytearray(b"".join(THREE))
    broken[8:12] = b"\xff\xff\xff\xff"
    assert intact(bytes(broken)) == [2, 3]


def test_a_file_of_forged_heads_costs_bounded_work() -> None:
    """Each head claims the largest payload; without a budget this would hash gigabytes."""
    head = bytearray(frame(Kind.RECORD, 1, RUN))[:HEAD_BYTES]
    head[8:12] = (200_000).to_bytes(4, "big")
    data = bytes(head) * (1_000_000 // HEAD_BYTES)
    assert intact(data) == []


@given(st.binary(max_size=300))
def test_any_octets_are_read_without_error(data: bytes) -> None:
    covered = sum(item.end - item.start for item in frames(MAGIC + data))
    assert covered == len(data) + len(MAGIC)


def test_records_are_found_in_a_storm_of_random_octets() -> None:
    chance = random.Random(7)
    data = b"".join(chance.randbytes(chance.randrange(60)) + each for each in THREE * 50)
    assert intact(data) == [1, 2, 3] * 50


def test_names_come_back() -> None:
    name = segment_name(12, Lane.BULK, 345, 6, RUN)
    segment = parse_name(Path(name))
    assert segment is not None
    assert (segment.generation, segment.lane, segment.first_seq, segment.attempt, segment.run) == (12, "s", 345, 6, RUN)


@pytest.mark.parametrize("name", ["x.seg", "00000001-x-1.seg", "00000001-f-00000000000000000001-000-zz.seg", ".seg"])
def test_other_names_are_no_segments(name: str) -> None:
    assert parse_name(Path(name)) is None


def test_only_regular_files_are_listed(tmp_path: Path) -> None:
    names = [segment_name(1, Lane.URGENT, seq, 0, RUN) for seq in (1, 2, 3, 4)]
    (tmp_path / names[0]).write_bytes(THREE[0])
    (tmp_path / names[1]).mkdir()
    os.mkfifo(tmp_path / names[2])
    (tmp_path / names[3]).symlink_to(names[0])
    (tmp_path / "notes.txt").write_text("not ours")
    segments, foreign = list_segments(tmp_path)
    assert [segment.path.name for segment in segments] == names[:1]
    assert foreign == 3
    for name in names[1:]:
        with pytest.raises(OSError):
            read_segment(tmp_path / name)
