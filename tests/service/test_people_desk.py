"""A configuration over a real broker to both programs: taken, both start again, reported; a hold keeps them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.clock import boot_id
from agent.commands.desired import Shelf
from agent.commands.requests import RequestBox
from agent.commands.settings import receipt_id
from agent.service import update_order
from agent.signing.envelope import open_envelope
from agent.signing.trust import build_trust
from agent.wire import topics
from agent.wire.types import Role
from tests.faults.conftest import eventually
from tests.service.test_errands import Desk
from tests.service.test_release_check import NAME
from tests.service.test_uplink import Program, walked
from tests.signing.test_releases import sealed, tree
from tests.simulators.broker import Mosquitto
from tests.simulators.kit import AGENT, SITE

pytestmark = pytest.mark.broker


@pytest.fixture
def uplink(tmp_path: Path) -> Iterator[Program]:
    broker = Mosquitto(tmp_path / "broker").start()
    made = Program(tmp_path, broker.url)
    assert eventually(made.connected)
    yield made
    made.stop()
    made.collector.stop()
    broker.kill()


def give(uplink: Program, payload: bytes) -> bytes:
    """Keep it at the broker; the id of its receipts."""
    uplink.collector.send(topics.down(SITE, AGENT, "config"), payload, retain=True)
    return receipt_id(open_envelope(payload, uplink.kit.trust).body)


def wanted(uplink: Program, more: str = "") -> str:
    return f"[state]\ndirectory = {json.dumps(str(uplink.state))}\n[uplink]\nwindow = 7\n{more}"


def test_both_programs_start_again_with_it_and_it_is_reported(uplink: Program) -> None:
    identity = give(uplink, uplink.kit.desired(wanted(uplink), 4))
    assert eventually(lambda: uplink.code == 0)
    (request,) = RequestBox(uplink.state / "requests").take()
    assert (request.name, request.id, request.boot) == ("restart", identity, boot_id())
    uplink.stop()
    uplink.start()
    assert eventually(lambda: walked(uplink, identity) == ["accepted", "done"])
    done = next(receipt for receipt in uplink.collector.receipts(identity) if receipt.state == "done")
    assert done.result["version"] == 4
    assert done.name == "config"
    uplink.order(uplink.kit.command(id=b"s" * 16))
    assert eventually(lambda: "done" in uplink.states(b"s" * 16))
    result = uplink.collector.receipts(b"s" * 16)[-1].result
    assert result["counts"]["config-version"] == 4
    assert walked(uplink, identity) == ["accepted", "done"], "given again at the new link, it is no news"


def test_a_bad_one_is_answered_and_the_tap_goes_on(uplink: Program) -> None:
    identity = give(uplink, uplink.kit.desired(wanted(uplink, "resend_after_s = 0\n"), 4))
    assert eventually(lambda: uplink.states(identity) == ["refused"])
    assert "resend_after_s" in uplink.collector.receipts(identity)[0].reason
    assert uplink.code is None
    assert Shelf(uplink.state / "uplink").held() is None


def test_a_hold_keeps_both_listening_until_it_is_released(uplink: Program) -> None:
    kit = uplink.kit
    uplink.order(kit.command("hold", signer=Role.ENGINEER, id=b"h" * 16, args={"why": "theatre 3"}))
    assert eventually(lambda: "done" in uplink.states(b"h" * 16))
    identity = give(uplink, kit.desired(wanted(uplink), 4))
    assert eventually(lambda: uplink.states(identity) == ["accepted"])
    assert uplink.code is None
    assert RequestBox(uplink.state / "requests").take() == []
    uplink.order(kit.command("release-hold", signer=Role.ENGINEER, id=b"r" * 16))
    assert eventually(lambda: uplink.code == 0)
    assert [request.name for request in RequestBox(uplink.state / "requests").take()] == ["restart"]


@pytest.fixture
def desk(uplink: Program) -> Iterator[Desk]:
    """The sensor's side on the same state directory."""
    made = Desk(uplink.state)
    yield made
    made.close()


def test_a_suppression_over_the_wire_is_owned_by_who_signed_it(uplink: Program, desk: Desk) -> None:
    args = {"finding": "new-edge", "device": "00:d0:75:18:42:9b", "severity": "review", "hours": 8, "why": "a test"}
    order = uplink.kit.command("suppress", id=b"u" * 16, args=args)
    uplink.order(order)
    uplink.order(order)

    def held() -> bool:
        desk.look()
        return walked(uplink, b"u" * 16) == ["accepted", "done", "running"]

    assert eventually(held)
    (rule,) = desk.sensor.pipeline.engine.silence.rules
    assert (rule.id, rule.owner) == ("new-edge", "a-operator")
    uplink.order(uplink.kit.command(id=b"s" * 16))
    assert eventually(lambda: uplink.states(b"s" * 16)[-1:] == ["done"])
    (told,) = uplink.collector.receipts(b"s" * 16)[-1].result["suppressed"]
    assert told.startswith(f"{(b'u' * 16).hex()} new-edge of 00:d0:75:18:42:9b until 20")
    assert told.endswith(", a-operator")
    log = (uplink.state / "uplink" / "audit.log").read_text()
    assert '"command":"suppress"' in log
    assert '"reason":"replayed"' in log


def test_an_update_is_asked_for_and_its_receipt_survives_the_restart(
    uplink: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opt = tmp_path / "opt"
    sealed(tree(opt / "releases" / NAME))
    monkeypatch.setattr(update_order, "installed", lambda: opt)
    uplink.stop()
    uplink.start()
    order = uplink.kit.command("update-to", signer=Role.CUSTODIAN, id=b"u" * 16, args={"release": NAME})
    uplink.order(order)
    request = uplink.state / update_order.REQUEST
    assert eventually(request.exists)
    assert request.read_text() == f"{NAME}\n{(b'u' * 16).hex()}\n"
    uplink.stop()
    request.unlink()
    (opt / update_order.ANSWER).write_text(f"{(b'u' * 16).hex()} done \n")
    uplink.start()
    assert eventually(lambda: walked(uplink, b"u" * 16) == ["accepted", "done", "running", "running"])
    assert eventually((uplink.state / update_order.UP).exists)
    assert eventually(lambda: not (uplink.state / update_order.JOURNAL).exists())
    uplink.order(order)
    uplink.order(uplink.kit.command(id=b"s" * 16))
    assert eventually(lambda: "done" in uplink.states(b"s" * 16))
    assert not request.exists(), "at most once"


def test_a_trust_table_over_the_broker_is_in_force_at_once(uplink: Program) -> None:
    kit, log = uplink.kit, uplink.state / "uplink" / "audit.log"
    others = [entry for entry in kit.entries if entry.role != Role.OPERATOR]
    fresh = build_trust(others, kit.releases[1:], version=2, site=SITE)
    for table in (b"noise", build_trust(others, kit.releases[:1], version=3, site=SITE), fresh):
        uplink.collector.send(topics.down(SITE, AGENT, "trust"), table, retain=True)
    assert eventually(lambda: '"event":"trust-table"' in log.read_text())
    assert (uplink.state / "uplink" / "trust.bin").read_bytes() == fresh
    uplink.order(kit.command(id=b"o" * 16))
    uplink.order(kit.command(id=b"e" * 16, signer=Role.ENGINEER))
    assert eventually(lambda: "done" in uplink.states(b"e" * 16))
    assert uplink.states(b"o" * 16) == []
    counts = uplink.collector.receipts(b"e" * 16)[-1].result["counts"]
    assert counts["trust-version"] == 2
    assert min(counts["link-refused-trust-bad-envelope"], counts["link-refused-trust-not-allowed"]) >= 1
