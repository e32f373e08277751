"""A site's keys and trust table, and a state directory with them: what a kit and an enrolment leave behind."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from agent import config
from agent.clock import SystemClock, boot_id
from agent.config import Config
from agent.signing.envelope import seal
from agent.signing.keys import PrivateKey
from agent.signing.trust import Trust, TrustEntry, build_trust, open_trust, root_json
from agent.wire import body
from agent.wire.command import Command
from agent.wire.types import MessageType, Role

SITE, AGENT = "ward", "tap-1"
HOUR_NS = 3600 * 10**9


def key_of(name: str) -> PrivateKey:
    """The same key for the same name, in every test."""
    return PrivateKey.from_seed(name.encode().ljust(32, b"."))


class Kit:
    """Everybody's keys, the table that says so, and a state directory laid out with them."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.agent, self.other = key_of("agent"), key_of("other-agent")
        self.collector, self.stranger = key_of("collector"), key_of("stranger")
        self.people = {role: key_of(str(role)) for role in (Role.OPERATOR, Role.ENGINEER, Role.CUSTODIAN)}
        self.second = key_of("second-custodian")
        self.abroad = key_of("operator-of-another-site")
        self.releases = [key_of(f"release-{number}") for number in range(3)]
        self.entries = [
            TrustEntry.for_key(self.agent.public, Role.AGENT, AGENT, SITE),
            TrustEntry.for_key(self.other.public, Role.AGENT, "tap-2", SITE),
            TrustEntry.for_key(self.collector.public, Role.COLLECTOR, "collector", SITE),
            TrustEntry.for_key(self.second.public, Role.CUSTODIAN, "second-custodian", SITE),
            TrustEntry.for_key(self.abroad.public, Role.OPERATOR, "olga", "elsewhere"),
            *(TrustEntry.for_key(key.public, role, f"a-{role}", SITE) for role, key in self.people.items()),
        ]
        self.sealed_trust = build_trust(self.entries, self.releases[:2], version=1, site=SITE)
        roots = [
            TrustEntry.for_key(key.public, Role.RELEASE, f"r-{at}", "root") for at, key in enumerate(self.releases)
        ]
        self.trust = open_trust(self.sealed_trust, Trust(roots))

    def lay(self) -> "Kit":
        """Write the uplink's part of the state directory."""
        own = self.state / "uplink"
        own.mkdir(parents=True)
        self.agent.save(own / "agent.key")
        (own / "trust.bin").write_bytes(self.sealed_trust)
        (own / "trust-root.json").write_text(root_json([key.public for key in self.releases]))
        return self

    def config(self, **uplink: Any) -> Config:
        """A configuration for this state directory."""
        base = config.default(self.state)
        return base._replace(uplink=base.uplink._replace(**uplink))

    def desired(self, text: str, version: int = 1, *signers: PrivateKey, **changes: Any) -> bytes:
        """A sealed configuration; `changes` replace its fields. An engineer signs when nobody is named."""
        content = {"agent": AGENT, "site": SITE, "key_id": self.agent.key_id, "version": version, "text": text}
        octets = body.encode(MessageType.CONFIG, None, content | changes)
        return seal(MessageType.CONFIG, octets, list(signers) or [self.people[Role.ENGINEER]])

    def command(
        self, name: str = "status", signer: Role | PrivateKey = Role.OPERATOR, *more: PrivateKey, **changes: Any
    ) -> bytes:
        """A sealed command; `changes` replace its fields, `more` sign it too."""
        key = signer if isinstance(signer, PrivateKey) else self.people[signer]
        order = Command(
            agent=AGENT,
            site=SITE,
            name=name,
            args={},
            boot=boot_id(),
            id=bytes(15) + b"\x01",
            not_after_mono_ns=SystemClock().mono_ns() + HOUR_NS,
            role=str(signer) if isinstance(signer, Role) else "operator",
        )
        content = replace(order, **changes).to_content()
        return seal(MessageType.COMMAND, body.encode(MessageType.COMMAND, None, content), [key, *more])
