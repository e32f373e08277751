import json

import pytest

from agent.collector.notify.grouping import DIGEST_ITEMS_MAX, plan
from agent.collector.store.outbox import Due


def due(number: int, sent_count: int = 0, sentence: str = "The pump did a thing.") -> Due:
    return Due(
        finding=number,
        version=1,
        sent_count=sent_count,
        id="host-sweep",
        severity="page",
        site="ward",
        mac=bytes(6),
        role="infusion-pump",
        repeats=3,
        first_ns=0,
        last_ns=10**18,
        sentence=sentence,
        evidence=json.dumps([["hosts", 61]]),
        step="Ask.",
        cause=f"cause-{number}",
    )


def test_few_causes_are_told_one_by_one() -> None:
    planned = plan([due(1), due(2)], sent_in_interval=0, messages_max=10)
    assert [(item.message.digest, len(item.message.items)) for item in planned] == [(False, 1), (False, 1)]


def test_a_storm_becomes_a_few_messages_and_a_digest_of_everything_else() -> None:
    storm = [due(number) for number in range(200)]
    planned = plan(storm, sent_in_interval=0, messages_max=10)
    assert len(planned) == 10
    assert [item.message.digest for item in planned] == [False] * 9 + [True]
    assert planned[-1].message.left_out == 200 - 9 - DIGEST_ITEMS_MAX
    told = [notice.finding for item in planned for notice in item.notices]
    assert told == list(range(200))  # each once, none forgotten


@pytest.mark.parametrize(("sent", "messages"), [(9, 1), (10, 0), (25, 0)])
def test_the_cap_counts_what_was_sent_before(sent: int, messages: int) -> None:
    assert len(plan([due(1), due(2), due(3)], sent_in_interval=sent, messages_max=10)) == messages


def test_the_key_is_the_same_until_it_was_sent() -> None:
    (one,), (same,), (later,) = (plan([due(1, count)], 0, 10) for count in (0, 0, 1))
    assert one.message.key == same.message.key != later.message.key


def test_hostile_strings_are_one_visible_line() -> None:
    (planned,) = plan([due(1, sentence="x\r\nBcc: all\u202e\x1b[2J" + "y" * 4096)], 0, 10)
    sentence = planned.message.items[0].sentence
    assert not set(sentence) & {"\r", "\n", "\u202e", "\x1b"}
    assert len(sentence) < 1200
