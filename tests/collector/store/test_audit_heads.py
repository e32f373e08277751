"""A log that was cut, replaced or written again shows; one that only grows does not, in whatever order heads come."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agent.collector import queries
from agent.collector.intake import judge
from agent.collector.records import Arrival
from agent.collector.store.reader import reading
from agent.collector.store.writer import Store
from agent.wire.chain import Chain
from tests.collector.conftest import batch_of
from tests.simulators.reporter import START_NS, Reporter, trust_of

Message = tuple[str, bytes]


class Bench:
    """A store, and one tap whose summaries say what the test says."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tap = folder, Reporter()
        self.store = Store.open(folder)

    def summary(self, audit: str, chain: Chain | None = None) -> Message:
        return self.tap.summary(chain, health={"audit": audit})

    def take(self, messages: Sequence[Message]) -> None:
        trust = trust_of(self.tap)
        self.store.commit(batch_of([judge(Arrival(*message, START_NS), trust) for message in messages]))

    def findings(self) -> list[str]:
        with reading(self.folder) as reader:
            return [found["sentence"] for found in queries.findings(reader) if found["id"] == "equivocation"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.store.close()


def head(number: int, log: str = "a") -> str:
    return f"{number} {(log * 2 + f'{number:02x}' * 15)[:32]}"


def test_one_that_grows_is_whole_in_any_order(bench: Bench) -> None:
    messages = [bench.summary(head(number)) for number in (1, 1, 2, 5, 5, 9)]
    after = bench.tap.new_chain(bench.tap.chain.run, 6)
    messages += [bench.summary(head(number), after) for number in (9, 9, 12)]
    third = bench.tap.new_chain(after.run, 3)
    messages += [bench.summary(head(number), third) for number in (12, 13)]
    bench.take(messages[::-1])
    bench.take(messages)
    assert bench.findings() == []


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    "heads",
    [
        [head(1), head(9), head(8)],
        [head(9), head(3)],
        [head(4), head(4, "b")],
        [head(9), head(11, "b"), head(9, "b")],
    ],
)
def test_one_that_was_cut_or_replaced_shows(bench: Bench, heads: list[str], reverse: bool) -> None:
    messages = [bench.summary(each) for each in heads]
    bench.take(messages[::-1] if reverse else messages)
    (said,) = bench.findings()
    assert "its audit log does not go on from what it reported" in said


@pytest.mark.parametrize("reverse", [False, True])
def test_a_restart_is_no_excuse(bench: Bench, reverse: bool) -> None:
    first = bench.summary(head(9))
    after = bench.tap.new_chain(bench.tap.chain.run, 1)
    messages = [first, bench.summary(head(3), after)]
    bench.take(messages[::-1] if reverse else messages)
    assert len(bench.findings()) == 1


@pytest.mark.parametrize(
    "odd", ["", "x", "0 " + "a" * 32, "1 " + "a" * 31, "-1 " + "a" * 32, "9" * 16 + " " + "a" * 32]
)
def test_what_is_no_head_is_not_compared(bench: Bench, odd: str) -> None:
    bench.take([bench.summary(head(9)), bench.summary(odd), bench.summary(head(10))])
    assert bench.findings() == []
