"""A tap that signs, a trust table that knows it, and a store in a temporary folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.collector.intake import Verdict, judge
from agent.collector.records import Arrival, Batch, Committed, Presence, Record, Refusal
from agent.collector.store.findings import Notices
from agent.collector.store.writer import Store
from tests.simulators.reporter import START_NS, Reporter, trust_of

Message = tuple[str, bytes]
Deliver = Callable[..., Committed]


@pytest.fixture
def tap() -> Reporter:
    """One tap of the site `ward`."""
    return Reporter()


@pytest.fixture
def judged(tap: Reporter) -> Callable[[Message], Verdict]:
    """Judge a message with a table that knows only `tap`."""
    trust = trust_of(tap)
    return lambda message: judge(Arrival(*message, START_NS), trust)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store whose findings of severity page are for a route named `webhook`."""
    opened = Store.open(tmp_path, Notices(("webhook",)))
    yield opened
    opened.close()


def batch_of(verdicts: list[Verdict]) -> Batch:
    """What the loop would commit."""
    batch = Batch()
    for verdict in verdicts:
        match verdict:
            case Record():
                batch.records.append(verdict)
            case Presence():
                batch.presences.append(verdict)
            case Refusal():
                batch.refusals.append(verdict)
    return batch


@pytest.fixture
def deliver(store: Store, judged: Callable[[Message], Verdict]) -> Deliver:
    """Judge messages and commit them together."""
    return lambda *messages: store.commit(batch_of([judged(message) for message in messages]))
