import pytest

from agent.clock import NS_PER_S, SystemClock
from agent.ctl.order import VALID_S, Order, Sealed
from agent.errors import Refused
from agent.signing.envelope import open_envelope
from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust
from agent.wire import body
from agent.wire.command import Command, Receipt
from agent.wire.types import MessageType
from tests.simulators.reporter import START_NS, Reporter, damaged

NOW = SystemClock().wall_ns()  # the keys of a lab hold for a year before and after it was made


@pytest.fixture
def order(trust: Trust, operator: PrivateKey) -> Order:
    return Order("ward", "tap-1", [operator], trust)


def opened(sealed: Sealed, trust: Trust) -> Command:
    envelope = open_envelope(sealed.payload, trust, expect=(MessageType.COMMAND,))
    return Command.from_content(body.decode(envelope.type, envelope.body)[1])


def receipt(tap: Reporter, identity: bytes, state: str, reason: str = "") -> tuple[str, bytes]:
    uplink = tap.new_chain(stream="uplink")
    return tap.sealed(MessageType.RECEIPT, Receipt(identity, "status", state, reason, {"n": 1}).to_content(), uplink)


def test_a_command_names_the_boot_of_the_verified_birth(order: Order, tap: Reporter, trust: Trust) -> None:
    with pytest.raises(Refused):
        order.seal("status", {})
    assert order.hear(*tap.birth(), NOW) is None
    sealed = order.seal("status", {"x": 1})
    command = opened(sealed, trust)
    assert sealed.topic == "wardtap/1/ward/tap-1/down/command"
    assert (command.agent, command.site, command.name, command.args) == ("tap-1", "ward", "status", {"x": 1})
    assert (command.boot, command.role, command.id) == (tap.boot, "operator", sealed.id)
    assert command.not_after_mono_ns == START_NS + VALID_S * NS_PER_S
    assert order.seal("status", {}).id != sealed.id


def test_a_forged_birth_is_not_believed(order: Order, tap: Reporter) -> None:
    topic, envelope = tap.birth()
    order.hear(*damaged((topic, envelope)), NOW)
    order.hear(*Reporter("tap-1").birth(), NOW)
    order.hear(topic.replace("tap-1", "tap-2"), envelope, NOW)
    order.hear("nonsense", b"", NOW)
    assert order.birth is None
    assert order.refusals == ["bad-signature", "unknown-key", "wrong-agent", "wrong-topic"]


def test_a_birth_that_names_another_agent_is_not_believed(order: Order, tap: Reporter) -> None:
    order.hear(*tap.birth(agent="tap-2"), NOW)
    assert order.birth is None


def test_the_latest_proven_time_of_the_boot_counts(order: Order, tap: Reporter, trust: Trust) -> None:
    order.hear(*tap.birth(), NOW)
    tap.clock.sleep(7200)
    order.hear(*tap.summary(), NOW)
    command = opened(order.seal("status", {}), trust)
    assert command.not_after_mono_ns == tap.clock.now_ns + VALID_S * NS_PER_S
    tap.boot = bytes(16)  # another boot's times prove nothing about this one
    tap.clock.sleep(7200)
    before = order.mono_ns
    tap.chain = tap.new_chain()
    order.hear(*tap.summary(), NOW)
    assert order.mono_ns == before


def test_receipts_are_those_of_this_command_only_and_each_once(order: Order, tap: Reporter) -> None:
    order.hear(*tap.birth(), NOW)
    sealed = order.seal("status", {})
    assert order.hear(*receipt(tap, bytes(16), "done"), NOW) is None
    assert order.last is None
    accepted = receipt(tap, sealed.id, "accepted")
    for message in (accepted, receipt(tap, sealed.id, "done"), accepted, receipt(tap, sealed.id, "running")):
        order.hear(*message, NOW)
    assert [item.state for item in order.receipts] == ["accepted", "done", "running"]
    assert order.last is not None
    assert order.last.state == "done"


def test_a_receipt_of_another_tap_is_not_believed(order: Order, tap: Reporter) -> None:
    order.hear(*tap.birth(), NOW)
    sealed = order.seal("status", {})
    assert order.hear(*receipt(Reporter(), sealed.id, "done"), NOW) is None
    assert order.last is None


def test_a_key_that_gives_no_commands_is_refused_here_already(trust: Trust, tap: Reporter) -> None:
    with pytest.raises(Refused, match="not in the trust table"):
        Order("ward", "tap-1", [PrivateKey.generate()], trust)
    with pytest.raises(Refused, match="gives no commands"):
        Order("ward", "tap-1", [tap.key], trust)
