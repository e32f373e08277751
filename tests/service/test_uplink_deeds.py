"""What the uplink does for a command, and what a bundle tells and hides."""

import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from agent.clock import SystemClock
from agent.commands.audit import AuditLog
from agent.commands.hold import Hold
from agent.commands.requests import RequestBox
from agent.config import Config, IdentityConfig, UplinkConfig
from agent.service import uplink_deeds
from agent.service.key_change import KeyChange
from agent.service.update_order import UpdateOrder
from agent.service.uplink_deeds import Reach, UplinkDeeds, redacted
from agent.uplink.courier import Courier
from agent.uplink.presence import Presence
from agent.uplink.progress import Progress
from agent.uplink.sealer import Sealer
from agent.wire.command import RECEIPT, Command, Receipt
from agent.wire.presence import Birth
from tests.simulators.kit import AGENT, SITE, Kit

SECRETS = ("broker.hospital.example", "tap-of-ward-9", "10.99.0.0/16", "PUMP-[0-9]+", "/etc/wardtap/keys/x.pem")


class Bench:
    """A reach made of a real state directory."""

    def __init__(self, state: Path) -> None:
        self.kit, clock = Kit(state).lay(), SystemClock()
        own = state / "uplink"
        self.audit = AuditLog(own / "audit.log", clock)
        self.keys = KeyChange(own, SITE, AGENT)
        courier = Courier(
            {"uplink": own / "spool"},
            Sealer(AGENT, SITE, [self.keys.key]),
            Progress(own / "p"),
            clock,
            window=1,
            resend_after_s=1,
        )
        birth = Birth(AGENT, SITE, bytes(16), bytes(16), "0", (), "", {}, bytes(8), 0)
        self.presence = Presence(birth, self.keys.key, clock, "ready")
        base = Config()
        config = base._replace(
            site=base.site._replace(agent=SECRETS[1]),
            identity=IdentityConfig((SECRETS[2],), (SECRETS[3],)),
            uplink=UplinkConfig(broker=f"mqtts://{SECRETS[0]}:8883", certificate=SECRETS[4], key=SECRETS[4]),
        )
        self.account: dict[str, Any] = {"agent": SECRETS[1], "spool_bytes": 7, "boot": bytes(16), "counts": {"a": 1}}
        self.hold = Hold(own / "hold.json")
        self.updates = UpdateOrder(state, bytes(16), clock, state / "opt")
        self.deeds = UplinkDeeds(
            Reach(
                config=config,
                state=state,
                clock=clock,
                courier=courier,
                presence=self.presence,
                hold=self.hold,
                keys=self.keys,
                trust=lambda: self.kit.trust,
                account=lambda: dict(self.account),
            ),
            self.updates,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_request_carries_the_commands_boot_and_end(bench: Bench, tmp_path: Path) -> None:
    command = Command(AGENT, SITE, "quiesce", {"seconds": 60}, b"b" * 16, b"i" * 16, 99, "engineer")
    bench.deeds.ask_sensor(command)
    (request,) = RequestBox(tmp_path / "requests").take()
    assert (request.id, request.name, request.args) == (command.id, "quiesce", {"seconds": 60})
    assert (request.boot, request.not_after_mono_ns) == (b"b" * 16, 99)
    bench.deeds.ask_sensor(command)
    assert bench.deeds.withdraw(command.id)
    assert not bench.deeds.withdraw(command.id)


def test_a_hold_is_kept_and_shown(bench: Bench) -> None:
    bench.deeds.hold("theatre 3")
    assert bench.deeds.status()["held"] == "theatre 3"
    bench.deeds.hold("")
    assert bench.deeds.status()["held"] == ""


def test_a_self_test_of_the_uplink(bench: Bench, tmp_path: Path) -> None:
    told = bench.deeds.self_test()
    assert told["checks"]["audit-whole"] == told["checks"]["key-trusted"] == told["checks"]["linked"] == 1
    with (tmp_path / "uplink" / "audit.log").open("ab") as file:
        file.write(b"{}\n")
    bench.presence.state = ""
    told = bench.deeds.self_test()
    assert (told["checks"]["audit-whole"], told["checks"]["linked"]) == (0, 0)
    RECEIPT.check(Receipt(bytes(16), "self-test", "running", "", told).to_content(), "receipt")


def opened(told: dict[str, Any]) -> dict[str, Any]:
    RECEIPT.check(Receipt(bytes(16), "support-bundle", "done", "", told).to_content(), "receipt")
    held: dict[str, Any] = json.loads(zlib.decompress(told["bundle"]))
    assert sorted(held) == sorted(told["sections"])
    return held


def test_a_bundle_helps_and_names_nobody(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "sensor").mkdir()
    (tmp_path / "sensor" / "run.json").write_text(json.dumps({"run": "ab", "contracts": "2026.1"}))
    bench.audit.append("accepted", command="status", signers="olga", role="operator")
    bench.deeds.hold("theatre of Dr. Berger")
    held = opened(bench.deeds.bundle())
    assert held["sensor"]["contracts"] == "2026.1"
    assert held["config"]["uplink"]["broker"] == "set"
    assert held["config"]["metering"]["tcp_idle_timeout_s"] == 600
    assert held["audit"][-1]["command"] == "status"
    assert held["about"]["held"] == "yes"
    text = json.dumps(held)
    assert not [secret for secret in (*SECRETS, "olga", "Berger") if secret in text]


def test_what_does_not_fit_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        bench.audit.append("refused", reason=f"reason-{number}")
    whole = len(bench.deeds.bundle()["bundle"])
    monkeypatch.setattr(uplink_deeds, "BUNDLE_OCTETS_MAX", whole - 10)
    told = bench.deeds.bundle()
    assert told["left_out"] == ["audit"]
    opened(told)


def test_every_text_of_a_configuration_is_hidden_or_harmless() -> None:
    """A new key that names something must be put into the table of what is hidden."""
    shown = {
        f"{section}.{key}"
        for section, keys in redacted(Config()).items()
        for key, value in keys.items()
        if not isinstance(value, int | float) and value not in {"set", "not set"}
    }
    assert shown == {"tap.legs", "tap.backend"}
