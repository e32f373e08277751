"""The program as people run it: a real broker, a real process, a tap that signs, kills in between."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from agent.clock import SystemClock
from agent.collector.cli import main
from agent.collector.intake import judge
from agent.collector.records import Arrival
from agent.collector.store.writer import Store
from agent.ctl.lab import make_lab
from agent.signing.envelope import open_envelope
from agent.signing.keys import PrivateKey
from agent.signing.trust import load_trust
from agent.wire import body
from agent.wire.types import MessageType
from tests.collector.conftest import batch_of
from tests.faults.conftest import eventually
from tests.simulators.broker import Mosquitto, free_port
from tests.simulators.reporter import START_NS, Reporter, damaged, trust_of
from tests.simulators.webhook import WebhookReceiver

ROOT = Path(__file__).parents[2]
BLOCK = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked}:
            raise ModuleNotFoundError("blocked: " + name, name=name)
sys.meta_path.insert(0, Refuse())
import {module}
assert not {{"numba", "pcapy", "numpy"}} & set(sys.modules)
sys.exit({module}.main({arguments}))
"""


class Collector:
    """The program in a process of its own."""

    def __init__(self, lab: Path, broker: str, *more: str) -> None:
        command = [sys.executable, "-m", "agent.collector.cli", "run", "--state", str(lab / "collector")]
        self.log = lab / "collector.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([*command, "--broker", broker, *more], stderr=log, cwd=ROOT)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it, politely or not."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)


class Tap:
    """A tap at the broker: publishes until it is acknowledged, as an uplink does."""

    def __init__(self, lab: Path, port: int) -> None:
        self.reporter = Reporter(key=PrivateKey.load(lab / "agent" / "uplink" / "agent.key"))
        self.trust = load_trust(lab / "agent" / "uplink" / "trust.bin")
        self.unacknowledged: dict[int, tuple[str, bytes]] = {}
        self.upto = 0
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="tap-1")
        self.client.on_message = self._on_message
        self.client.on_connect = lambda client, *_: client.subscribe("wardtap/1/ward/tap-1/down/ack", 1)
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def add(self, *messages: tuple[str, bytes]) -> None:
        for message in messages:
            self.unacknowledged[len(self.unacknowledged) + self.upto + 1] = message

    def send_all(self) -> None:
        for topic, payload in list(self.unacknowledged.values()):
            self.client.publish(topic, payload, qos=1)

    def until_acknowledged(self, timeout_s: float = 120) -> None:
        end = time.monotonic() + timeout_s
        while self.unacknowledged:
            assert time.monotonic() < end, f"acknowledged up to {self.upto}"
            self.send_all()
            for _ in range(20):
                if not self.unacknowledged:
                    return
                time.sleep(0.05)

    def _on_message(self, _client: object, _userdata: object, message: mqtt.MQTTMessage) -> None:
        opened = open_envelope(bytes(message.payload), self.trust)
        if opened.kind is not MessageType.ACK:
            return  # the table of keys comes this way, too
        content = body.decode(opened.type, opened.body)[1]
        self.upto = max(self.upto, content["upto"])
        for seq in [seq for seq in self.unacknowledged if seq <= self.upto]:
            del self.unacknowledged[seq]

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    return make_lab(
        tmp_path / "lab", site="ward", agent="tap-1", broker="mqtt://127.0.0.1:1", clock=SystemClock()
    ).folder


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    running = Mosquitto(tmp_path / "broker").start()
    yield running
    running.kill()


@pytest.fixture
def tap_at(lab: Path, broker: Mosquitto) -> Iterator[Tap]:
    tap = Tap(lab, broker.port)
    yield tap
    tap.stop()


@pytest.fixture
def collector(lab: Path, broker: Mosquitto) -> Iterator[Callable[..., Collector]]:
    """Starts collectors; ends what a test left running."""
    started: list[Collector] = []

    def start(*more: str) -> Collector:
        started.append(Collector(lab, broker.url, *(more or ("--no-web",))))
        return started[-1]

    yield start
    for each in started:
        each.stop(signal.SIGKILL)


def dump(lab: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert main(["dump", "--json", "--state", str(lab / "collector")]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.broker
def test_everything_acknowledged_is_there_once_whoever_is_killed(
    lab: Path, broker: Mosquitto, tap_at: Tap, collector: Callable[..., Collector], capsys: pytest.CaptureFixture[str]
) -> None:
    running = collector()
    for number in range(4):
        tap_at.add(*(tap_at.reporter.summary() for _ in range(15)), tap_at.reporter.finding(cause=f"c{number}"))
        tap_at.send_all()
        time.sleep(0.15 * number)
        if number % 2:
            broker.kill(forget=True)
            broker.start()
        else:
            running.stop(signal.SIGKILL)
            running = collector()
        tap_at.until_acknowledged()
        assert tap_at.upto == 16 * (number + 1)
    records = dump(lab, capsys)
    assert [record["seq"] for record in records] == list(range(1, 65))
    assert len({record["sha256"] for record in records}) == 64
    assert running.stop() == 0


def counts(lab: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["counts", "--json", "--state", str(lab / "collector")]) == 0
    return capsys.readouterr().out


@pytest.mark.broker
def test_the_page_the_counts_and_the_webhook_of_a_running_collector(
    lab: Path, tap_at: Tap, collector: Callable[..., Collector], capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    with WebhookReceiver() as receiver:
        running = collector("--listen", f"127.0.0.1:{port}", "--notify-webhook", receiver.url, "--notify-wait", "0.1")
        tap_at.add(tap_at.reporter.summary(), tap_at.reporter.finding())
        tap_at.until_acknowledged()
        tap_at.client.publish(*damaged(tap_at.reporter.summary()), 1).wait_for_publish(60)
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60).read().decode()
        assert "internet-contact" in text
        assert eventually(lambda: receiver.posts)
        assert eventually(lambda: '"refusals": {}' not in counts(lab, capsys)), "the damaged one was looked at"
        assert receiver.posts[0]["items"][0]["id"] == "internet-contact"
        assert running.stop() == 0
    assert f"page at http://127.0.0.1:{port}/" in running.log.read_text()
    told = json.loads(counts(lab, capsys))
    assert (told["stored"], told["refusals"]) == (2, {"bad-signature": 1})


@pytest.mark.broker
def test_two_collectors_do_not_share_a_state_directory(
    lab: Path, tap_at: Tap, collector: Callable[..., Collector]
) -> None:
    first = collector()
    tap_at.add(tap_at.reporter.summary())
    tap_at.until_acknowledged()
    second = collector()
    assert second.process.wait(60) == 7
    assert "another collector runs here" in second.log.read_text()
    assert first.process.poll() is None


def run(lab: Path, *more: str) -> int:
    return main(["run", "--state", str(lab / "collector"), "--broker", "mqtt://127.0.0.1:1", *more])


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    text = capsys.readouterr().err
    assert text.startswith("wardtap-collector: ")
    assert text.count("\n") == 1
    return text


def test_errors_are_one_line_with_the_right_code(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = lab / "collector"
    assert run(lab, "--listen", "nonsense", "--no-web", "--notify-webhook", "ftp://x") == 2
    assert "ftp://x" in one_line(capsys)
    assert main(["run", "--state", str(state), "--broker", "http://x", "--no-web"]) == 2
    assert "not a broker address" in one_line(capsys)
    (state / "collector.key").chmod(0o644)
    assert run(lab, "--no-web") == 4
    assert "chmod 600" in one_line(capsys)
    assert run(lab, "--no-web", "--key", str(lab / "operator" / "operator.key")) == 7
    assert "not in the trust table" in one_line(capsys)
    assert run(lab, "--no-web", "--trust", str(state / "nothing")) == 7
    one_line(capsys)
    (state / "trust.bin").write_bytes(b"garbage" * 40)
    assert run(lab, "--no-web") == 6
    assert "trust.bin" in one_line(capsys)


def test_dump_and_counts_of_nothing_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("dump", "counts"):
        assert main([command, "--state", str(tmp_path)]) == 7
        assert "no collector database here" in one_line(capsys)
    (tmp_path / "collector.sqlite3").write_bytes(os.urandom(5000))
    assert main(["dump", "--state", str(tmp_path)]) == 7
    one_line(capsys)


def test_devices_with_names_and_posture_one_object_a_line(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tap = Reporter()
    store = Store.open(lab / "collector")
    store.commit(batch_of([judge(Arrival(*tap.summary(), START_NS), trust_of(tap))]))
    store.close()
    assert main(["dump", "--devices", "--json", "--state", str(lab / "collector")]) == 0
    monitor, pump = map(json.loads, capsys.readouterr().out.splitlines())
    assert (pump["role"], pump["names"], len(pump["posture"])) == ("infusion-pump", ["~k3v9x2m1qa"], 2)
    assert (monitor["role"], monitor["posture"]) == ("patient-monitor", [])


def test_a_reader_that_goes_away_is_no_traceback(lab: Path) -> None:
    tap = Reporter()
    store = Store.open(lab / "collector")
    messages = [tap.summary(cards=(), rows=(), edges=()) for _ in range(600)]  # a dump larger than a pipe's 64 KiB
    store.commit(batch_of([judge(Arrival(*message, START_NS), trust_of(tap)) for message in messages]))
    store.close()
    command = [sys.executable, "-m", "agent.collector.cli", "dump", "--state", str(lab / "collector"), "--json"]
    done = subprocess.run(
        ["sh", "-c", '"$@" | head -1', "-", *command], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert json.loads(done.stdout)["seq"] == 1
    assert done.stderr == ""


def run_blocked(module: str, arguments: list[str], *blocked: str) -> subprocess.CompletedProcess[str]:
    code = BLOCK.format(module=module, arguments=arguments, blocked=set(blocked) | {"numba", "pcapy", "numpy"})
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("module", ["agent.collector.cli", "agent.ctl.cli"])
def test_off_the_appliance_it_starts_without_numba_numpy_and_pcapy(module: str) -> None:
    done = run_blocked(module, ["--version"])
    assert done.returncode == 0, done.stderr


def test_without_the_page_packages_the_rest_works_and_the_page_says_what_it_needs(tmp_path: object) -> None:
    done = run_blocked("agent.collector.cli", ["counts", "--state", str(tmp_path)], "starlette", "uvicorn", "jinja2")
    assert done.returncode == 7
    assert done.stderr.startswith("wardtap-collector: ")
    assert done.stderr.count("\n") == 1
