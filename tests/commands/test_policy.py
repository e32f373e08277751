"""One table of who may; a file can only take away."""

from pathlib import Path

import pytest

from agent.commands.handlers import HANDLERS
from agent.commands.policy import COMMANDS, Policy, load_policy
from agent.errors import ConfigError, Refused
from agent.wire.types import Role

SHIPPED = (
    "status resend rebirth set-learning label-device suppress unsuppress change-window rotate-key self-test "
    "support-bundle record-headers update-to hold release-hold restart quiesce"
)


def test_the_table_names_every_command_of_the_design_and_no_other() -> None:
    assert set(COMMANDS) == {*SHIPPED.split(), "config"}, "and what is desired, which is a message of its own"
    assert set(HANDLERS) <= set(COMMANDS)


@pytest.mark.parametrize("role", ["viewer", "collector", "agent", "release", "", "OPERATOR"])
def test_other_roles_order_nothing(role: str) -> None:
    for name in COMMANDS:
        with pytest.raises(Refused):
            Policy().check(name, role, 2)


def test_a_file_can_narrow_and_not_widen(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text('{"status": "engineer", "restart": "operator", "quiesce": "never"}')
    policy = load_policy(path)
    policy.check("status", "engineer", 1)
    for name, role in (("status", "operator"), ("restart", "operator"), ("quiesce", "custodian")):
        with pytest.raises(Refused) as caught:
            policy.check(name, role, 1)
        assert caught.value.reason == "wrong-role"


def test_without_a_file_the_table_holds(tmp_path: Path) -> None:
    load_policy(tmp_path / "none").check("status", Role.OPERATOR, 1)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"status": "king"}', '{"fly": "never"}', '{"status": 1}', '{"status": []}', "[" * 10_000]
)
def test_an_odd_file_is_refused_whole(tmp_path: Path, text: str) -> None:
    path = tmp_path / "policy.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match="policy"):
        load_policy(path)
