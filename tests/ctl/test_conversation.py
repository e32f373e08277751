"""A command over a real broker to a tap of memory: accepted, refused as too old and given again, silent, forged."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent.clock import NS_PER_S, SystemClock
from agent.ctl.cli import main
from agent.ctl.conversation import converse
from agent.ctl.lab import Lab
from agent.ctl.order import Order
from agent.ctl.session import Broker
from agent.errors import LinkError
from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust
from agent.wire.command import Command, Receipt
from agent.wire.types import MessageType
from tests.ctl.tap import BUSY_S, AnsweringTap
from tests.simulators.broker import Mosquitto
from tests.simulators.reporter import Reporter

pytestmark = pytest.mark.broker


class CommandedTap(AnsweringTap):
    """Answers commands as an agent does; one that is too old by its clock is refused."""

    kind, leaf = MessageType.COMMAND, "command"

    def __init__(self, reporter: Reporter, trust: Trust, port: int) -> None:
        self.commands: list[Command] = []
        super().__init__(reporter, trust, port)
        self.states, self.result = ["accepted", "running", "done"], {"uptime_s": 5}

    def take(self, octets: bytes, content: dict[str, Any]) -> list[Receipt]:
        command = Command.from_content(content)
        self.commands.append(command)
        expired = command.not_after_mono_ns <= self.reporter.clock.now_ns
        states = [("refused", "expired: too late")] if expired else [(state, self.reason) for state in self.states]
        return [Receipt(command.id, command.name, state, reason, self.result) for state, reason in states]


@pytest.fixture
def there(tap: Reporter, trust: Trust, broker: Mosquitto) -> Iterator[CommandedTap]:
    commanded = CommandedTap(tap, trust, broker.port)
    yield commanded
    commanded.stop()


@pytest.fixture
def give(trust: Trust, operator: PrivateKey, broker: Mosquitto) -> Callable[..., tuple[Receipt, Order]]:
    def run(wait_s: float = BUSY_S, left_s: float = BUSY_S) -> tuple[Receipt, Order]:
        order = Order("ward", "tap-1", [operator], trust)
        clock = UntilAnswered(order, wait_s, left_s)
        return converse(order, Broker(broker.url, "ctl"), clock, wait_s, ("status", {"a": 1})), order

    return run


class UntilAnswered(SystemClock):
    """Stands still until the first receipt is heard; then so much is left of the time that is given."""

    def __init__(self, order: Order, wait_s: float, left_s: float) -> None:
        super().__init__()
        self._order, self._jump_ns = order, round((wait_s - left_s) * NS_PER_S)

    def mono_ns(self) -> int:
        return self._jump_ns if self._order.last else 0


def test_a_command_walks_to_its_end(there: CommandedTap, give: Callable[..., tuple[Receipt, Order]]) -> None:
    there.be_born()
    receipt, order = give()
    assert (receipt.state, receipt.result) == ("done", {"uptime_s": 5})
    assert [item.state for item in order.receipts] == ["accepted", "running", "done"]
    assert [command.args for command in there.commands] == [{"a": 1}]


def test_a_birth_of_long_ago_costs_one_refusal(there: CommandedTap, give: Callable[..., tuple[Receipt, Order]]) -> None:
    there.be_born()
    there.reporter.clock.sleep(86_400)
    receipt, _ = give()
    assert receipt.state == "done"
    assert len(there.commands) == 2
    assert there.commands[0].id != there.commands[1].id


def test_a_failure_is_told(there: CommandedTap, give: Callable[..., tuple[Receipt, Order]]) -> None:
    there.states = ["accepted", "running", "failed"]
    there.be_born()
    assert give()[0].state == "failed"


def test_silence_ends_in_a_clear_line(there: CommandedTap, give: Callable[..., tuple[Receipt, Order]]) -> None:
    with pytest.raises(LinkError, match="no verified birth"):
        give(0.5)
    there.be_born()
    there.states = ["accepted"]
    with pytest.raises(LinkError, match="only accepted"):
        give(left_s=0.3)


def command(lab: Lab, url: str, *more: str) -> list[str]:
    place = ["--agent", "tap-1", "--site", "ward", "--key", str(lab.operator / "operator.key")]
    return [
        "command",
        "status",
        *place,
        "--trust",
        str(lab.operator / "trust.bin"),
        "--broker",
        url,
        "--wait",
        "120",
        *more,
    ]


def test_the_program_prints_receipts_and_says_by_its_code_how_it_ended(
    there: CommandedTap, lab: Lab, broker: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    there.be_born()
    assert main(command(lab, broker.url)) == 0
    assert capsys.readouterr().out.splitlines() == [
        *("status: accepted", "  uptime_s: 5", "status: running", "  uptime_s: 5", "status: done", "  uptime_s: 5")
    ]
    assert main(command(lab, broker.url, "--json")) == 0
    assert '"state": "done"' in capsys.readouterr().out
    there.states = ["refused"]
    assert main(command(lab, broker.url)) == 6
    assert capsys.readouterr().err.count("\n") == 1


def test_what_cannot_work_is_one_line(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    for code, arguments in (
        (5, command(lab, "mqtt://127.0.0.1:1")),
        (2, command(lab, "http://x")),
        (2, command(lab, "mqtt://127.0.0.1:1", "--args", "[]")),
        (2, command(lab, "mqtt://127.0.0.1:1", "--args", "{")),
        (7, command(lab, "mqtt://127.0.0.1:1", "--trust", str(lab.folder / "nothing"))),
        (6, command(lab, "mqtt://127.0.0.1:1", "--key", str(lab.agent / "uplink" / "agent.key"))),
        (7, command(lab, "mqtts://127.0.0.1:1", "--ca", str(lab.folder / "nothing"))),
    ):
        assert main(arguments) == code
        text = capsys.readouterr().err
        assert text.startswith("wardtapctl: ")
        assert text.count("\n") == 1
