"""Arguments are checked before anything is done."""

from typing import Any

import pytest

from agent.commands.handlers import HANDLERS
from agent.errors import Refused
from tests.commands.conftest import Doer

RUN = bytes(16)
GOOD: dict[str, Any] = {"stream": "sensor", "run": RUN, "from": 3, "to": 9}


def test_each_does_what_it_says() -> None:
    doer = Doer()
    assert HANDLERS["status"](doer, {}, b"id") == {"agent": "tap-1"}
    assert HANDLERS["resend"](doer, GOOD, b"id") == {"from": 3, "to": 9}
    assert HANDLERS["rebirth"](doer, {}, b"id") == {}
    assert doer.done == ["status", ("sensor", RUN, 3, 9), b"id"]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("status", {"x": 1}),
        ("rebirth", {"x": 1}),
        ("resend", {}),
        ("resend", GOOD | {"more": 1}),
        ("resend", GOOD | {"stream": "other"}),
        ("resend", GOOD | {"run": b"short"}),
        ("resend", GOOD | {"run": "text"}),
        ("resend", GOOD | {"from": 0}),
        ("resend", GOOD | {"to": "9"}),
        ("resend", GOOD | {"to": True}),
        ("resend", GOOD | {"to": 1 << 64}),
    ],
)
def test_bad_arguments_do_nothing(name: str, args: dict[str, Any]) -> None:
    doer = Doer()
    with pytest.raises(Refused) as caught:
        HANDLERS[name](doer, args, b"id")
    assert caught.value.reason == "bad-arguments"
    assert doer.done == []
