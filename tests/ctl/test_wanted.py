"""A configuration to a tap of memory over a real broker: what was told, what would change, what came of it."""

import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from agent.ctl import wanted
from agent.ctl.cli import main
from agent.ctl.lab import Lab
from agent.signing.envelope import open_envelope, seal
from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust
from agent.wire import body
from agent.wire.command import Receipt
from agent.wire.types import MessageType
from tests.simulators.broker import Mosquitto
from tests.simulators.reporter import Reporter

pytestmark = pytest.mark.broker
TOPIC = "wardtap/1/ward/tap-1/down/config"
Out = pytest.CaptureFixture[str]


class ConfiguredTap:
    """Answers a configuration as an agent does."""

    def __init__(self, reporter: Reporter, trust: Trust, port: int) -> None:
        self.reporter, self.trust = reporter, trust
        self.states, self.reason = ["accepted", "done"], ""
        self.taken: list[dict[str, Any]] = []
        self.uplink = reporter.new_chain(stream="uplink")
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._on_message
        ready = threading.Event()
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_connect = lambda client, *_: client.subscribe(TOPIC, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert ready.wait(10)
        topic, payload = reporter.birth()
        self.client.publish(topic, payload, 1, retain=True).wait_for_publish(5)

    def _on_message(self, client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        opened = open_envelope(bytes(message.payload), self.trust, expect=(MessageType.CONFIG,))
        content = body.decode(opened.type, opened.body)[1]
        self.taken.append(content)
        identity = hashlib.sha256(opened.body).digest()[:16]
        for state in self.states:
            receipt = Receipt(identity, "config", state, self.reason, {"version": content["version"]})
            client.publish(*self.reporter.sealed(MessageType.RECEIPT, receipt.to_content(), self.uplink), 1)

    def keep(self, payload: bytes) -> None:
        self.client.publish(TOPIC, payload, 1, retain=True).wait_for_publish(5)

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(autouse=True)
def _a_quick_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it keeps, it gives at once; a tenth of a second shows that there is nothing."""
    monkeypatch.setattr(wanted, "SETTLE_S", 0.2)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    running = Mosquitto(tmp_path / "broker").start()
    yield running
    running.kill()


@pytest.fixture
def there(tap: Reporter, trust: Trust, broker: Mosquitto) -> Iterator[ConfiguredTap]:
    made = ConfiguredTap(tap, trust, broker.port)
    yield made
    made.stop()


@pytest.fixture
def file(lab: Lab) -> Path:
    path = lab.folder / "new.toml"
    path.write_text("[summaries]\ninterval_s = 30\n")
    return path


def words(lab: Lab, broker: Mosquitto, what: str, file: Path, *more: str, key: str = "engineer") -> list[str]:
    place = ["--agent", "tap-1", "--site", "ward", "--trust", str(lab.operator / "trust.bin"), "--broker", broker.url]
    signer = ["--key", str(lab.operator / f"{key}.key")] if what == "apply" else []
    return ["config", what, str(file), *place, *signer, *more]


def test_applied_compared_and_applied_again(
    lab: Lab, there: ConfiguredTap, broker: Mosquitto, file: Path, capsys: Out
) -> None:
    assert main(words(lab, broker, "apply", file)) == 0
    assert "state: done" in capsys.readouterr().out
    assert [(content["version"], content["text"]) for content in there.taken] == [(1, file.read_text())]
    assert main(words(lab, broker, "diff", file)) == 0
    assert "nothing else than version 1" in capsys.readouterr().out
    file.write_text("[summaries]\ninterval_s = 20\n")
    assert main(words(lab, broker, "diff", file, "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["told"], told["version"], told["sent"]) == (1, 2, "nothing")
    assert {"-interval_s = 30", "+interval_s = 20"} <= set(told["diff"])
    assert main(words(lab, broker, "apply", file, "--json")) == 0
    assert json.loads(capsys.readouterr().out)["version"] == 2
    assert len(there.taken) == 2


def test_what_the_broker_made_up_is_not_what_was_told(
    lab: Lab, there: ConfiguredTap, broker: Mosquitto, file: Path, capsys: Out
) -> None:
    content = {"agent": "tap-1", "site": "ward", "key_id": bytes(8), "version": 99, "text": "[summaries]\n"}
    octets = body.encode(MessageType.CONFIG, None, content)
    there.client.unsubscribe(TOPIC)
    there.keep(seal(MessageType.CONFIG, octets, [PrivateKey.generate()]))
    assert main(words(lab, broker, "diff", file)) == 0
    assert "it would be version 1" in capsys.readouterr().out


def test_what_the_tap_refuses_is_exit_code_6(
    lab: Lab, there: ConfiguredTap, broker: Mosquitto, file: Path, capsys: Out
) -> None:
    there.states, there.reason = ["refused"], "fixed: uplink.broker can be changed on the appliance only"
    assert main(words(lab, broker, "apply", file)) == 6
    assert "uplink.broker" in capsys.readouterr().err


def test_accepted_is_not_done(lab: Lab, there: ConfiguredTap, broker: Mosquitto, file: Path, capsys: Out) -> None:
    there.states = ["accepted"]
    assert main(words(lab, broker, "apply", file, "--wait", "0.5")) == 5
    assert "only accepted" in capsys.readouterr().err


def test_a_bad_file_is_refused_at_the_desk(lab: Lab, broker: Mosquitto, file: Path, capsys: Out) -> None:
    file.write_text("[summaries]\ninterval_s = 0\n")
    assert main(words(lab, broker, "apply", file)) == 2
    assert "interval_s" in capsys.readouterr().err
