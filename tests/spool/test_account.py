"""What became of every number."""

from pathlib import Path

from agent.spool.account import Account
from agent.spool.coverage import Coverage
from agent.spool.records import Lane
from agent.spool.segment import GRAVE_BYTES, Kind, frame, parse_name, segment_name
from agent.spool.survey import Survey
from agent.wire import body
from agent.wire.header import NO_PREVIOUS, Header
from agent.wire.types import MessageType

RUN, LATER = bytes(range(16)), bytes(range(16, 32))
NOTHING = Coverage()


def record(seq: int, run: bytes = RUN) -> bytes:
    return frame(Kind.RECORD, seq, run, "wardtap/receipt.v1", b"body-%d" % seq)


def gap(seq: int, first: int, last: int) -> bytes:
    header = Header("tap-1", "ward", "uplink", bytes(16), LATER, RUN, 9, seq, NO_PREVIOUS, 1, 1, "none", -1)
    content = {"stream": "uplink", "run": RUN, "ranges": [[first, last, "summary", "full"]]}
    return frame(Kind.RECORD, seq, LATER, MessageType.GAP, body.encode(MessageType.GAP, header, content))


def enter(books: Account, folder: Path, lane: Lane, first: int, content: bytes, run: bytes = RUN) -> None:
    path = folder / segment_name(1, lane, first, 0, run)
    path.write_bytes(content)
    segment = parse_name(path)
    assert segment is not None
    books.enter(Survey(segment))


def test_what_is_nowhere_is_missing(tmp_path: Path) -> None:
    books = Account()
    enter(books, tmp_path, Lane.BULK, 7, record(7) + frame(Kind.MARK, 8, RUN))
    enter(books, tmp_path, Lane.URGENT, 2, record(2) + record(3))
    assert books.ends[RUN] == 8
    assert books.lost(RUN, 8, Coverage([(4, 5)])) == [
        (1, 1, "unknown", "missing"),
        (6, 6, "unknown", "missing"),
        (8, 8, "unknown", "missing"),
    ]
    assert books.lost(RUN, 8, NOTHING, floor=8) == [(8, 8, "unknown", "missing")]
    assert books.lost(LATER, 0, NOTHING) == []


def test_damage_says_which_class(tmp_path: Path) -> None:
    books = Account()
    enter(books, tmp_path, Lane.BULK, 5, record(5))
    enter(books, tmp_path, Lane.BULK, 1, record(1) + record(2)[:-3])
    enter(books, tmp_path, Lane.URGENT, 3, record(3))
    assert books.lost(RUN, 5, NOTHING) == [(2, 2, "summary", "damaged"), (4, 4, "summary", "damaged")]


def test_what_a_gap_record_said_is_not_said_again(tmp_path: Path) -> None:
    books = Account()
    enter(books, tmp_path, Lane.URGENT, 1, gap(1, 2, 4) + frame(Kind.RECORD, 2, LATER, MessageType.GAP, b"?"), LATER)
    enter(books, tmp_path, Lane.BULK, 1, record(1))
    assert books.lost(RUN, 5, NOTHING) == [(5, 5, "unknown", "missing")]


def test_an_unread_segment_may_hold_what_looks_missing(tmp_path: Path) -> None:
    books = Account()
    enter(books, tmp_path, Lane.BULK, 7, record(7))
    unread = [parse_name(tmp_path / segment_name(1, lane, 1, 0, RUN)) for lane in (Lane.BULK, Lane.URGENT)]
    assert books.floor([segment for segment in unread[:1] if segment], 9) == 7
    assert books.floor([segment for segment in unread if segment], 9) == 10
    assert books.floor([], 9) == 1


def test_where_nothing_can_be_read_the_name_says_that_a_number_was_there(tmp_path: Path) -> None:
    """A segment given up on a full disk has one mark left; with that damaged, its name is the last witness."""
    books = Account()
    path = tmp_path / segment_name(1, Lane.BULK, 7, 0, RUN)
    path.write_bytes(bytes(GRAVE_BYTES))
    segment = parse_name(path, GRAVE_BYTES)
    assert segment is not None
    books.enter(Survey(segment))
    assert books.ends[RUN] == 7
    assert books.lost(RUN, 7, Coverage([(1, 6)])) == [(7, 7, "summary", "damaged")]
