"""Commands and receipts."""

from typing import Any

import pytest

from agent.errors import WireError
from agent.wire import body
from agent.wire.command import Command, Receipt
from agent.wire.types import RULES, MessageType
from tests.wire.samples import CONTENTS, header


def test_a_command_comes_back() -> None:
    content = CONTENTS[MessageType.COMMAND]
    octets = body.encode(MessageType.COMMAND, None, content)
    back = Command.from_content(body.decode(MessageType.COMMAND, octets)[1])
    assert back.to_content() == content
    assert (back.name, back.role, back.args) == ("status", "operator", {"detail": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("agent", "+"),
        ("name", "n" * 33),
        ("args", {"a": 1.5}),
        ("args", {"a": True}),
        ("args", {"a": "x" * 13000}),
        ("args", [1]),
        ("boot", b""),
        ("id", bytes(15)),
        ("not_after_mono_ns", -1),
        ("role", "viewer"),
        ("role", "collector"),
        ("role", "agent"),
    ],
)
def test_a_wrong_command_is_refused(key: str, value: Any) -> None:
    with pytest.raises(WireError):
        body.encode(MessageType.COMMAND, None, CONTENTS[MessageType.COMMAND] | {key: value})


def test_the_largest_command_stays_under_16_kib() -> None:
    content = CONTENTS[MessageType.COMMAND] | {"args": {"a": "x" * 12_000}}
    assert len(body.encode(MessageType.COMMAND, None, content)) <= 16 * 1024


def test_a_receipt_comes_back_and_its_reason_is_cut() -> None:
    receipt = Receipt(bytes(16), "status", "failed", "why " * 999, {"a": [1, "b", b"c", {"d": 2}]})
    octets = body.encode(MessageType.RECEIPT, header(stream="uplink"), receipt.to_content())
    back = Receipt.from_content(body.decode(MessageType.RECEIPT, octets)[1])
    assert (back.state, back.result) == ("failed", receipt.result)
    assert back.reason.endswith("…")
    assert len(octets) <= RULES[MessageType.RECEIPT].body_bytes_max


def test_a_receipt_has_only_states_of_the_walk() -> None:
    with pytest.raises(WireError):
        body.encode(MessageType.RECEIPT, header(stream="uplink"), CONTENTS[MessageType.RECEIPT] | {"state": "maybe"})
