"""A configuration to a tap of memory over a real broker: what was told, what would change, what came of it."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.clock import Clock
from agent.ctl import wanted
from agent.ctl.cli import main
from agent.ctl.lab import Lab
from agent.ctl.session import Session
from agent.signing.envelope import seal
from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust
from agent.wire import body
from agent.wire.command import Receipt
from agent.wire.types import MessageType
from tests.ctl.tap import AnsweringTap
from tests.simulators.broker import Mosquitto
from tests.simulators.reporter import Reporter

pytestmark = pytest.mark.broker
Out = pytest.CaptureFixture[str]


class ConfiguredTap(AnsweringTap):
    """Answers a configuration as an agent does."""

    kind, leaf = MessageType.CONFIG, "config"

    def __init__(self, reporter: Reporter, trust: Trust, port: int) -> None:
        self.taken: list[dict[str, Any]] = []
        super().__init__(reporter, trust, port)
        self.be_born()

    def take(self, octets: bytes, content: dict[str, Any]) -> list[Receipt]:
        self.taken.append(content)
        identity, result = hashlib.sha256(octets).digest()[:16], {"version": content["version"]}
        return [Receipt(identity, "config", state, self.reason, result) for state in self.states]


@pytest.fixture
def there(tap: Reporter, trust: Trust, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConfiguredTap]:
    """A quick broker gives at once what it keeps; a busy machine is listened to until that is heard."""
    made, listen = ConfiguredTap(tap, trust, broker.port), wanted._listen
    monkeypatch.setattr(wanted, "SETTLE_S", 0.2)

    def patient(session: Session, told: wanted.Told, clock: Clock, wait_s: float) -> None:
        for _ in range(300):
            listen(session, told, clock, wait_s)
            kept = max((content["version"] for content in made.taken), default=0)
            if told.order.last or (wait_s == wanted.SETTLE_S and told.order.birth and told.version >= kept):
                return

    monkeypatch.setattr(wanted, "_listen", patient)
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
    there.client.unsubscribe(there.topic)
    there.keep(there.topic, seal(MessageType.CONFIG, octets, [PrivateKey.generate()]))
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
