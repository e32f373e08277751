"""One command from its making to its last receipt. No network here: what was heard goes in, what to say comes out.

The nonce of a command is the agent's present boot, from its verified birth; its end is in that boot's monotonic time.
How late it is there is known only from verified messages of that boot: the latest of them counts, receipts included, so
a command that was refused as too old can be made once more with the time its refusal told.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.clock import NS_PER_S
from agent.errors import Refused
from agent.signing.envelope import Opened, open_envelope, require_origin, seal
from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust
from agent.wire import body as wire_body
from agent.wire import topics
from agent.wire.command import COMMAND_ROLES, FINAL_STATES, Command, Receipt
from agent.wire.presence import Birth
from agent.wire.types import MessageType, Role

VALID_S = 900  # a person waits minutes; a command that hangs in a broker for longer should not happen
LISTEN_LEAVES = ("birth", "state", "receipt", "uplink", "summary", "finding")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A command, ready to be published."""

    id: bytes
    topic: str
    payload: bytes


class Order:
    """What one agent is asked, and what it answered."""

    def __init__(self, site: str, agent: str, keys: Sequence[PrivateKey], trust: Trust) -> None:
        """Refused `unknown-key` or `not-allowed` when a key cannot give commands: the agent would refuse it too.

        Without keys only a command that others signed can be taken.
        """
        self.site, self.agent, self.keys, self._trust = site, agent, tuple(keys), trust
        roles = {_role(key, trust) for key in keys}
        if len(roles) > 1:
            raise Refused(f"signed as {' and '.join(sorted(roles))}: both must hold one role", reason="not-allowed")
        self.role = roles.pop() if roles else ""
        self.birth: Birth | None = None
        self.mono_ns = 0  # latest time of the agent's present boot that is proven
        self.receipts: list[Receipt] = []
        self.refusals: list[str] = []  # what came and could not be believed
        self._id = b""

    def filters(self) -> list[str]:
        """What must be heard."""
        return [topics.up(self.site, self.agent, leaf) for leaf in LISTEN_LEAVES]

    def hear(self, topic: str, payload: bytes, now_ns: int) -> Receipt | None:
        """Take in one message; the receipt when it is one for this order. What cannot be verified is only counted."""
        try:
            return self._take(topic, payload, now_ns)
        except Refused as error:
            self.refusals.append(error.reason)
            return None

    def seal(self, name: str, args: Mapping[str, Any], valid_s: float = VALID_S) -> Sealed:
        """A fresh command with a new id; Refused `no-birth` before the agent's birth was heard."""
        if self.birth is None:
            raise Refused("no verified birth of this agent", reason="no-birth")
        self._id = secrets.token_bytes(16)
        self.receipts.clear()
        command = Command(
            agent=self.agent,
            site=self.site,
            name=name,
            args=dict(args),
            boot=self.birth.boot,
            id=self._id,
            not_after_mono_ns=self.mono_ns + round(valid_s * NS_PER_S),
            role=self.role,
        )
        body = wire_body.encode(MessageType.COMMAND, None, command.to_content())
        return Sealed(self._id, self._topic, seal(MessageType.COMMAND, body, self.keys))

    def take(self, payload: bytes) -> Sealed:
        """A command that others signed and kept; Refused when it is not authentic or not for this agent."""
        opened = open_envelope(payload, self._trust, expect=(MessageType.COMMAND,))
        command = Command.from_content(wire_body.decode(MessageType.COMMAND, opened.body)[1])
        if (command.agent, command.site) != (self.agent, self.site):
            raise Refused(f"a command for {command.agent} at {command.site}", reason="wrong-agent")
        self._id, self.role = command.id, command.role
        return Sealed(command.id, self._topic, payload)

    def expect(self, identity: bytes) -> None:
        """Wait for the receipts of something else than a command."""
        self._id = identity
        self.receipts.clear()

    @property
    def _topic(self) -> str:
        return topics.down(self.site, self.agent, "command")

    @property
    def last(self) -> Receipt | None:
        """How far it is: the final receipt once there is one, else the newest."""
        final = [receipt for receipt in self.receipts if receipt.state in FINAL_STATES]
        known = final or self.receipts
        return known[-1] if known else None

    def _take(self, topic_text: str, payload: bytes, now_ns: int) -> Receipt | None:
        topic = topics.parse(topic_text)
        opened = open_envelope(payload, self._trust, now_ns=now_ns)
        require_origin(opened, None, topic)
        if (topic.site, topic.agent) != (self.site, self.agent):
            raise Refused("another agent", reason="wrong-agent")
        if opened.kind == MessageType.BIRTH:
            self._born(opened)
            return None
        if opened.kind is None or opened.kind == MessageType.STATE:
            return None
        header, content = wire_body.decode(opened.type, opened.body)
        require_origin(opened, header, topic)
        if header is not None and self.birth is not None and header.boot == self.birth.boot:
            self.mono_ns = max(self.mono_ns, header.mono_ns)
        if opened.kind != MessageType.RECEIPT or content["id"] != self._id:
            return None
        receipt = Receipt.from_content(content)
        if header is not None and header.stream == "sensor" and not receipt.sensors:
            raise Refused("a receipt that is not the sensor's to write", reason="wrong-receipt")
        if receipt not in self.receipts:  # an agent sends again until the collector acknowledges
            self.receipts.append(receipt)
        return receipt

    def _born(self, opened: Opened) -> None:
        _, content = wire_body.decode(opened.type, opened.body)
        birth = Birth.from_content(content)
        if (birth.site, birth.agent) != (self.site, self.agent):
            raise Refused("the birth of another agent", reason="wrong-agent")
        if self.birth is None or birth.boot != self.birth.boot:
            self.mono_ns = 0
        self.birth, self.mono_ns = birth, max(self.mono_ns, birth.mono_ns)


def _role(key: PrivateKey, trust: Trust) -> str:
    entry = trust.find(key.key_id)
    if entry is None:
        raise Refused(f"the key {key.public.fingerprint} is not in the trust table", reason="unknown-key")
    role = Role.OPERATOR if entry.role == Role.COLLECTOR else entry.role
    if role not in COMMAND_ROLES:
        raise Refused(f"a key of role {entry.role} gives no commands", reason="not-allowed")
    return str(role)
