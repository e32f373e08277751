"""The whole system as a site runs it, each program in a process of its own, and every octet that came out of any."""

import gzip
import http.client
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent import config as agent_config
from agent.clock import SystemClock
from agent.ctl.lab import Lab, make_lab
from agent.spool.reader import SpoolReader
from tests.conftest import ROOT
from tests.simulators.broker import EmbeddedBroker, Mosquitto, answers, free_port, mosquitto_path
from tests.simulators.recorder import Recorder
from tests.simulators.smtp import MailRelay
from tests.simulators.webhook import WebhookReceiver

SITE, AGENT = "ward", "tap-1"
PATIENCE_S = 120.0
EVERY_SEVERITY = ("page", "review", "health", "posture")


def environment(folder: Path) -> dict[str, str]:
    """As talkative as the programs get: they have no log levels, and this is the one switch there is."""
    temporary = folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    talkative = {"WARDTAP_DEBUG": "1", "PYTHONFAULTHANDLER": "1", "PYTHONUNBUFFERED": "1"}
    return os.environ | talkative | {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}


def allow_cores() -> None:
    """In a child before it runs: cores as large as this machine lets us have them."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


@dataclass
class Whole:
    """One site in a folder. `outputs` is what came out, by where it was found."""

    folder: Path
    capture: Path
    plain_names: tuple[str, ...] = ()  # patterns that the site has approved
    outputs: dict[str, bytes] = field(default_factory=dict)
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.work = self.folder / "work"  # the programs' current folder: cores would lie here
        self.work.mkdir(parents=True)

    def done(self, name: str, *words: str, codes: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[bytes]:
        """Run a program of ours to its end and keep what it said."""
        command = [sys.executable, "-m", *words]
        ran = subprocess.run(
            command, cwd=self.work, env=environment(self.folder), capture_output=True, check=False, timeout=3600
        )
        self.outputs[f"{name}: stdout"], self.outputs[f"{name}: stderr"] = ran.stdout, ran.stderr
        assert ran.returncode in codes, (name, ran.returncode, ran.stderr[-800:])
        return ran

    def start(self, name: str, *words: str) -> None:
        """Run one beside us; its words go to a file, which is read at the end."""
        (self.folder / "logs").mkdir(exist_ok=True)
        with (self.folder / "logs" / name).open("wb") as log:
            command = [sys.executable, "-m", *words]
            child = subprocess.Popen(command, cwd=self.work, env=environment(self.folder), stdout=log, stderr=log)
        self._running.append(child)

    def run(self) -> "Whole":
        """From the capture to the page and the notices."""
        broker: Mosquitto | EmbeddedBroker
        if mosquitto_path():
            broker = Mosquitto(self.folder / "broker", "log_type all\nlog_dest stdout\nconnection_messages true\n")
        else:
            broker = EmbeddedBroker()
        broker.start()
        try:
            with Recorder(broker.port) as wire, WebhookReceiver() as hook, MailRelay() as relay:
                self._site(wire, hook, relay)
                self.outputs["wire between programs and broker"] = wire.octets
                self.outputs["webhook"] = json.dumps([hook.posts, hook.headers], ensure_ascii=False).encode()
                self.outputs["mail"] = b"\n".join(letter.octets for letter in relay.letters)
                assert hook.posts
                assert relay.letters
        finally:
            self._end()
            broker.kill()
        self._replays()
        self._files()
        return self

    def _site(self, wire: Recorder, hook: WebhookReceiver, relay: MailRelay) -> None:
        lab = make_lab(self.folder / "lab", site=SITE, agent=AGENT, broker=wire.url, clock=SystemClock())
        self._approve(lab)
        self.done("sensor", "agent", "sensor", "--state", str(lab.agent), "--replay", str(self.capture))
        port = free_port()
        notify = ["--notify-webhook", hook.url, "--notify-smtp", relay.address, "--notify-to", "ward@site.example"]
        for name in EVERY_SEVERITY:
            notify += ["--notify-severity", name]
        listen = ("--listen", f"127.0.0.1:{port}", "--notify-wait", "0")
        program = ("agent.collector.cli", "run", "--state", str(lab.collector), "--broker", wire.url)
        self.start("collector", *program, *listen, *notify)
        _until(lambda: f"{SITE}/epoch".encode() in wire.octets, "the collector hears and rings")
        self.start("uplink", "agent", "uplink", "--state", str(lab.agent))
        _until(lambda: answers(port), "the page listens")
        spooled = sum(1 for _ in SpoolReader(lab.agent / "sensor" / "spool").records())
        _until(lambda: _stored(port) >= spooled > 1, "all is stored and acknowledged")
        _until(lambda: bool(hook.posts and relay.letters), "somebody is told")
        self._pages(port)
        self._operator(lab, wire, port)
        self._database(lab.collector / "collector.sqlite3", "while it runs")

    def _approve(self, lab: Lab) -> None:
        path = lab.agent / "wardtap.toml"
        given = agent_config.load(path)
        identity = given.identity._replace(plain_name_patterns=self.plain_names)
        uplink = given.uplink._replace(resend_after_s=2)
        path.write_text(agent_config.to_toml(given._replace(identity=identity, uplink=uplink)), encoding="utf-8")

    def _pages(self, port: int) -> None:
        """Every page and every answer; headers too."""
        devices = json.loads(self._fetch(port, "/api/devices.json"))["devices"]
        assert len(devices) > 50
        paths = ["/", "/healthz", "/api/findings.json", "/api/taps.json", "/static/style.css", "/nothing"]
        for device in devices:
            paths += [f"/devices/{SITE}/{device['mac']}", f"/api/devices/{SITE}/{device['mac']}.json"]
        for path in paths:
            self._fetch(port, path)

    def _fetch(self, port: int, path: str) -> bytes:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as line:
            line.request("GET", path)
            answer = line.getresponse()
            content = answer.read()
        self.outputs["page"] = self.outputs.get("page", b"") + str(answer.getheaders()).encode() + content
        return content

    def _operator(self, lab: Lab, wire: Recorder, port: int) -> None:
        """What the operator's tools print."""
        for what in ("devices", "findings", "taps"):
            self.done(f"wardtapctl list {what}", "agent.ctl.cli", "list", what, "--page", f"http://127.0.0.1:{port}")
        who = ("--agent", AGENT, "--site", SITE, "--broker", wire.url, "--trust", str(lab.operator / "trust.bin"))
        key = ("--key", str(lab.operator / "operator.key"), "--json")
        self.done("wardtapctl command", "agent.ctl.cli", "command", "status", *who, *key)
        state = ("--state", str(lab.collector))
        assert self.done("dump", "agent.collector.cli", "dump", *state, "--json").stdout.count(b"\n") > 1
        assert self.done("dump of devices", "agent.collector.cli", "dump", "--devices", *state, "--json").stdout
        self.done("counts", "agent.collector.cli", "counts", *state, "--json")

    def _database(self, path: Path, when: str) -> None:
        """The files as they lie (WAL and shared memory too), and every value of every table."""
        for part in sorted(path.parent.glob(f"{path.name}*")):
            self.outputs[f"{part.name} {when}"] = part.read_bytes()
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                rows = store.execute(f'SELECT * FROM "{table}"').fetchall()
                self.outputs[f"table {table} {when}"] = b"\n".join(_octets(value) for row in rows for value in row)

    def _replays(self) -> None:
        """Both forms of a replay, and what is said of a capture that is damaged in the middle of a patient."""
        config = ("--config", str(self.folder / "lab" / "agent" / "wardtap.toml"))
        self.done("replay --json --flows", "agent", "replay", str(self.capture), "--json", "--flows", *config)
        self.done("replay", "agent", "replay", str(self.capture), *config)
        whole, packed = self.capture.read_bytes(), gzip.compress(self.capture.read_bytes(), 1)
        half = len(packed) // 2
        damaged = {
            "cut.pcap": whole[: len(whole) // 2 + 7],
            "odd.pcap": whole[:24] + whole[31:],
            "no.pcap": whole[200:],
            "bad.pcap.gz": packed[:half] + bytes(9) + packed[half:],
        }
        for name, octets in damaged.items():
            path = self.capture.with_name(name)
            path.write_bytes(octets)
            self.done(f"replay of {name}", "agent", "replay", str(path), "--json", codes=(2,))

    def _files(self) -> None:
        """Whatever lies in the site's folder: spools, database, keys, logs, temporary files, the broker's memory."""
        self._database(self.folder / "lab" / "collector" / "collector.sqlite3", "at the end")
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path != self.capture:
                self.outputs[str(path.relative_to(self.folder))] = path.read_bytes()

    def _end(self) -> None:
        for child in reversed(self._running):
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(60)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _stored(port: int) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as line:
        line.request("GET", "/api/taps.json")
        taps: list[Any] = json.loads(line.getresponse().read())["taps"]
    return sum(stream["stored"] for tap in taps for stream in tap["streams"] if stream["stream"] == "sensor")


def _octets(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def _until(ready: Any, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not ready():
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain until {what}")
        time.sleep(0.05)
