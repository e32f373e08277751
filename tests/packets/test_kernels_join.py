"""Messages in several segments: joined in order, bounded, told once."""

from random import Random

import numpy as np
import pytest

from agent.flows.cache import FlowCache, FlowLimits
from agent.packets import kernels_join as join
from agent.packets import kernels_news
from agent.packets.budgets import HINT_OCTETS_MAX, HINTS_PER_KIND
from agent.packets.decoder import Decoder
from agent.packets.hints import READERS
from agent.packets.news import Heard as Rows
from agent.packets.news import Hint, News
from agent.packets.records import HintKind as Kind
from tests.forge import dicom
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.ipv4 import TCP, Ipv4
from tests.forge.tcp import Tcp
from tests.packets.hints.test_tls import CHROME, extension, hello
from tests.simulators.bursts import HASHES, SECRET, THIN, Heard, burst_of

pytestmark = HASHES
A, B, BM = "10.1.0.5", "10.1.0.9", "d4:ae:52:00:00:02"
LONG = hello([0x1301], extension(0, b"\0\6\0\0\3ehr") + extension(0x33, bytes(1800)) + extension(0x2B, b"\2\3\4"))
HEAD = b"GET / HTTP/1.1\r\nCookie: " + b"c" * 1800 + b"\r\nUser-Agent: late/1\r\n\r\n"
ASSOCIATION = dicom.associate_request(("A", "B"), [f"{dicom.CT_IMAGE}.{n}" for n in range(40)], ("1.2.3", "LATE"))
MESSAGES = {Kind.TLS_CLIENT: LONG, Kind.HTTP_REQUEST: HEAD, Kind.DICOM: ASSOCIATION}


class Ear:
    """A decoder with the flow hashes that the pipeline gives it."""

    def __init__(self) -> None:
        self.decoder, self.news = Decoder(), News(SECRET, READERS)
        self.cache = FlowCache(FlowLimits(), SECRET)
        self.second = 0

    def hear(self, *frames: bytes) -> list[Hint]:
        """What one burst tells."""
        told: list[Hint] = []
        rows = self.decoder.buffer()
        decoded = self.decoder.decode(burst_of(map(Heard, frames)), rows)
        self.cache.hash(rows, decoded.count)
        heard = Rows(decoded.burst.frames, rows, decoded.burst.octets)
        self.news.tell(heard, np.arange(decoded.count), self.second, told.append)
        return told


@pytest.fixture
def ear() -> Ear:
    """Of a fresh sensor."""
    return Ear()


def segment(data: bytes, seq: int, port: int = 40000, *, card: int = 1) -> bytes:
    """A part of a stream."""
    octets = Tcp(port, 443, seq & 0xFFFFFFFF, flags=24).octets(A, B, data)
    packet = Ipv4(A, B, TCP, ident=seq & 0xFFFF).octets(octets)
    return ethernet(BM, f"00:d0:75:00:{card >> 8:02x}:{card & 255:02x}", IPV4, packet)


def parts(data: bytes, size: int = 700, seq: int = 1000, port: int = 40000) -> list[bytes]:
    """A message in segments."""
    return [segment(data[i : i + size], seq + i, port) for i in range(0, len(data), size)]


@pytest.mark.parametrize("kind", MESSAGES)
@pytest.mark.parametrize("together", [True, False])
def test_the_first_part_is_told_at_once_and_the_whole_when_it_is_whole(ear: Ear, kind: Kind, together: bool) -> None:
    pieces = parts(MESSAGES[kind])
    told = ear.hear(*pieces) if together else [hint for piece in pieces for hint in ear.hear(piece)]
    assert [hint.kind for hint in told] == [kind, kind]
    assert told[0].payload == MESSAGES[kind][:700]
    assert told[1].payload == MESSAGES[kind]
    assert told[1].source == 0x00D075000001


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_is_looked_for_when_its_messages_may_be_joined(kind: Kind) -> None:
    octets = np.full(16, 1, np.uint8)
    looked_for = int(kernels_news.JOINED) >> kind & 1
    assert bool(looked_for) == (join._wanted(octets, 0, len(octets), kind) > 0)


def test_a_hello_in_two_parts_has_a_fingerprint(ear: Ear) -> None:
    first, whole = ear.hear(*parts(LONG, 1460))
    names = [{signal.kind for signal in READERS[Kind.TLS_CLIENT](hint.payload)} for hint in (first, whole)]
    assert "tls.ja4" not in names[0]
    assert {"tls.sni", "tls.ja3", "tls.ja4"} <= names[1]


def test_the_same_again_is_no_news(ear: Ear) -> None:
    ear.hear(*parts(LONG))
    assert ear.hear(*parts(LONG, port=40001)) == []
    assert not join.is_joining(ear.news._flows)


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 2, 1), (0, 1, 1), (0, 0, 2)])
def test_out_of_turn_or_lost_leaves_the_message_as_it_was_heard(ear: Ear, order: tuple[int, ...]) -> None:
    pieces = parts(LONG)
    told = ear.hear(*(pieces[i] for i in order))
    assert all(hint.payload != LONG for hint in told)


def test_a_repeated_first_part_begins_again(ear: Ear) -> None:
    pieces = parts(LONG)
    assert [hint.payload for hint in ear.hear(pieces[0], pieces[0], *pieces[1:])][-1] == LONG


def test_the_other_side_speaks_between(ear: Ear) -> None:
    pieces = parts(LONG)
    octets = Tcp(443, 40000, 1700, flags=24).octets(B, A, b"noise and more noise")
    between = ethernet("00:d0:75:00:00:01", BM, IPV4, Ipv4(B, A, TCP).octets(octets))
    assert ear.hear(pieces[0], between, *pieces[1:])[-1].payload == LONG


def test_over_the_end_of_the_sequence(ear: Ear) -> None:
    assert ear.hear(*parts(LONG, seq=0xFFFFFFFF - 800))[-1].payload == LONG


def test_no_more_than_a_reader_may_see(ear: Ear) -> None:
    endless = b"GET / HTTP/1.1\r\nCookie: " + b"c" * 60_000
    told = ear.hear(*parts(endless, 1400))
    assert [len(hint.payload) for hint in told] == [1400, HINT_OCTETS_MAX]
    assert told[1].payload == endless[:HINT_OCTETS_MAX]


def test_a_length_that_lies_waits_for_nothing_that_does_not_come(ear: Ear) -> None:
    lying = b"\x16\x03\x01\xff\xff" + CHROME[5:]
    assert len(ear.hear(segment(lying, 1))) == 1
    assert join.is_joining(ear.news._flows)
    assert ear.hear(*(segment(b"x" * 1400, 1 + len(lying) + 1400 * n) for n in range(7))) == [], "it says nothing more"
    assert not join.is_joining(ear.news._flows)


def test_a_crowd_of_unfinished_messages_takes_no_room(ear: Ear) -> None:
    for port in range(1024, 1024 + 20_000 // THIN, 100):
        ear.hear(*(parts(LONG, port=port + n)[0] for n in range(100)))
    assert np.count_nonzero(ear.news._flows) <= join.SLOTS
    assert THIN > 1 or ear.hear(*parts(LONG, port=60_000)) == [], "they took this second's looks"
    ear.second += 1
    assert ear.hear(*parts(LONG, port=60_001))[-1].payload == LONG


def test_what_is_not_whole_after_a_second_or_two_is_given_up(ear: Ear) -> None:
    pieces = parts(LONG)
    ear.hear(pieces[0])
    for _ in range(2):
        ear.second += 1
        assert join.is_joining(ear.news._flows)
        ear.hear(segment(b"GET / HTTP/1.1\r\n\r\n", 1, 50000 + ear.second))
    ear.second += 1
    ear.hear(segment(b"GET / HTTP/1.1\r\n\r\n", 1, 50001))
    assert not join.is_joining(ear.news._flows)
    assert ear.hear(*pieces[1:]) == []


def test_whole_messages_are_within_the_budget(ear: Ear) -> None:
    heads = [HEAD.replace(b"late/1", b"late/%d" % n) for n in range(2 * HINTS_PER_KIND)]
    told = [hint for n, head in enumerate(heads) for hint in ear.hear(*parts(head, port=1024 + n))]
    assert len(told) <= HINTS_PER_KIND
    assert ear.news.skipped > 0


def test_against_a_slow_twin(ear: Ear) -> None:
    """A dictionary per flow that joins what follows in sequence; slots that clash are left out of the comparison."""
    rng, messages = Random(7), list(MESSAGES.values())
    streams = {
        port: parts(rng.choice(messages), rng.randrange(300, 1400), rng.randrange(1 << 32), port)
        for port in range(2000, 2012)
    }
    turns = [port for port, pieces in streams.items() for _ in pieces]
    rng.shuffle(turns)
    at = dict.fromkeys(streams, 0)
    wholes = set()
    for port in turns:
        wholes |= {hint.payload for hint in ear.hear(streams[port][at[port]])}
        at[port] += 1
    assert wholes & set(messages)
    assert all(any(message.startswith(whole) for message in messages) for whole in wholes)


def test_any_order_of_any_octets_is_safe(ear: Ear) -> None:
    rng = Random(11)
    starts = [message[:40] for message in MESSAGES.values()]
    for _ in range(600 // THIN):
        data = rng.choice(starts) + rng.randbytes(rng.randrange(300))
        ear.second += 1
        ear.hear(
            *(
                segment(data[: rng.randrange(1, len(data))], rng.randrange(3) * 100, 40000 + rng.randrange(4))
                for _ in range(3)
            )
        )
