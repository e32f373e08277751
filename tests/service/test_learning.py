"""The baseline over restarts, and orders that come through the request folder."""

from pathlib import Path

import pytest

from agent.commands.requests import Request
from agent.devices.baseline import Baseline, Order, Phase
from agent.devices.baseline_file import encode
from agent.devices.roles import ROLES
from agent.durable import write_atomically
from agent.findings.engine import Engine
from agent.findings.settings import ChangeWindow
from agent.service.learning import SAVE_EVERY_S, BaselineKeeper, baseline_path, learning_text
from tests.devices.test_baseline import MACS, NOW, is_new, settled
from tests.faults.conftest import eventually
from tests.findings.bench import CONTRACTS

ID = bytes(16)


def engine(keeper: BaselineKeeper) -> Engine:
    """A judge with the keeper's baseline."""
    return Engine(CONTRACTS, None, keeper.baseline)


def ask(keeper: BaselineKeeper, judge: Engine, name: str, **args: object) -> bool:
    """A request as the folder gives it."""
    return keeper.order(Request(ID, name, dict(args)), judge, NOW)


def test_what_was_learned_survives_a_restart(tmp_path: Path) -> None:
    path = baseline_path(tmp_path)
    write_atomically(path, encode(settled()))
    first = BaselineKeeper(path, print)
    judge = engine(first)
    assert ask(first, judge, "change-window", role="*", start_s=1_793_606_400, end_s=1_793_610_000)
    assert ask(first, judge, "set-learning", action="freeze", device="00:d0:75:18:00:02")
    first.close(judge)
    second = BaselineKeeper(path, print)
    again = engine(second)
    told = second.begin(again)()
    assert told["learning"] == "1 settled; least sure infusion-pump 100 %"
    assert told["learning_damaged"] == 0
    assert again.settings.change_windows == (ChangeWindow("*", NOW, NOW + 3600 * 10**9),)
    assert second.baseline.devices[MACS[2]][0] is Phase.FROZEN
    assert is_new(second.baseline, 0, 9999)
    second.close(again)


def test_a_damaged_file_is_put_aside_and_said(tmp_path: Path) -> None:
    path, said = baseline_path(tmp_path), list[str]()
    write_atomically(path, encode(settled())[:-1])
    keeper = BaselineKeeper(path, said.append)
    assert not keeper.baseline.pools
    assert keeper.damaged == 1
    assert "learning begins anew" in said[0]
    assert path.with_name("baseline.damaged").is_file()
    judge = engine(keeper)
    assert keeper.begin(judge)()["learning_damaged"] == 1
    keeper.close(judge)
    assert BaselineKeeper(path, said.append).damaged == 0


def test_a_power_cut_costs_no_more_than_a_quarter_of_an_hour(tmp_path: Path) -> None:
    path = baseline_path(tmp_path)
    keeper = BaselineKeeper(path, print)
    judge, now_s = engine(keeper), NOW // 10**9
    keeper.baseline.order_role(Order.START, "printer")
    keeper.look(judge, now_s)
    keeper.look(judge, now_s + SAVE_EVERY_S - 1)
    assert not path.exists()
    keeper.look(judge, now_s + SAVE_EVERY_S)
    assert eventually(path.exists)
    assert learning_text(BaselineKeeper(path, print).baseline) == "printer learning 0 %"


@pytest.mark.parametrize("args", [{"action": "freeze", "role": "toaster"}, {"action": "start", "role": "*"}])
def test_a_role_that_is_none_changes_nothing(tmp_path: Path, args: dict[str, object]) -> None:
    keeper = BaselineKeeper(baseline_path(tmp_path), print)
    judge = engine(keeper)
    assert ask(keeper, judge, "set-learning", **args)
    assert not keeper.baseline.pools
    assert keeper.refused == 1


def test_every_action_reaches_the_pool(tmp_path: Path) -> None:
    keeper = BaselineKeeper(baseline_path(tmp_path), print)
    judge = engine(keeper)
    assert ask(keeper, judge, "set-learning", action="freeze", role="printer")
    assert keeper.baseline.learned("printer").phase is Phase.FROZEN
    assert ask(keeper, judge, "set-learning", action="start", role="printer")
    assert keeper.baseline.learned("printer").phase is Phase.LEARNING
    assert ask(keeper, judge, "set-learning", action="reset", role="printer")
    assert ask(keeper, judge, "set-learning", action="approve", role="printer")


def test_other_requests_are_not_ours(tmp_path: Path) -> None:
    keeper = BaselineKeeper(baseline_path(tmp_path), print)
    assert not ask(keeper, engine(keeper), "cards")


def test_a_disk_that_refuses_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "file" / "sensor" / "baseline"
    said = list[str]()
    keeper = BaselineKeeper(path, said.append)
    (tmp_path / "file").write_text("in the way")
    judge = Engine(CONTRACTS, None, Baseline(ROLES))
    keeper.close(judge)
    assert keeper.failed == 1
    assert "cannot be saved" in said[-1]
