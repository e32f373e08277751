"""Each rule of delivery by itself, in simulated time."""

from pathlib import Path

import pytest

from agent.clock import NS_PER_S, CaptureClock
from agent.errors import Refused
from agent.spool import reader
from agent.spool.coverage import Coverage
from agent.spool.reader import SpoolReader
from agent.spool.segment import read_segment
from agent.spool.writer import SpoolWriter
from agent.uplink.courier import PARK_AFTER_SENDS, RESENDS_BURST, RESENDS_PER_S, Courier
from agent.uplink.progress import Progress
from agent.uplink.records import Outgoing
from agent.uplink.sealer import Sealer
from agent.wire.delivery import Ack
from agent.wire.summary import Interval, Summary
from agent.wire.types import MessageType
from tests.faults.conftest import finding
from tests.simulators.kit import AGENT, SITE, Kit

WINDOW, RESEND_S = 4, 30.0


class Post:
    """A courier, its clock, and what it says to send."""

    def __init__(self, kit: Kit, spool: SpoolWriter, window: int = WINDOW) -> None:
        self.kit, self.spool, self.window = kit, spool, window
        self.clock = CaptureClock(NS_PER_S)
        self.again()

    def again(self) -> None:
        """As after a restart of the uplink."""
        self.progress = Progress(self.kit.state / "uplink" / "progress.json")
        folders = {"sensor": self.kit.state / "sensor" / "spool"}
        sealer = Sealer(AGENT, SITE, [self.kit.agent])
        self.courier = Courier(folders, sealer, self.progress, self.clock, window=self.window, resend_after_s=RESEND_S)

    def write(self, count: int, *, findings: bool = False) -> None:
        for number in range(count):
            if findings:
                self.spool.append(MessageType.FINDING, finding(number))
            else:
                self.spool.append(MessageType.SUMMARY, Summary(Interval(number, number + 1)).to_content())
        assert self.spool.flush(60)

    def seqs(self, room: int = 100) -> list[int]:
        return [out.key.seq for out in self.courier.due(room)]

    def ack(self, upto: int, *ranges: tuple[int, int]) -> None:
        self.courier.acknowledged(Ack(AGENT, SITE, self.spool.run, "sensor", upto, ranges, b""))


@pytest.fixture
def post(kit: Kit, spool: SpoolWriter) -> Post:
    return Post(kit, spool)


def test_no_more_than_the_window_is_unacknowledged(post: Post) -> None:
    post.write(10)
    assert post.seqs() == [1, 2, 3, 4]
    assert post.seqs() == []
    post.ack(2)
    assert post.seqs() == [5, 6]


def test_no_more_than_there_is_room(post: Post) -> None:
    post.write(10)
    assert post.seqs(room=3) == [1, 2, 3]
    assert post.seqs(room=0) == []


def test_findings_go_first_and_have_a_window_of_their_own(post: Post) -> None:
    post.write(6)
    assert post.seqs() == [1, 2, 3, 4]
    post.write(2, findings=True)
    assert post.seqs() == [7, 8]
    post.again()
    assert post.seqs() == [7, 8, 1, 2, 3, 4]


def test_what_is_not_acknowledged_goes_again_oldest_first_with_the_same_octets(post: Post) -> None:
    post.write(4)
    first = post.courier.due(100)
    post.ack(0, (2, 2))
    post.clock.sleep(RESEND_S - 1)
    assert post.seqs() == []
    post.clock.sleep(2)
    again = post.courier.due(100)
    assert [out.key.seq for out in again] == [1, 3, 4]
    assert {out.key: out.envelope for out in again}.items() <= {out.key: out.envelope for out in first}.items()


def test_a_broker_that_has_it_releases_nothing(post: Post) -> None:
    post.write(2)
    for out in post.courier.due(100):
        post.courier.at_broker(out.key)
    assert post.courier.waiting == 2
    post.clock.sleep(RESEND_S + 1)
    assert post.seqs() == [1, 2]


def test_a_new_link_sends_what_the_broker_never_had(post: Post) -> None:
    post.write(3)
    sent = post.courier.due(100)
    post.courier.at_broker(sent[0].key)
    post.clock.sleep(1)
    post.courier.link_up()
    assert post.seqs() == [2, 3]


def test_a_collector_that_rings_gets_the_rest_at_once(post: Post) -> None:
    post.write(3)
    post.seqs()
    post.clock.sleep(5)
    post.courier.hurry()
    assert post.seqs() == [1, 2, 3]


def test_a_collector_that_speaks_after_a_silence_gets_the_rest_at_once(post: Post) -> None:
    post.write(3)
    post.seqs()
    post.clock.sleep(RESEND_S + 1)
    assert post.seqs() == [1, 2, 3]
    post.clock.sleep(5)
    post.ack(1)
    assert post.seqs() == [2, 3]


def test_resends_are_rate_limited(kit: Kit, spool: SpoolWriter) -> None:
    post = Post(kit, spool, window=1000)
    post.write(400)
    assert len(post.seqs(1000)) == 400
    post.clock.sleep(RESEND_S + 1)
    assert len(post.seqs(1000)) == RESENDS_BURST
    post.clock.sleep(1)
    assert len(post.seqs(1000)) == RESENDS_PER_S


def test_a_record_nobody_acknowledges_does_not_hold_up_the_rest(post: Post) -> None:
    post.write(60)
    stuck = {1, 2, 3, 4}
    delivered: set[int] = set()
    for _ in range(80):
        delivered |= set(post.seqs()) - stuck
        if delivered:
            post.ack(0, *((seq, seq) for seq in sorted(delivered)))
        else:
            post.ack(0)  # it speaks, but not of these
        post.clock.sleep(RESEND_S + 1)
    assert delivered == set(range(5, 61))
    assert post.courier.waiting == len(stuck)
    assert PARK_AFTER_SENDS < 80


def test_an_acknowledgement_counts_even_where_the_progress_forgets_it(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More ranges lie beyond the front than are kept: what was just told must not be sent again for ever."""
    monkeypatch.setitem(Coverage.__init__.__kwdefaults__, "most", 8)
    for _ in range(30):
        post.write(1)
        post.write(1, findings=True)
    delivered: list[int] = []
    while fresh := [seq for seq in post.seqs() if seq % 2 == 0]:
        for seq in fresh:
            post.ack(0, (seq, seq))
        delivered += fresh
    assert delivered == list(range(2, 61, 2))
    assert post.courier.waiting == WINDOW, "the summaries that nobody acknowledged"


def test_after_a_restart_only_the_rest_is_sent(post: Post) -> None:
    post.write(6)
    post.seqs()
    post.ack(3)
    post.progress.save()
    post.again()
    assert post.seqs() == [4, 5, 6]


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_without_a_progress_file_everything_goes_again(post: Post, content: bytes | None) -> None:
    post.write(3)
    post.seqs()
    post.ack(3)
    post.progress.save()
    post.progress.path.unlink()
    if content is not None:
        post.progress.path.write_bytes(content)
    post.again()
    assert post.seqs() == [1, 2, 3]


def test_acknowledged_segments_are_not_even_read(kit: Kit, spool: SpoolWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    post = Post(kit, spool, window=1000)
    post.write(200)
    post.seqs(1000)
    post.ack(200)
    post.progress.save()
    post.again()
    read: list[Path] = []

    def watched(path: Path, offset: int = 0) -> bytes:
        read.append(path)
        return read_segment(path, offset)

    monkeypatch.setattr(reader, "read_segment", watched)
    assert post.seqs(1000) == []
    assert len(set(read)) == 1


def test_an_acknowledgement_beyond_what_was_sent_is_not_believed(post: Post) -> None:
    post.write(10)
    assert post.seqs(room=2) == [1, 2]
    post.ack(10_000, (20, 2**64 - 1))
    assert post.seqs() == [3, 4, 5, 6]


def test_resend_sends_once_more_what_was_acknowledged(post: Post) -> None:
    post.write(8)
    for _ in range(2):
        post.seqs()
        post.ack(8)
    assert post.seqs() == []
    post.courier.send_again("sensor", post.spool.run, 3, 5)
    assert post.seqs(room=2) == [3, 4]
    assert post.seqs() == [5]
    assert post.seqs() == []
    assert post.courier.waiting == 0


@pytest.mark.parametrize(
    ("stream", "first", "last"), [("other", 1, 2), ("sensor", 0, 1), ("sensor", 2, 1), ("sensor", 1, 10**6)]
)
def test_resend_refuses_nonsense(post: Post, stream: str, first: int, last: int) -> None:
    with pytest.raises(Refused):
        post.courier.send_again(stream, post.spool.run, first, last)


def test_what_may_not_be_signed_is_told_and_does_not_stall(post: Post) -> None:
    told: list[tuple[int, str]] = []
    post.courier._sealer = Sealer("another-tap", SITE, [post.kit.agent])
    post.courier.on_not_signed = lambda record, reason: told.append((record.seq, reason))
    post.write(6)
    assert post.seqs() == []
    assert told == [(seq, "wrong-agent") for seq in range(1, 7)]
    assert post.courier.waiting == 0
    assert post.courier.counts.not_signed == {"wrong-agent": 6}


def test_a_spool_that_comes_later_is_found(kit: Kit, tmp_path: Path) -> None:
    clock = CaptureClock(1)
    progress = Progress(tmp_path / "progress.json")
    folder = tmp_path / "later"
    courier = Courier({"sensor": folder}, Sealer(AGENT, SITE, [kit.agent]), progress, clock, window=4, resend_after_s=1)
    assert courier.due(10) == []
    assert list(SpoolReader(folder).records()) == []


def test_what_the_pipe_did_not_take_is_due_at_once(post: Post) -> None:
    post.write(1)
    (out,) = post.courier.due(10)
    assert isinstance(out, Outgoing)
    post.courier.unsent(out.key)
    assert post.seqs() == [1]
