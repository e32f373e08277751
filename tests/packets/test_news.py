"""News over bursts: told once, of its own rows, its budget by second and by source."""

import numpy as np
import pytest

from agent.packets.budgets import HINTS_PER_KIND, HINTS_PER_SECOND, HINTS_PER_SOURCE
from agent.packets.decoder import Decoder
from agent.packets.hints import READERS
from agent.packets.hints.records import Signal
from agent.packets.news import Heard as Rows
from agent.packets.news import Hint, News
from agent.packets.records import HintKind
from tests.forge.ethernet import IPV4, ethernet, lldp
from tests.forge.ipv4 import TCP, Ipv4
from tests.forge.tcp import Tcp, mss
from tests.packets.test_decoder import A, B, decoded, request
from tests.simulators.bursts import HASHES, SECRET, Heard, burst_of

pytestmark = HASHES
PER_DEVICE = HINTS_PER_SOURCE + 3


def tell(news: News, heard: list[Heard], places: list[int] | None = None, second: int = 0) -> list[Hint]:
    """What is told of a burst."""
    told: list[Hint] = []
    burst = decoded(Decoder(), heard)
    chosen = np.array(range(burst.count) if places is None else places, np.int64)
    news.tell(Rows(burst.burst.frames, burst.rows, burst.burst.octets), chosen, second, told.append)
    return told


@pytest.fixture
def news() -> News:
    """That wants everything that has a reader."""
    return News(SECRET, READERS)


def test_a_hint_says_who_when_and_what(news: News) -> None:
    (told,) = tell(news, [request(7)])
    assert told.kind == HintKind.HTTP_REQUEST
    assert (told.source, told.destination) == (0x00D075000001, 0xD4AE52000002)
    assert told.time_ns == 70_000_000
    assert told.payload == b"GET /7 HTTP/1.1\r\nUser-Agent: x\r\n\r\n"


def test_told_once(news: News) -> None:
    assert len(tell(news, [request(1), request(1, ident=9)])) == 1
    assert tell(news, [request(1, ident=10)], second=1) == []
    assert len(tell(news, [request(2)], second=2)) == 1


def test_rows_are_taken_in_the_order_that_is_asked_for(news: News) -> None:
    heard = [request(n) for n in range(6)]
    assert [hint.payload[5:6] for hint in tell(news, heard, [3, 2])] == [b"3", b"2"]
    assert [hint.payload[5:6] for hint in tell(news, heard, [5, 2, 0])] == [b"5", b"0"]


def test_one_source_in_a_second(news: News) -> None:
    assert len(tell(news, [request(n) for n in range(PER_DEVICE)])) == HINTS_PER_SOURCE
    assert news.skipped == 3
    assert len(tell(news, [request(n + 100) for n in range(PER_DEVICE)])) == 0
    assert len(tell(news, [request(n + 200) for n in range(PER_DEVICE)], second=1)) == HINTS_PER_SOURCE


def test_all_sources_in_a_second(news: News) -> None:
    crowd = [request(n, device=n) for n in range(HINTS_PER_SECOND + 50)]
    told = tell(news, crowd)
    assert HINTS_PER_KIND * 0.9 < len(told) <= HINTS_PER_KIND
    assert news.skipped == len(crowd) - len(told)


def test_a_storm_of_one_protocol_leaves_the_others_their_turn(news: News) -> None:
    crowd = [request(n, device=n) for n in range(HINTS_PER_SECOND + 50)]
    tell(news, crowd)
    told = tell(news, [Heard(lldp("00:d0:75:00:00:01", "1", "s", "t"))])
    assert [hint.kind for hint in told] == [HintKind.LLDP]


def syn(number: int, options: bytes = b"", source: str = "00:d0:75:00:00:01") -> Heard:
    """A connection's first packet."""
    segment = Tcp(1024 + number, 443, seq=number * 7919, flags=2, window=8192, options=options).octets(A, B)
    return Heard(ethernet("d4:ae:52:00:00:02", source, IPV4, Ipv4(A, B, TCP, ident=number, ttl=64).octets(segment)))


def test_a_stack_is_told_once_however_many_connections_it_opens(news: News) -> None:
    told = tell(news, [syn(n, mss(1460)) for n in range(500)])
    assert [hint.kind for hint in told] == [HintKind.TCP_SYN]
    assert READERS[HintKind.TCP_SYN](told[0].payload) == [Signal("tcp.syn", "64:8192:1460:-:M")]
    assert tell(news, [syn(9000, mss(1400))]), "another fingerprint of the same card"
    assert tell(news, [syn(9000, mss(1460), "00:d0:75:00:00:09")]), "the same fingerprint of another card"
    assert news.skipped == 0


def test_a_flood_of_forged_stacks_is_bounded(news: News) -> None:
    told = tell(news, [syn(n, mss(n)) for n in range(64, 2064)])
    assert 0 < len(told) <= HINTS_PER_SOURCE
    assert news.skipped == 2000 - len(told)


def login(words: bytes, port: int, server: str = "d4:ae:52:00:00:02") -> Heard:
    """A line to a server."""
    segment = Tcp(40000, port, 7, flags=24).octets(A, B, words)
    return Heard(ethernet(server, "00:d0:75:00:00:01", IPV4, Ipv4(A, B, TCP).octets(segment)))


@pytest.mark.parametrize(
    ("words", "port"),
    [(b"PASS quillfeather\r\n", 21), (b"AUTH PLAIN AHF1aWxs\r\n", 25), (b"a1 LOGIN orsola x\r\n", 143)],
)
def test_of_a_log_in_only_the_command_s_word_reaches_python(news: News, words: bytes, port: int) -> None:
    (told,) = tell(news, [login(words, port)])
    assert told.payload == words[:4]
    assert not tell(news, [login(words + b"again", port)]), "guesses are no news"
    assert len(tell(news, [login(words, port, "d4:ae:52:00:00:03")])) == 1, "another server is"


def test_only_what_is_wanted() -> None:
    assert tell(News(SECRET, [HintKind.LLDP]), [request(1)]) == []
    assert len(tell(News(SECRET, [HintKind.HTTP_REQUEST]), [request(1)])) == 1


def test_a_flood_of_one_payload_costs_nothing_more(news: News) -> None:
    assert len(tell(news, [request(1, ident=n) for n in range(300)])) == 1
    assert news.skipped == 0
    assert np.count_nonzero(news._per_source) == 1


def test_loading_tells_nothing(news: News) -> None:
    news.load()
    assert news.skipped == 0


def test_what_is_printed_by_mistake_holds_no_payload(news: News) -> None:
    (hint,) = tell(news, [request(1)])
    burst = burst_of([request(1)])
    made = Decoder().decode(burst, Decoder.buffer())
    assert repr(hint) == f"{hint}" == f"Hint(HTTP_REQUEST, {len(hint.payload)} octets)"
    assert repr(burst) == f"Burst(1 frames, {len(burst.octets)} octets)"
    assert repr(burst) in repr(made)
    assert repr(Rows(burst.frames, made.rows[:1], burst.octets)) == "Heard(1 rows)"
