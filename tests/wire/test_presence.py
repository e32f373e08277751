"""Birth, state, clock anchor, the uplink's report."""

from typing import Any

import pytest

from agent.errors import WireError
from agent.wire import body
from agent.wire.presence import STATES, Birth, ClockAnchor, State, UplinkReport
from agent.wire.types import MessageType
from tests.wire.samples import BOOT, CONTENTS, EPOCH_ID, RUN, START_NS, header


def test_a_birth_comes_back() -> None:
    birth = Birth("tap-1", "ward", BOOT, RUN, "0.1.0", ("eth1", "eth2"), "2026.1", {"devices": 4096}, bytes(8), 5)
    octets = body.encode(MessageType.BIRTH, None, birth.to_content())
    assert Birth.from_content(body.decode(MessageType.BIRTH, octets)[1]) == birth


@pytest.mark.parametrize("name", STATES)
def test_every_state_comes_back(name: str) -> None:
    state = State("tap-1", name, 5, RUN)
    octets = body.encode(MessageType.STATE, None, state.to_content())
    assert State.from_content(body.decode(MessageType.STATE, octets)[1]) == state


def test_an_anchor_comes_back() -> None:
    anchor = ClockAnchor(BOOT, 5, START_NS, -1, EPOCH_ID)
    octets = body.encode(MessageType.CLOCK_ANCHOR, header(stream="uplink"), anchor.to_content())
    assert ClockAnchor.from_content(body.decode(MessageType.CLOCK_ANCHOR, octets)[1]) == anchor


def test_a_report_comes_back_and_an_empty_one_too() -> None:
    for report in (UplinkReport(), UplinkReport(EPOCH_ID, 5, bytes(32), 9, 2, {"bad-signature": 3})):
        octets = body.encode(MessageType.UPLINK, header(stream="uplink"), report.to_content())
        assert UplinkReport.from_content(body.decode(MessageType.UPLINK, octets)[1]) == report


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        (MessageType.BIRTH, "legs", ["eth"] * 9),
        (MessageType.BIRTH, "limits", {"a": "b"}),
        (MessageType.BIRTH, "key_id", b""),
        (MessageType.STATE, "state", "fine"),
        (MessageType.STATE, "run", b""),
    ],
)
def test_wrong_fields_are_refused(kind: MessageType, key: str, value: Any) -> None:
    with pytest.raises(WireError):
        body.encode(kind, None, CONTENTS[kind] | {key: value})
