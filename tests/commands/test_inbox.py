"""Who gets what done, who gets an answer, and who is only written down."""

import json
import os
from collections.abc import Callable

import pytest

from agent.clock import SystemClock
from agent.commands import executed as executed_module
from agent.commands.audit import verify
from agent.commands.inbox import STRANGERS_PER_MINUTE, VALID_NS_MAX
from agent.commands.policy import Policy
from agent.signing.envelope import open_envelope, seal
from agent.signing.trust import Trust
from agent.wire import body
from agent.wire.types import MessageType, Role
from tests.commands.conftest import Office
from tests.simulators.kit import HOUR_NS, Kit

Forge = Callable[[Kit], bytes]


def test_status_walks_to_done_and_is_written_down(office: Office) -> None:
    office.inbox.receive(office.kit.command(), retained=False)
    assert office.receipts.states == ["accepted", "running", "done"]
    assert office.receipts.all[-1].result == {"agent": "tap-1"}
    assert office.receipts.durable == 3
    events = [json.loads(line) for line in office.audited()]
    assert [event["event"] for event in events] == ["accepted", "done"]
    assert events[0]["signers"] == "a-operator"
    assert verify(office.audit.path).broken_at == 0


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ENGINEER, Role.CUSTODIAN])
def test_higher_roles_may_do_what_lower_ones_may(office: Office, role: Role) -> None:
    office.inbox.receive(office.kit.command(signer=role), retained=False)
    assert office.receipts.states[-1] == "done"


def test_the_collector_counts_as_an_operator_and_no_more(office: Office) -> None:
    office.inbox.receive(office.kit.command(signer=office.kit.collector), retained=False)
    assert office.receipts.states[-1] == "done"
    order = office.kit.command(signer=office.kit.collector, id=b"2" * 16, role="engineer")
    office.inbox.receive(order, retained=False)
    assert office.receipts.all[-1].reason.startswith("not-allowed")


STRANGERS: dict[str, tuple[str, Forge]] = {
    "noise": ("bad-envelope", lambda _: b"\x94\x01noise"),
    "nothing": ("bad-envelope", lambda _: b""),
    "huge": ("too-large", lambda _: bytes(1 << 21)),
    "flipped": ("bad-signature", lambda kit: kit.command()[:-1] + bytes([kit.command()[-1] ^ 1])),
    "unknown key": ("unknown-key", lambda kit: kit.command(signer=kit.stranger)),
    "an agent": ("not-allowed", lambda kit: kit.command(signer=kit.agent)),
    "release key": ("not-allowed", lambda kit: kit.command(signer=kit.releases[0])),
    "another site's operator": ("wrong-site", lambda kit: kit.command(signer=kit.abroad)),
    "for another tap": ("wrong-agent", lambda kit: kit.command(agent="tap-2")),
    "for another site": ("wrong-agent", lambda kit: kit.command(site="elsewhere")),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_is_written_down_and_not_answered(office: Office, name: str) -> None:
    reason, forge = STRANGERS[name]
    office.inbox.receive(forge(office.kit), retained=False)
    assert office.doer.done == []
    assert office.receipts.all == []
    assert [json.loads(line)["reason"] for line in office.audited()] == [reason]
    assert office.inbox.counts == {reason: 1}


def test_an_acknowledgement_is_no_command(office: Office) -> None:
    epoch = body.encode(MessageType.EPOCH, None, {"site": "ward", "id": bytes(16), "wall_ns": 1})
    office.inbox.receive(seal(MessageType.EPOCH, epoch, [office.kit.collector]), retained=False)
    assert office.inbox.counts == {"wrong-type": 1}


def test_a_retained_command_is_refused(office: Office) -> None:
    office.inbox.receive(office.kit.command(), retained=True)
    assert office.doer.done == []
    assert office.inbox.counts == {"retained": 1}


def now_ns() -> int:
    return SystemClock().mono_ns()


REFUSED: dict[str, tuple[str, Forge]] = {
    "another boot": ("wrong-boot", lambda kit: kit.command(boot=bytes(16))),
    "late": ("expired", lambda kit: kit.command(not_after_mono_ns=now_ns())),
    "long ago": ("expired", lambda kit: kit.command(not_after_mono_ns=0)),
    "too long": ("too-long", lambda kit: kit.command(not_after_mono_ns=now_ns() + VALID_NS_MAX + HOUR_NS)),
    "a role not held": ("not-allowed", lambda kit: kit.command(signer=Role.OPERATOR, role="custodian")),
    "too low a role": ("wrong-role", lambda kit: kit.command("restart", signer=Role.OPERATOR)),
    "one signer of two": ("too-few-signers", lambda kit: kit.command("record-headers", signer=Role.CUSTODIAN)),
    "no such command": ("unknown-command", lambda kit: kit.command("run-shell", signer=Role.CUSTODIAN)),
    "not in this release": ("not-supported", lambda kit: kit.command("restart", signer=Role.ENGINEER)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_authentic_command_that_may_not_be_is_answered_once(office: Office, name: str) -> None:
    reason, forge = REFUSED[name]
    order = forge(office.kit)
    office.inbox.receive(order, retained=False)
    assert office.doer.done == []
    assert office.receipts.states == ["refused"]
    assert office.receipts.all[0].reason.startswith(f"{reason}: ")
    assert json.loads(office.audited()[0])["reason"] == reason
    office.inbox.receive(order, retained=False)
    assert len(office.receipts.all) == 1


def test_the_same_command_twice_is_executed_once(office: Office) -> None:
    order = office.kit.command()
    office.inbox.receive(order, retained=False)
    office.inbox.receive(order, retained=False)
    office.close()
    office.reopen()
    office.inbox.receive(order, retained=False)
    assert office.doer.done == ["status"]
    assert office.receipts.states == ["accepted", "running", "done"]
    assert [json.loads(line)["reason"] for line in office.audited()[2:]] == ["replayed", "replayed"]


def test_killed_while_executing_it_is_not_executed_again_and_says_so(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = office.kit.command()

    def dies() -> dict[str, object]:
        office.doer.done.append("status")
        raise KeyboardInterrupt

    monkeypatch.setattr(office.doer, "status", dies)
    with pytest.raises(KeyboardInterrupt):
        office.inbox.receive(order, retained=False)
    office.close()
    office.reopen()
    assert office.receipts.states == ["accepted", "running", "failed"]
    assert office.receipts.all[-1].reason.startswith("interrupted")
    office.inbox.receive(order, retained=False)
    assert office.doer.done == ["status"]
    office.close()
    office.reopen()
    assert len(office.receipts.all) == 3


def test_arguments_are_checked_by_the_handler(office: Office) -> None:
    office.inbox.receive(office.kit.command(args={"shell": "rm"}), retained=False)
    assert office.receipts.states == ["accepted", "running", "failed"]
    assert office.receipts.all[-1].reason.startswith("bad-arguments")
    assert office.doer.done == []


def test_what_cannot_be_remembered_is_not_executed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(executed_module, "write_atomically", full)
    office.inbox.receive(office.kit.command(), retained=False)
    assert office.doer.done == []
    assert office.receipts.states == ["refused"]


def test_what_cannot_be_written_down_is_not_executed(office: Office) -> None:
    os.close(office.audit._descriptor)
    office.audit._descriptor = os.open("/dev/full", os.O_WRONLY)
    office.inbox.receive(office.kit.command(), retained=False)
    assert office.doer.done == []
    assert office.receipts.states == ["refused"]


def test_a_flood_of_forgeries_does_not_fill_the_log(office: Office) -> None:
    for _ in range(STRANGERS_PER_MINUTE * 10):
        office.inbox.receive(b"noise", retained=False)
    assert len(office.audited()) == STRANGERS_PER_MINUTE
    assert office.inbox.counts == {"bad-envelope": STRANGERS_PER_MINUTE * 10}
    office.inbox.receive(office.kit.command(), retained=False)
    assert office.receipts.states[-1] == "done"


def test_a_local_policy_narrows(office: Office) -> None:
    office.policy = Policy({"status": Role.CUSTODIAN, "resend": None})
    office.close()
    office.reopen()
    office.inbox.receive(office.kit.command(signer=Role.ENGINEER), retained=False)
    office.inbox.receive(office.kit.command("resend", signer=Role.CUSTODIAN, id=b"3" * 16), retained=False)
    office.inbox.receive(office.kit.command(signer=Role.CUSTODIAN, id=b"2" * 16), retained=False)
    assert office.receipts.states == ["refused", "refused", "accepted", "running", "done"]


def test_a_revoked_key_does_not_count_any_more(office: Office) -> None:
    office.inbox.trust(Trust([]))
    office.inbox.receive(office.kit.command(), retained=False)
    assert office.inbox.counts == {"unknown-key": 1}


def test_two_signers_are_two_people(office: Office) -> None:
    """Counted by key: the signature of one key twice is no second person."""
    order = body.encode(MessageType.COMMAND, None, body.decode(MessageType.COMMAND, _body(office.kit))[1])
    twice = seal(MessageType.COMMAND, order, [office.kit.people[Role.CUSTODIAN]] * 2)
    office.inbox.receive(twice, retained=False)
    assert office.receipts.all == []
    assert office.inbox.counts == {"not-allowed": 1}


def _body(kit: Kit) -> bytes:
    return open_envelope(kit.command("record-headers", signer=Role.CUSTODIAN), kit.trust).body
