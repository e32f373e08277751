"""A command over a real broker to a tap of memory: accepted, refused as too old and given again, silent, forged."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from agent.clock import SystemClock
from agent.ctl.cli import main
from agent.ctl.conversation import converse
from agent.ctl.lab import Lab
from agent.ctl.order import Order
from agent.ctl.session import Broker
from agent.errors import LinkError
from agent.signing.envelope import open_envelope
from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust
from agent.wire import body
from agent.wire.command import Command, Receipt
from agent.wire.types import MessageType
from tests.simulators.broker import Mosquitto
from tests.simulators.reporter import Reporter

pytestmark = pytest.mark.broker


class CommandedTap:
    """Answers commands as an agent does; `states` is what it says to each, `late_s` how much time passed unheard."""

    def __init__(self, reporter: Reporter, trust: Trust, port: int) -> None:
        self.reporter, self.trust = reporter, trust
        self.states: list[str] = ["accepted", "running", "done"]
        self.commands: list[Command] = []
        self.result: dict[str, Any] = {"uptime_s": 5}
        self.uplink = reporter.new_chain(stream="uplink")
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._on_message
        ready = threading.Event()
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_connect = lambda client, *_: client.subscribe("wardtap/1/ward/tap-1/down/command", 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert ready.wait(10)

    def be_born(self) -> None:
        topic, payload = self.reporter.birth()
        self.client.publish(topic, payload, 1, retain=True).wait_for_publish(5)

    def _on_message(self, client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        opened = open_envelope(bytes(message.payload), self.trust, expect=(MessageType.COMMAND,))
        command = Command.from_content(body.decode(opened.type, opened.body)[1])
        self.commands.append(command)
        expired = command.not_after_mono_ns <= self.reporter.clock.now_ns
        states = [("refused", "expired: too late")] if expired else [(state, "") for state in self.states]
        for state, reason in states:
            receipt = Receipt(command.id, command.name, state, reason, self.result)
            client.publish(*self.reporter.sealed(MessageType.RECEIPT, receipt.to_content(), self.uplink), 1)

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    running = Mosquitto(tmp_path / "broker").start()
    yield running
    running.kill()


@pytest.fixture
def there(tap: Reporter, trust: Trust, broker: Mosquitto) -> Iterator[CommandedTap]:
    commanded = CommandedTap(tap, trust, broker.port)
    yield commanded
    commanded.stop()


@pytest.fixture
def give(trust: Trust, operator: PrivateKey, broker: Mosquitto) -> Callable[..., tuple[Receipt, Order]]:
    def run(wait_s: float = 10) -> tuple[Receipt, Order]:
        order = Order("ward", "tap-1", [operator], trust)
        return converse(order, Broker(broker.url, "ctl"), SystemClock(), wait_s, ("status", {"a": 1})), order

    return run


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
        give(1)


def command(lab: Lab, url: str, *more: str) -> list[str]:
    place = ["--agent", "tap-1", "--site", "ward", "--key", str(lab.operator / "operator.key")]
    return ["command", "status", *place, "--trust", str(lab.operator / "trust.bin"), "--broker", url, *more]


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
