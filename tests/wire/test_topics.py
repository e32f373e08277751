"""Topics: an id can never add a level, a wildcard or another direction."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import WireError
from agent.wire import topics
from agent.wire.types import RULES, MessageType

BAD_IDS = ["", "a/b", "+", "#", "A", "a b", "a\n", "ä", "a" * 33, "$share", ".."]
BAD_TOPICS = [
    "",
    "wardtap",
    "wardtap/1",
    "wardtap/1/ward",
    "wardtap/1/ward/tap-1",
    "wardtap/1/ward/tap-1/up",
    "wardtap/1/ward/tap-1/up/",
    "wardtap/1/ward/tap-1/up/nothing",
    "wardtap/1/ward/tap-1/up/ack",
    "wardtap/1/ward/tap-1/down/summary",
    "wardtap/1/ward/tap-1/sideways/summary",
    "wardtap/1/ward/tap-1/up/summary/more",
    "wardtap/2/ward/tap-1/up/summary",
    "/wardtap/1/ward/tap-1/up/summary",
    "wardtap/1/ward//up/summary",
    "wardtap/1/+/tap-1/up/summary",
    "wardtap/1/ward/#",
    "wardtap/1//epoch",
    "wardtap/1/ward/epoch/",
    "$SYS/broker/version",
    "a/" * 30000,
]


@pytest.mark.parametrize("leaf", sorted(topics.UP))
def test_up_comes_back(leaf: str) -> None:
    topic = topics.up("ward", "tap-1", leaf)
    assert topic == f"wardtap/1/ward/tap-1/up/{leaf}"
    assert topics.parse(topic) == topics.ParsedTopic("ward", "tap-1", "up", leaf)


@pytest.mark.parametrize("leaf", sorted(topics.DOWN))
def test_down_comes_back(leaf: str) -> None:
    assert topics.parse(topics.down("ward", "tap-1", leaf)) == topics.ParsedTopic("ward", "tap-1", "down", leaf)


def test_the_bell_is_the_sites() -> None:
    assert topics.epoch("ward") == "wardtap/1/ward/epoch"
    assert topics.parse("wardtap/1/ward/epoch") == topics.ParsedTopic("ward", "", "site", "epoch")


def test_filters() -> None:
    assert topics.down_filter("ward", "tap-1") == "wardtap/1/ward/tap-1/down/#"
    assert topics.up_filter("ward") == "wardtap/1/ward/+/up/#"
    assert topics.up_filter() == "wardtap/1/+/+/up/#"
    with pytest.raises(WireError):
        topics.up_filter("#")


@pytest.mark.parametrize("bad", BAD_IDS)
def test_bad_ids_are_refused_in_every_builder(bad: str) -> None:
    assert not topics.valid_id(bad)
    for build in (
        partial(topics.up, bad, "tap-1", "summary"),
        partial(topics.up, "ward", bad, "summary"),
        partial(topics.down, "ward", bad, "ack"),
        partial(topics.epoch, bad),
        partial(topics.down_filter, "ward", bad),
    ):
        with pytest.raises(WireError) as refused:
            build()
        assert refused.value.reason == "wrong-topic"


def test_a_leaf_has_one_direction() -> None:
    with pytest.raises(WireError):
        topics.up("ward", "tap-1", "command")
    with pytest.raises(WireError):
        topics.down("ward", "tap-1", "summary")


@pytest.mark.parametrize("topic", BAD_TOPICS)
def test_what_is_not_exactly_ours_is_refused(topic: str) -> None:
    with pytest.raises(WireError) as refused:
        topics.parse(topic)
    assert refused.value.reason == "wrong-topic"


@given(st.text(alphabet="wardtp/1+#$-upown", max_size=60))
def test_what_is_parsed_is_built_again(topic: str) -> None:
    try:
        found = topics.parse(topic)
    except WireError:
        return
    build = topics.up if found.direction == "up" else topics.down
    again = build(found.site, found.agent, found.leaf) if found.agent else topics.epoch(found.site)
    assert again == topic


def test_every_type_has_its_leaf_or_none() -> None:
    leaves = {rule.leaf for rule in RULES.values()}
    assert leaves - {""} == topics.UP | topics.DOWN | {"epoch"}


def test_a_topic_carries_its_types_only() -> None:
    summary = topics.parse(topics.up("ward", "tap-1", "summary"))
    assert summary.types == {MessageType.SUMMARY, MessageType.SUMMARY_V1}
    assert summary.carries("wardtap/summary.v1")
    assert summary.carries("wardtap/summary.v3")
    assert not summary.carries("wardtap/command.v1")
    uplink = topics.parse(topics.up("ward", "tap-1", "uplink"))
    assert uplink.types == {MessageType.UPLINK, MessageType.CLOCK_ANCHOR}


def test_the_longest_topic_is_below_the_limit() -> None:
    longest = max(len(topics.up("s" * 32, "a" * 32, leaf)) for leaf in topics.UP)
    assert longest <= topics.TOPIC_BYTES_MAX


def test_one_name_for_all_builders() -> None:
    assert topics.Topic.up("ward", "tap-1", "state") == topics.up("ward", "tap-1", "state")
    assert topics.Topic.parse(topics.Topic.epoch("ward")).leaf == "epoch"
