"""Acknowledgements, bells, gaps."""

from typing import Any

import pytest

from agent.errors import WireError
from agent.wire import body
from agent.wire.delivery import ACK_RANGES_MAX, GAP_RANGES_MAX, Ack, Epoch, Gap
from agent.wire.types import MessageType
from tests.wire.samples import CONTENTS, EPOCH_ID, RUN, START_NS, header


def test_an_acknowledgement_comes_back() -> None:
    ack = Ack("tap-1", "ward", RUN, "sensor", 7, ((9, 9), (11, 14)), EPOCH_ID)
    octets = body.encode(MessageType.ACK, None, ack.to_content())
    assert Ack.from_content(body.decode(MessageType.ACK, octets)[1]) == ack


def test_ranges_that_do_not_fit_wait_for_a_later_one() -> None:
    ack = Ack("tap-1", "ward", RUN, "sensor", 0, tuple((2 * n, 2 * n) for n in range(1, 2000)), b"")
    octets = body.encode(MessageType.ACK, None, ack.to_content())
    assert Ack.from_content(body.decode(MessageType.ACK, octets)[1]).ranges == ack.ranges[:ACK_RANGES_MAX]


def test_a_bell_comes_back() -> None:
    epoch = Epoch("ward", EPOCH_ID, START_NS)
    octets = body.encode(MessageType.EPOCH, None, epoch.to_content())
    assert Epoch.from_content(body.decode(MessageType.EPOCH, octets)[1]) == epoch


@pytest.mark.parametrize("stream", ["sensor", "uplink"])
def test_a_gap_comes_back_on_both_streams(stream: str) -> None:
    gap = Gap(stream, RUN, tuple((n, n, "summary", "spool-full") for n in range(1, GAP_RANGES_MAX + 1)))
    octets = body.encode(MessageType.GAP, header(stream=stream), gap.to_content())
    assert Gap.from_content(body.decode(MessageType.GAP, octets)[1]) == gap


def test_a_gap_of_too_many_ranges_is_the_writers_to_split() -> None:
    gap = Gap("sensor", RUN, ((1, 1, "summary", "x"),) * (GAP_RANGES_MAX + 1))
    with pytest.raises(WireError):
        body.encode(MessageType.GAP, header(), gap.to_content())


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        (MessageType.ACK, "upto", -1),
        (MessageType.ACK, "upto", 2**64),
        (MessageType.ACK, "ranges", [[0, 1]]),
        (MessageType.ACK, "ranges", [[1]]),
        (MessageType.ACK, "stream", "other"),
        (MessageType.ACK, "epoch", bytes(8)),
        (MessageType.EPOCH, "id", bytes(8)),
        (MessageType.EPOCH, "wall_ns", 2**63),
    ],
)
def test_wrong_fields_are_refused(kind: MessageType, key: str, value: Any) -> None:
    with pytest.raises(WireError):
        body.encode(kind, None, CONTENTS[kind] | {key: value})
