"""What an agent of the first version wrote is read as before."""

from dataclasses import replace

import pytest

from agent.errors import WireError
from agent.wire import body, summary_v1
from agent.wire.summary import Interval, Summary
from agent.wire.types import MessageType
from tests.wire.samples import OLDER, content_v1, header
from tests.wire.test_tables import drawn

V1 = MessageType.SUMMARY_V1


def _over_the_wire(one: Summary) -> Summary:
    return summary_v1.from_content(body.decode(V1, body.encode(V1, header(), content_v1(one)))[1])


def test_a_summary_comes_back() -> None:
    assert _over_the_wire(OLDER) == OLDER
    assert _over_the_wire(Summary(Interval(1, 2))) == Summary(Interval(1, 2))


@pytest.mark.parametrize("seed", range(200, 206))
def test_any_rows_and_edges_come_back(seed: int) -> None:
    rows, edges = drawn(seed)
    back = _over_the_wire(replace(OLDER, rows=rows, edges=edges))
    assert list(back.rows) == sorted(rows, key=lambda row: row.number)
    assert list(back.edges) == sorted(edges, key=lambda edge: edge.number)


def test_numbers_that_add_up_to_too_much_are_refused() -> None:
    content = content_v1(OLDER) | {"dv": [[2**32 - 1, 1], *[[1, 1]] * 9]}
    with pytest.raises(WireError) as refused:
        summary_v1.from_content(body.decode(V1, body.encode(V1, header(), content))[1])
    assert refused.value.reason == "bad-schema"


@pytest.mark.parametrize("key", ["sv", "ad"])
def test_fields_of_the_second_version_are_none_of_the_first(key: str) -> None:
    with pytest.raises(WireError):
        body.encode(V1, header(), content_v1(OLDER) | {key: []})
