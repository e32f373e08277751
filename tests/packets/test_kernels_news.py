"""Which hints are news, and what that may cost."""

from collections.abc import Iterator

import numpy as np
import pytest

from agent.packets import budgets, kernels_payload
from agent.packets import kernels_news as news
from agent.packets.records import HintKind
from tests.forge import tls
from tests.forge.ethernet import IPV4, ethernet, lldp
from tests.forge.ipv4 import TCP, UDP, Ipv4
from tests.forge.tcp import Tcp
from tests.forge.udp import Udp
from tests.simulators.bursts import HASHES, SECRET, Heard, burst_of, decode

pytestmark = HASHES
A, B, AM, BM = "10.1.0.5", "10.1.0.9", "00:d0:75:00:00:01", "d4:ae:52:00:00:02"
HELLO = tls.client_hello("ehr.example", bytes(32))


def stream(data: bytes, port: int = 50000, source: int = 40000) -> bytes:
    """A TCP frame with this payload."""
    return ethernet(BM, AM, IPV4, Ipv4(A, B, TCP).octets(Tcp(source, port, flags=24).octets(A, B, data)))


class Selection:
    """The state that `select_hints` keeps between bursts."""

    def __init__(self, left: int = 100, per_source: int = 100, places: int = 100) -> None:
        self.wanted = np.ones(max(HintKind) + 1, np.uint8)
        self.seen = np.zeros(1 << 12, np.uint64)
        self.per_source = np.zeros(1 << 8, np.int64)
        self.key = np.array(SECRET, np.uint64)
        self.per_kind = np.zeros((max(HintKind) + 1, 2), np.int64)
        self.budget = np.zeros(budgets.BUDGET_SIZE, np.int64)
        self.budget[[budgets.LEFT, budgets.PER_SOURCE_MAX, budgets.PER_KIND_MAX]] = left, per_source, 1000
        self.budget[[budgets.LOOKS_LEFT, budgets.LOOKS_PER_KIND_MAX]] = 10_000, 1000
        self.chosen = np.zeros((places, 3), np.int64)

    def take(self, *frames: bytes) -> list[bytes]:
        """The octets of the chosen payloads."""
        burst = burst_of(Heard(frame) for frame in frames)
        rows = decode(burst)
        kernels_payload.recognise_burst(rows, len(rows), burst.octets)
        n = news.select_hints(
            burst.frames, rows, np.arange(len(rows)), burst.octets, self.wanted, self.seen, self.per_source,
            self.per_kind, self.key, self.budget, self.chosen,
        )  # fmt: skip
        return [burst.octets[at : at + size].tobytes() for _, at, size in self.chosen[:n].tolist()]


@pytest.fixture
def selection() -> Iterator[Selection]:
    """With room for everything."""
    return Selection()


def test_news_is_the_payload_and_for_link_frames_the_frame(selection: Selection) -> None:
    announcement = lldp(AM, "1", "sw", "text")
    assert selection.take(stream(HELLO), announcement) == [HELLO, announcement]


def test_a_repeat_is_no_news(selection: Selection) -> None:
    assert len(selection.take(stream(HELLO), stream(HELLO))) == 1
    assert selection.take(stream(HELLO, 50001)) == []
    assert selection.budget[budgets.REPEATED] == 2
    other = stream(HELLO).replace(bytes.fromhex("00d075000001"), bytes.fromhex("00d075000002"))
    assert selection.take(other) == [HELLO], "another device says the same"


def test_a_difference_after_what_is_hashed_is_no_news(selection: Selection) -> None:
    base = b"GET /" + b"a" * 1000
    assert len(selection.take(stream(base), stream(base[:-1] + b"b"))) == 1
    assert len(selection.take(stream(base[:500] + b"b" + base[501:]))) == 1


def test_budget_is_kept_and_what_is_skipped_is_counted() -> None:
    selection = Selection(left=3)
    frames = [stream(b"GET /%d" % n) for n in range(10)]
    assert len(selection.take(*frames)) == 3
    assert selection.budget[budgets.SKIPPED] == 7
    assert selection.budget[budgets.LEFT] == 0
    selection.budget[budgets.LEFT] = 100
    assert len(selection.take(*frames)) == 7, "what was skipped is not remembered as seen"


def test_one_source_does_not_take_everybody_s_turn() -> None:
    selection = Selection(per_source=4)
    loud = [stream(b"GET /%d" % n) for n in range(50)]
    quiet = stream(b"GET /quiet").replace(bytes.fromhex("00d075000001"), bytes.fromhex("00d075000099"))
    told = selection.take(*loud, quiet)
    assert len(told) == 5
    assert told[-1] == b"GET /quiet"
    selection.per_source[:] = 0
    assert len(selection.take(*loud)) == 4


def test_places_are_a_bound() -> None:
    selection = Selection(places=2)
    assert len(selection.take(*(stream(b"GET /%d" % n) for n in range(5)))) == 2
    assert selection.budget[budgets.SKIPPED] == 3


def test_unwanted_kinds_are_left(selection: Selection) -> None:
    selection.wanted[HintKind.TLS_CLIENT] = 0
    assert selection.take(stream(HELLO)) == []
    assert selection.budget[[budgets.LEFT, budgets.SKIPPED, budgets.REPEATED, budgets.UNSEEN]].tolist() == [
        100,
        0,
        0,
        0,
    ]


def test_a_reader_sees_four_kilobytes_at_most(selection: Selection) -> None:
    (told,) = selection.take(stream(b"GET /" + b"a" * 9000))
    assert len(told) == budgets.HINT_OCTETS_MAX


def test_a_storm_past_its_budget_is_left_unseen_and_counted() -> None:
    selection = Selection(left=3)
    frames = [stream(b"GET /%d" % n) for n in range(2000)]
    selection.budget[budgets.LOOKS_PER_KIND_MAX] = 5000
    assert len(selection.take(*frames)) == 3
    assert selection.budget[budgets.SKIPPED] + selection.budget[budgets.UNSEEN] == 1997
    assert selection.per_kind[HintKind.HTTP_REQUEST, budgets.LOOKS] == budgets.LOOKS_WHEN_FULL


def test_repeats_alone_are_looked_at_up_to_the_looks_of_a_second() -> None:
    selection = Selection()
    selection.budget[budgets.LOOKS_PER_KIND_MAX] = 1500
    assert len(selection.take(*([stream(b"GET /")] * 2000))) == 1
    assert (selection.budget[budgets.REPEATED], selection.budget[budgets.UNSEEN]) == (1499, 500)
    selection.budget[budgets.LOOKS_LEFT] = 0
    selection.per_kind[:] = 0
    assert selection.take(stream(HELLO)) == []


def test_an_answer_counts_for_who_asked() -> None:
    selection = Selection(per_source=1)
    frames = [answered(n, b"%d" % n) for n in range(5)]
    assert len(selection.take(*frames)) == 5, "one server answers everybody"
    assert len(selection.take(*(answered(0, b"a%d" % n) for n in range(5)))) == 0


def answered(asker: int, name: bytes = b"") -> bytes:
    """A DNS answer to a card."""
    message = b"\0\1\x81\x80\0\1\0\0\0\0\0\0" + bytes([len(name) + 1]) + b"x" + name + b"\0\0\1\0\1"
    packet = Ipv4(B, A, UDP).octets(Udp(53, 40000).octets(B, A, message))
    return ethernet(f"00:d0:75:00:00:{asker:02x}", BM, IPV4, packet)
