"""Arguments are checked before anything is done."""

from typing import Any

import pytest

from agent.commands.handlers import HANDLERS, Later, waits_for
from agent.commands.policy import COMMANDS
from agent.errors import Refused
from agent.wire.command import SENSOR_COMMANDS, Command
from tests.commands.conftest import Doer

RUN = bytes(16)
ID = b"id".ljust(16)
GOOD: dict[str, Any] = {"stream": "sensor", "run": RUN, "from": 3, "to": 9}
MAC = "00:d0:75:18:42:9b"


def order(name: str, args: dict[str, Any]) -> Command:
    return Command("tap-1", "ward", name, args, bytes(16), ID, 99, "engineer")


def test_each_does_what_it_says() -> None:
    doer = Doer()
    assert HANDLERS["status"](doer, order("status", {})) == {"agent": "tap-1"}
    assert HANDLERS["resend"](doer, order("resend", GOOD)) == {"from": 3, "to": 9}
    assert HANDLERS["rebirth"](doer, order("rebirth", {})) == {}
    assert HANDLERS["hold"](doer, order("hold", {"why": "theatre 3"})) == {"held": "theatre 3"}
    assert HANDLERS["release-hold"](doer, order("release-hold", {})) == {}
    assert HANDLERS["support-bundle"](doer, order("support-bundle", {})) == {"bundle": b"z"}
    assert HANDLERS["rotate-key"](doer, order("rotate-key", {})) == {"public": bytes(32)}
    assert doer.done == ["status", ("sensor", RUN, 3, 9), ID, "hold theatre 3", "hold ", "bundle", "rotate"]


SENSORS: dict[str, dict[str, Any]] = {
    "set-learning": {"action": "freeze", "role": "printer"},
    "change-window": {"role": "*", "start_s": 1, "end_s": 9},
    "label-device": {"device": MAC, "label": "Bed 3 pump"},
    "record-headers": {"device": MAC, "seconds": 60},
    "suppress": {"finding": "new-edge", "device": MAC, "severity": "review", "hours": 8, "why": "ticket 4711"},
    "unsuppress": {"suppression": "ab" * 16},
    "quiesce": {"seconds": 60},
    "self-test": {},
    "restart": {"what": "sensor"},
}


@pytest.mark.parametrize("name", SENSORS)
def test_what_the_sensor_does_is_handed_to_it(name: str) -> None:
    doer, command = Doer(), order(name, SENSORS[name])
    outcome = HANDLERS[name](doer, command)
    assert isinstance(outcome, Later)
    assert doer.asked == [command]
    assert waits_for(command) == "sensor"


def test_a_restart_of_the_uplink_is_its_own() -> None:
    doer, command = Doer(), order("restart", {"what": "uplink"})
    assert isinstance(HANDLERS["restart"](doer, command), Later)
    assert doer.done == ["restart"]
    assert doer.asked == []
    assert waits_for(command) == "restart"


def test_an_update_waits_for_the_updater() -> None:
    doer, command = Doer(), order("update-to", {"release": "0.2.0-0a1b2c3d"})
    assert HANDLERS["update-to"](doer, command) == Later({"serial": 7})
    assert doer.done == ["update 0.2.0-0a1b2c3d"]
    assert waits_for(command) == "update"


def test_the_tables_name_the_same_commands() -> None:
    assert set(SENSORS) == SENSOR_COMMANDS
    assert {*HANDLERS, "config"} == set(COMMANDS), "what has no row in the policy can never be ordered"


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
        ("set-learning", {"action": "delete", "role": "printer"}),
        ("change-window", {"role": "*", "start_s": 9, "end_s": 1}),
        ("label-device", {"device": MAC, "label": "x\x1b[2J"}),
        ("record-headers", {"device": MAC, "seconds": 61}),
        ("record-headers", {"device": "*", "seconds": 6}),
        ("quiesce", {"seconds": 86_400}),
        ("suppress", {"finding": "new-edge", "device": MAC, "severity": "review", "why": "for ever"}),
        ("unsuppress", {"suppression": "all"}),
        ("self-test", {"path": "/etc"}),
        ("restart", {"what": "machine"}),
        ("hold", {"why": ""}),
        ("release-hold", {"why": "x"}),
        ("support-bundle", {"full": 1}),
        ("rotate-key", {"public": bytes(32)}),
        ("update-to", {}),
        ("update-to", {"release": "../../../etc"}),
        ("update-to", {"release": "x y"}),
        ("update-to", {"release": "0.2.0", "url": "https://x"}),
    ],
)
def test_bad_arguments_do_nothing(name: str, args: dict[str, Any]) -> None:
    doer = Doer()
    with pytest.raises(Refused) as caught:
        HANDLERS[name](doer, order(name, args))
    assert caught.value.reason == "bad-arguments"
    assert doer.done == []
    assert doer.asked == []
