"""Rows D6, D7, and what strangers send: each is refused by its reason, in little memory, unread before it is verified.

What a refusal costs in time is measured by `python -m tests.bench.bad_input`; a test has no clock.
"""

import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

import pytest

from agent.collector.intake import judge
from agent.collector.records import Arrival, Batch, Record, Refusal
from agent.collector.store.reader import reading
from agent.collector.store.writer import Store
from agent.wire import body as wire_body
from tests.simulators.hostile import OPAQUE, Hostile, every, insiders, strangers
from tests.simulators.reporter import START_NS, Reporter, trust_of

TAP = Reporter()
TRUST = trust_of(TAP)
COUNTED = "SELECT reason, sum(count) AS n FROM refusals GROUP BY reason"
MEMORY_BYTES = 10 << 20  # a tenth of what the smallest machine has for a collector; measured: less than half of it


def ids(messages: list[Hostile]) -> list[str]:
    """Their names, each once."""
    names = [message.name for message in messages]
    assert len(names) == len(set(names))
    return names


ALL, STRANGERS = every(TAP), list(strangers(TAP))


@pytest.mark.parametrize("message", ALL, ids=ids(ALL))
def test_it_is_refused_by_its_reason_in_little_memory(message: Hostile) -> None:
    arrival = Arrival(message.topic, message.octets, START_NS)
    tracemalloc.start()
    verdict = judge(arrival, TRUST)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes <= MEMORY_BYTES
    if message.reason == OPAQUE:
        assert isinstance(verdict, Record)
        assert verdict.meaning is None
    else:
        assert isinstance(verdict, Refusal)
        assert verdict.reason == message.reason


@pytest.mark.parametrize("message", STRANGERS, ids=ids(STRANGERS))
def test_what_nobody_signed_is_not_opened(message: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither inflated nor unpacked: a body is octets until its signature is good."""

    def opened(*_: Any) -> NoReturn:
        pytest.fail("a body was opened before its signature was good")

    for name in ("inflate", "unpack"):
        monkeypatch.setattr(wire_body, name, opened)
    assert isinstance(judge(Arrival(message.topic, message.octets, START_NS), TRUST), Refusal)


def test_a_good_body_is_opened_so_that_the_test_above_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same stand-in is met by a message whose signature is good."""

    def opened(*_: Any) -> NoReturn:
        raise LookupError

    monkeypatch.setattr(wire_body, "unpack", opened)
    with pytest.raises(LookupError):
        judge(Arrival(*Reporter.summary(TAP), START_NS), TRUST)


def test_refusals_are_counted_by_reason(tmp_path: Path) -> None:
    """What the page shows is what was refused, to the last one."""
    store = Store.open(tmp_path)
    verdicts = [judge(Arrival(message.topic, message.octets, START_NS), TRUST) for message in ALL]
    store.commit(Batch(refusals=[verdict for verdict in verdicts if isinstance(verdict, Refusal)]))
    store.close()
    with reading(tmp_path) as reader:
        counted = {
            row["reason"]: row["n"] for row in reader.rows("SELECT reason, sum(count) n FROM refusals GROUP BY 1")
        }
    assert counted == Counter(message.reason for message in ALL if message.reason != OPAQUE)
    assert len(list(insiders(TAP))) > len(counted)
