"""Who gets what done, who gets an answer, and who is only written down."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from agent.clock import SystemClock
from agent.commands import executed as executed_module
from agent.commands.audit import verify
from agent.commands.inbox import ANSWER_WITHIN_NS, STRANGERS_PER_MINUTE, VALID_NS_MAX
from agent.commands.policy import Policy
from agent.signing.envelope import open_envelope, seal
from agent.signing.keys import PrivateKey
from agent.signing.trust import Trust
from agent.wire import body
from agent.wire.command import Receipt
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


def flipped(order: bytes) -> bytes:
    """One bit of the signature; of one order, since two of them differ in their time."""
    return order[:-1] + bytes([order[-1] ^ 1])


STRANGERS: dict[str, tuple[str, Forge]] = {
    "noise": ("bad-envelope", lambda _: b"\x94\x01noise"),
    "nothing": ("bad-envelope", lambda _: b""),
    "huge": ("too-large", lambda _: bytes(1 << 21)),
    "flipped": ("bad-signature", lambda kit: flipped(kit.command())),
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
}


def test_what_a_policy_allows_and_a_release_does_not_know_is_answered(office: Office) -> None:
    office.inbox._desk.handlers = {}
    office.inbox.receive(office.kit.command(), retained=False)
    assert office.receipts.states == ["refused"]
    assert office.receipts.all[0].reason.startswith("not-supported")


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


MAC = "00:d0:75:18:42:9b"
LABEL = {"device": MAC, "label": "Bed 3"}


def _label(office: Office, **changes: Any) -> bytes:
    return office.kit.command("label-device", args=LABEL, **changes)


def test_what_is_handed_over_ends_with_the_sensors_word(office: Office) -> None:
    office.inbox.receive(_label(office), retained=False)
    assert office.receipts.states == ["accepted", "running"]
    assert [command.args for command in office.doer.asked] == [LABEL]
    end = Receipt(office.doer.asked[0].id, "label-device", "done", "", {})
    office.inbox.settled(end)
    office.inbox.settled(end)
    assert office.receipts.states == ["accepted", "running"], "the last receipt is the sensor's own"
    assert [json.loads(line)["event"] for line in office.audited()] == ["accepted", "done"]


def test_a_restart_in_between_neither_repeats_nor_fails_it(office: Office) -> None:
    order = _label(office)
    office.inbox.receive(order, retained=False)
    office.close()
    office.reopen()
    assert office.receipts.states == ["accepted", "running"]
    office.inbox.receive(order, retained=False)
    assert len(office.doer.asked) == 1
    office.inbox.settled(Receipt(office.doer.asked[0].id, "label-device", "failed", "no such role", {}))
    assert [json.loads(line)["event"] for line in office.audited()] == ["accepted", "refused", "failed"]


@pytest.mark.parametrize(("lay", "why"), [(True, "did not take it"), (False, "did not say how it ended")])
def test_a_sensor_that_does_not_answer_in_time_has_failed(office: Office, *, lay: bool, why: str) -> None:
    office.doer.lay = lay
    office.clock = Later()
    office.close()
    office.reopen()
    office.inbox.receive(_label(office, not_after_mono_ns=office.clock.mono_ns() + 60 * 10**9), retained=False)
    office.inbox.tick()
    assert office.receipts.states == ["accepted", "running"]
    office.clock.later_ns = ANSWER_WITHIN_NS + 61 * 10**9
    office.inbox.tick()
    office.inbox.tick()
    assert office.receipts.states == ["accepted", "running", "failed"]
    assert office.receipts.all[-1].reason.endswith(why)
    assert len([event for event in office.doer.done if event[0] == "withdrawn"]) == 1


class Later(SystemClock):
    """A clock that can be put forward."""

    later_ns = 0

    def mono_ns(self) -> int:
        return super().mono_ns() + self.later_ns


def test_a_restart_of_the_uplink_is_done_once_it_is_back(office: Office) -> None:
    order = office.kit.command("restart", signer=Role.ENGINEER, args={"what": "uplink"})
    office.inbox.receive(order, retained=False)
    assert office.doer.done == ["restart"]
    assert office.receipts.states == ["accepted", "running"]
    office.close()
    office.reopen()
    assert office.receipts.states == ["accepted", "running", "done"]
    office.inbox.receive(order, retained=False)
    office.close()
    office.reopen()
    assert office.doer.done == ["restart"], "or it would start again for ever"


def test_a_self_test_tells_its_own_half_first(office: Office) -> None:
    office.inbox.receive(office.kit.command("self-test"), retained=False)
    assert office.receipts.states == ["accepted", "running", "running"]
    assert office.receipts.all[-1].result == {"checks": {"audit-whole": 1}}


def test_a_hold_keeps_the_sensor_listening(office: Office) -> None:
    office.held = "theatre 3"
    for name, args in (("restart", {"what": "sensor"}), ("quiesce", {"seconds": 60})):
        office.inbox.receive(
            office.kit.command(name, signer=Role.ENGINEER, args=args, id=name.encode().ljust(16)), retained=False
        )
    assert office.receipts.states == ["refused", "refused"]
    assert office.receipts.all[0].reason == "held: a clinical hold: theatre 3"
    office.held = ""
    office.inbox.receive(
        office.kit.command("quiesce", signer=Role.ENGINEER, args={"seconds": 60}, id=b"7" * 16), retained=False
    )
    assert office.receipts.states[-1] == "running"


RECORD = {"device": MAC, "seconds": 60}


def test_two_people_may_look_at_headers(office: Office) -> None:
    order = office.kit.command("record-headers", Role.CUSTODIAN, office.kit.second, args=RECORD)
    office.inbox.receive(order, retained=False)
    assert office.receipts.states == ["accepted", "running"]
    assert json.loads(office.audited()[0])["signers"] == "a-custodian,second-custodian"


@pytest.mark.parametrize("second", ["engineer", "stranger", "flipped"])
def test_the_second_signature_counts_as_much_as_the_first(office: Office, second: str) -> None:
    kit = office.kit
    keys = {"engineer": kit.people[Role.ENGINEER], "stranger": kit.stranger, "flipped": kit.second}
    order = kit.command("record-headers", Role.CUSTODIAN, keys[second], args=RECORD)
    if second == "flipped":
        order = order[:-1] + bytes([order[-1] ^ 1])
    office.inbox.receive(order, retained=False)
    assert office.doer.asked == []
    reason = {"engineer": "not-allowed", "stranger": "unknown-key", "flipped": "bad-signature"}[second]
    assert json.loads(office.audited()[0])["reason"] == reason


ORDERS: dict[str, tuple[Role, dict[str, Any]]] = {
    "set-learning": (Role.ENGINEER, {"action": "freeze", "role": "printer"}),
    "change-window": (Role.ENGINEER, {"role": "*", "start_s": 1, "end_s": 9}),
    "label-device": (Role.OPERATOR, LABEL),
    "self-test": (Role.OPERATOR, {}),
    "restart": (Role.ENGINEER, {"what": "sensor"}),
    "quiesce": (Role.ENGINEER, {"seconds": 60}),
    "hold": (Role.ENGINEER, {"why": "theatre 3"}),
    "release-hold": (Role.ENGINEER, {}),
    "support-bundle": (Role.ENGINEER, {}),
    "rotate-key": (Role.CUSTODIAN, {}),
}


@pytest.mark.parametrize("name", ORDERS)
def test_each_command_against_every_forgery(office: Office, name: str) -> None:
    kit, (least, args) = office.kit, ORDERS[name]
    number = iter(range(1, 99))

    def order(signer: Role | PrivateKey = least, **changes: Any) -> bytes:
        changes = {"id": next(number).to_bytes(16, "big"), "args": args} | changes
        return kit.command(name, signer, **changes)

    good = order()
    strangers = [good[:-1] + bytes([good[-1] ^ 1]), order(kit.stranger), order(kit.abroad), order(kit.agent)]
    misaddressed = [order(agent="tap-2"), order(site="elsewhere")]
    refused = [order(boot=bytes(16)), order(not_after_mono_ns=1), order(args={"shell": "x"})]
    lower = {Role.ENGINEER: Role.OPERATOR, Role.CUSTODIAN: Role.ENGINEER}.get(least)
    refused += [order(lower)] if lower else []
    for payload in (*strangers, *misaddressed, *refused):
        office.inbox.receive(payload, retained=False)
    office.inbox.receive(good, retained=True)
    assert office.doer.done == []
    assert office.doer.asked == []
    assert set(office.receipts.states) <= {"refused", "accepted", "running", "failed"}
    office.inbox.receive(good, retained=False)
    office.inbox.receive(good, retained=False)
    assert len(office.doer.done) + len(office.doer.asked) == 1


def test_what_outlives_the_program_ends_once_whatever_the_disk_does(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update's last receipt, also when its command was of another boot."""
    order = office.kit.command("update-to", signer=Role.CUSTODIAN, args={"release": "0.2.0-0a1b2c3d"})
    office.inbox.receive(order, retained=False)
    assert office.receipts.states == ["accepted", "running", "running"]
    office.reopen()
    assert office.receipts.states == ["accepted", "running", "running"], "a restart is no end of it"
    for identity in (office.receipts.all[0].id, b"another boot".ljust(16)):
        over = Receipt(identity, "update-to", "done", "", {})
        monkeypatch.setattr(office.receipts, "flush", lambda *_: False)
        assert [office.inbox.ended(over) for _ in range(3)] == [False] * 3
        monkeypatch.undo()
        assert office.inbox.ended(over)
    assert office.receipts.states[3:] == ["done", "done"]
    assert [json.loads(line)["event"] for line in office.audited()] == ["accepted", "done", "done"]
    assert verify(office.audit.path).broken_at == 0
