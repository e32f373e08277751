"""The way of a desired configuration: verified, ours, newer, whole, written down - then both programs start again.

Its answer is a receipt named `config` whose id is the first 16 octets of the SHA-256 of the body, so whoever sent it
finds it. The broker gives a retained configuration again at every link: what was answered is not answered twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from agent.commands.audit import AuditLog
from agent.commands.desired import Held, Shelf, Version, text_hash, validated
from agent.commands.inbox import FLUSH_S, Place, ReceiptBook
from agent.commands.policy import Policy
from agent.config import Config
from agent.errors import ConfigError, Refused, StateError
from agent.signing.envelope import Opened, open_envelope, require_site
from agent.signing.roster import Trust
from agent.wire import body
from agent.wire.command import Receipt
from agent.wire.types import MessageType

NAME = "config"
ANSWERED_MAX = 64


def receipt_id(octets: bytes) -> bytes:
    """Of the answer to a configuration with this body."""
    return sha256(octets).digest()[:16]


@dataclass(slots=True)
class Settings:
    """Takes configurations from the broker. Never raises for anything a message does."""

    place: Place
    key_id: Callable[[], bytes]
    present: Config  # as the appliance's own file has it
    shelf: Shelf
    policy: Policy
    audit: AuditLog
    receipts: ReceiptBook
    changed: Callable[[bytes], None]  # a new one is in the file; the id of its receipt
    counts: dict[str, int] = field(default_factory=dict)
    _answered: dict[bytes, None] = field(default_factory=dict)

    def receive(self, payload: bytes, trust: Trust) -> None:
        """One message of the topic."""
        try:
            opened, content = self._admit(payload, trust)
        except Refused as error:
            self._count(error.reason)
            return
        identity = receipt_id(opened.body)
        if identity in self._answered:
            return
        version = Version(content["version"], text_hash(content["text"]))
        try:
            self._require(opened, content)
            if not self.shelf.check(version):
                return  # in force already
            validated(content["text"], self.present)
            self.audit.append("config", version=version.number, sha256=version.sha256.hex(), signers=_names(opened))
            self.shelf.put(Held(identity, version, content["text"]))
        except Refused as error:
            self._refuse(identity, version, error.reason, error.what)
        except ConfigError as error:
            self._refuse(identity, version, "bad-config", str(error))
        except StateError as error:
            self._refuse(identity, version, "state", str(error))
        except OSError as error:
            self._refuse(identity, version, "state", error.strerror or "disk")
        else:
            self._count("taken")
            self._answer(identity, Receipt(identity, NAME, "accepted", "", _result(version)))
            self.changed(identity)

    def report(self, config: Config, error: str) -> None:
        """After the start that brought it into force: version, hash, the hash of what runs now, and errors; once."""
        held = self.shelf.untold()
        if held is None:
            return
        result = _result(held.version) | {"config": bytes.fromhex(config.sha256)}
        self._answer(held.id, Receipt(held.id, NAME, "failed" if error else "done", error, result))
        if self.receipts.flush(FLUSH_S):
            try:
                self.shelf.tell(held.id)
            except OSError:
                self._count("state")

    def _admit(self, payload: bytes, trust: Trust) -> tuple[Opened, dict[str, Any]]:
        opened = open_envelope(payload, trust, expect=(MessageType.CONFIG,))
        require_site(opened, self.place.site)
        _, content = body.decode(MessageType.CONFIG, opened.body)
        if (content["agent"], content["site"]) != (self.place.agent, self.place.site):
            raise Refused(f"a configuration for {content['agent']} at {content['site']}", reason="wrong-agent")
        return opened, content

    def _require(self, opened: Opened, content: dict[str, Any]) -> None:
        """The key it was made for, and signers who may."""
        for entry in opened.signers:
            self.policy.check(NAME, entry.role, len(opened.signers))
        if content["key_id"] != self.key_id():
            raise Refused("made for another key of this tap", reason="wrong-key")

    def _refuse(self, identity: bytes, version: Version, reason: str, what: str) -> None:
        self._count(reason)
        try:
            self.audit.append("refused", reason=reason, command=NAME, id=identity.hex(), version=version.number)
        except OSError:
            self._count("state")
        self._answer(identity, Receipt(identity, NAME, "refused", f"{reason}: {what}", _result(version)))

    def _answer(self, identity: bytes, receipt: Receipt) -> None:
        self._answered[identity] = None
        while len(self._answered) > ANSWERED_MAX:
            del self._answered[next(iter(self._answered))]
        self.receipts.append(MessageType.RECEIPT, receipt.to_content())

    def _count(self, reason: str) -> None:
        self.counts[reason] = self.counts.get(reason, 0) + 1


def _names(opened: Opened) -> str:
    return ",".join(entry.name for entry in opened.signers)


def _result(version: Version) -> dict[str, Any]:
    return {"version": version.number, "sha256": version.sha256}
