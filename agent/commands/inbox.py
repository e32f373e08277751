"""The way of a command: verified, meant for us, now, by someone who may, never before - then executed, and answered.

Every order of checks has a reason: nothing is parsed before its signature is good; nothing is answered that nobody with
a key asked (an answer to a forgery would be an amplifier); nothing is executed before its id is durable and audited.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from agent.clock import NS_PER_S, Clock
from agent.commands.audit import AuditLog
from agent.commands.executed import ExecutedIds, Taken
from agent.commands.handlers import HANDLERS, Deeds, Handler, Later, waits_for
from agent.commands.policy import Policy
from agent.errors import Refused, WardtapError
from agent.signing.envelope import Opened, open_envelope, require_role, require_site
from agent.signing.roster import Trust
from agent.wire import body
from agent.wire.command import Command, Receipt
from agent.wire.types import MessageType

VALID_NS_MAX = 24 * 3600 * NS_PER_S
STRANGERS_PER_MINUTE = 30  # unauthentic refusals written to the audit log; the rest is counted into the next one
_MINUTE_NS = 60 * NS_PER_S
FLUSH_S = 2.0  # a slow disk may not hold up delivery for longer
ANSWER_WITHIN_NS = (
    120 * NS_PER_S
)  # of the sensor, once a command is too late: a minute of recording, a minute for the way
HELD = frozenset({"restart", "quiesce", "update-to"})  # what stops listening waits until a clinical hold is released


class ReceiptBook(Protocol):
    """Where receipts go: the uplink's own spool."""

    def append(self, kind: MessageType, content: dict[str, Any]) -> int:
        """Take a record in."""

    def flush(self, timeout_s: float = ...) -> bool:
        """Make what was taken in durable."""


@dataclass(frozen=True, slots=True)
class Place:
    """Who and when we are, as commands must name it."""

    agent: str
    site: str
    boot: bytes


@dataclass(slots=True)
class Desk:
    """What deciding and executing needs."""

    trust: Trust
    policy: Policy
    executed: ExecutedIds
    audit: AuditLog
    receipts: ReceiptBook
    deeds: Deeds
    handlers: Mapping[str, Handler] = field(default_factory=lambda: HANDLERS)
    held: Callable[[], str] = str  # why nothing that stops listening may be done; empty: it may


class Inbox:
    """Takes commands from the broker. Never raises for anything a message does."""

    def __init__(self, place: Place, desk: Desk, clock: Clock) -> None:
        self._place, self._desk, self._clock = place, desk, clock
        self.counts: dict[str, int] = {}
        self._minute_ns, self._strangers, self._unwritten = clock.mono_ns(), 0, 0
        self._ended = b""
        for taken in desk.executed.unfinished():
            if taken.waits not in {"sensor", "update"}:
                self._answer(_after_a_restart(taken))
                self._end(taken.id)

    def trust(self, trust: Trust) -> None:
        """From now on these keys count, and no others."""
        self._desk.trust = trust

    def settled(self, receipt: Receipt) -> None:
        """The sensor's word on what it was asked; told again whenever it is sent again."""
        for taken in self._desk.executed.unfinished():
            if (taken.id, taken.waits) == (receipt.id, "sensor"):
                self._conclude(receipt)

    def ended(self, receipt: Receipt) -> bool:
        """How something ended that outlives this program, and the boot; said once, and whether that is durable."""
        if receipt.id != self._ended:
            self._ended = receipt.id
            self._answer(receipt)
            self._conclude(receipt)
        return self._desk.receipts.flush(FLUSH_S)

    def tick(self) -> None:
        """Now and then: what the sensor did not answer in time has failed, and is taken back where it still lies."""
        late_ns = self._clock.mono_ns() - ANSWER_WITHIN_NS
        for taken in self._desk.executed.unfinished():
            if taken.waits == "sensor" and taken.not_after_mono_ns < late_ns:
                lay = self._desk.deeds.withdraw(taken.id)
                why = "the sensor did not take it" if lay else "the sensor took it and did not say how it ended"
                receipt = Receipt(taken.id, taken.name, "failed", f"no-answer: {why}", {})
                self._answer(receipt)
                self._conclude(receipt)

    def receive(self, payload: bytes, *, retained: bool) -> None:
        """One message of the command topic."""
        try:
            command = self._admit(payload, retained=retained)
        except Refused as error:
            self._stranger(error)
            return
        try:
            self._decide(*command)
        except Refused as error:
            self._refuse(command[0], error)
        except OSError as error:
            self._count("state")
            self._answer(Receipt(command[0].id, command[0].name, "refused", f"state: {error.strerror}", {}))

    def _admit(self, payload: bytes, *, retained: bool) -> tuple[Command, Opened]:
        """What may be answered: signed by a key of our site that may command, addressed to us, not retained."""
        if retained:
            raise Refused("a retained command: it would be given again to every boot", reason="retained")
        opened = open_envelope(payload, self._desk.trust, expect=(MessageType.COMMAND,))
        require_site(opened, self._place.site)
        _, content = body.decode(MessageType.COMMAND, opened.body)
        command = replace(Command.from_content(content), signers=tuple(entry.name for entry in opened.signers))
        if (command.agent, command.site) != (self._place.agent, self._place.site):
            raise Refused(f"a command for {command.agent} at {command.site}", reason="wrong-agent")
        if command.id in self._desk.executed:
            raise Refused("a command that was taken before", reason="replayed")  # its receipt stands; no second one
        return command, opened

    def _decide(self, command: Command, opened: Opened) -> None:
        now_ns = self._clock.mono_ns()
        if command.boot != self._place.boot:
            raise Refused("for another boot", reason="wrong-boot")
        if command.not_after_mono_ns <= now_ns:
            raise Refused("too late", reason="expired")
        if command.not_after_mono_ns > now_ns + VALID_NS_MAX:
            raise Refused("valid for more than 24 h", reason="too-long")
        require_role(opened, command.role)
        self._desk.policy.check(command.name, command.role, len(opened.signers))
        if command.name in HELD and (why := self._desk.held()):
            raise Refused(f"a clinical hold: {why}", reason="held")
        handler = self._desk.handlers.get(command.name)
        if handler is None:
            raise Refused(f"{command.name} is not supported by this release", reason="not-supported")
        self._desk.executed.take(command.id, command.name, command.not_after_mono_ns, waits_for(command))
        self._desk.audit.append("accepted", **_who(command))
        self._count("accepted")
        self._execute(command, handler)

    def _execute(self, command: Command, handler: Handler) -> None:
        self._answer(Receipt(command.id, command.name, "accepted", "", {}))
        self._answer(Receipt(command.id, command.name, "running", "", {}))
        try:
            outcome = handler(self._desk.deeds, command)
            if isinstance(outcome, Later):
                if outcome.so_far:
                    self._answer(Receipt(command.id, command.name, "running", "", dict(outcome.so_far)))
                return
            receipt = Receipt(command.id, command.name, "done", "", outcome)
        except Refused as error:
            receipt = Receipt(command.id, command.name, "failed", f"{error.reason}: {error.what}", {})
        except (WardtapError, OSError) as error:
            receipt = Receipt(command.id, command.name, "failed", str(error), {})
        self._answer(receipt)
        self._conclude(receipt)

    def _conclude(self, receipt: Receipt) -> None:
        try:
            self._desk.audit.append(receipt.state, command=receipt.name, id=receipt.id.hex(), reason=receipt.reason)
        except OSError:
            self._count("state")
        self._end(receipt.id)

    def _end(self, identity: bytes) -> None:
        """How it ended is durable before we forget that it was not."""
        if not self._desk.receipts.flush(FLUSH_S) or identity not in self._desk.executed:  # of another boot
            return
        try:
            self._desk.executed.finish(identity)
        except OSError:
            self._count("state")

    def _refuse(self, command: Command, error: Refused) -> None:
        """An authentic command that may not be executed: audited and answered, once."""
        self._count(error.reason)
        try:
            self._desk.audit.append("refused", reason=error.reason, command=command.name, id=command.id.hex())
            self._desk.executed.take(command.id, command.name, min(command.not_after_mono_ns, self._latest_ns()))
        except Refused:
            return
        except OSError:
            self._count("state")
        self._answer(Receipt(command.id, command.name, "refused", f"{error.reason}: {error.what}", {}))
        self._end(command.id)

    def _latest_ns(self) -> int:
        """Nobody can make us remember an id for longer than a command can be valid."""
        return self._clock.mono_ns() + VALID_NS_MAX

    def _stranger(self, error: Refused) -> None:
        """Unauthentic, or not for us to answer: counted, and audited within a rate."""
        self._count(error.reason)
        now_ns = self._clock.mono_ns()
        if now_ns - self._minute_ns > _MINUTE_NS:
            self._minute_ns, self._strangers = now_ns, 0
        self._strangers += 1
        if self._strangers > STRANGERS_PER_MINUTE:
            self._unwritten += 1
            return
        try:
            self._desk.audit.append("refused", reason=error.reason, what=error.what, unwritten=self._unwritten)
        except OSError:
            self._count("state")
            return
        self._unwritten = 0

    def _answer(self, receipt: Receipt) -> None:
        self._desk.receipts.append(MessageType.RECEIPT, receipt.to_content())

    def _count(self, reason: str) -> None:
        self.counts[reason] = self.counts.get(reason, 0) + 1


def _after_a_restart(taken: Taken) -> Receipt:
    if taken.waits == "restart":
        return Receipt(taken.id, taken.name, "done", "", {})
    return Receipt(taken.id, taken.name, "failed", "interrupted: the process ended before it was certain", {})


def _who(command: Command) -> dict[str, str | int]:
    signers = ",".join(command.signers)
    return {"command": command.name, "id": command.id.hex(), "role": command.role, "signers": signers}
