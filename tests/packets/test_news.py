"""News over bursts: told once, of its own rows, its budget by second and by source."""

import numpy as np
import pytest

from agent.packets.decoder import Decoder
from agent.packets.hints import READERS
from agent.packets.news import HINTS_PER_SECOND, HINTS_PER_SOURCE, Hint, News
from agent.packets.news import Heard as Rows
from agent.packets.records import HintKind
from tests.packets.test_decoder import decoded, request
from tests.simulators.bursts import HASHES, SECRET, Heard

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
    assert HINTS_PER_SECOND * 0.9 < len(told) <= HINTS_PER_SECOND
    assert news.skipped == len(crowd) - len(told)


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
