"""A tap's uplink made of memory: signs real records of its own stream, so a collector cannot tell the difference."""

import dataclasses
import secrets
from typing import Any

from agent.clock import CaptureClock
from agent.signing.envelope import seal
from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust, TrustEntry
from agent.wire import body, topics
from agent.wire.chain import Chain
from agent.wire.finding import SCHEMA
from agent.wire.presence import Birth, State
from agent.wire.summary import Card, EdgeRow, Interval, Leg, Row, Summary
from agent.wire.types import MessageType, leaf_for

START_NS = 1_700_000_000_000_000_000
MINUTE_NS = 60_000_000_000
NO_RUN = b""


class Reporter:
    """One agent with its key, its boot and, per stream, its present run."""

    def __init__(self, agent: str = "tap-1", site: str = "ward", key: PrivateKey | None = None) -> None:
        self.agent, self.site = agent, site
        self.key = key or PrivateKey.generate()
        self.boot = secrets.token_bytes(16)
        self.clock = CaptureClock(START_NS)
        self.chain = self.new_chain()

    @property
    def entry(self) -> TrustEntry:
        """Its row in the trust table."""
        return TrustEntry.for_key(self.key.public, "agent", self.agent, self.site)

    def new_chain(self, before_run: bytes = NO_RUN, before_seq: int = 0, stream: str = "sensor") -> Chain:
        """A fresh run, as after a restart."""
        run = secrets.token_bytes(16)
        return Chain(self.agent, self.site, stream, self.boot, run, before_run, before_seq, self.clock)

    def topic(self, kind: str) -> str:
        """Where a message of that type goes."""
        return topics.up(self.site, self.agent, leaf_for(kind))

    def sealed(self, kind: MessageType, content: dict[str, Any], chain: Chain | None = None) -> tuple[str, bytes]:
        """Topic and envelope of the next record."""
        self.clock.sleep(60)
        _, octets = (chain or self.chain).next(kind, content)
        return self.topic(kind), seal(kind, octets, [self.key])

    def summary(self, chain: Chain | None = None, **changes: Any) -> tuple[str, bytes]:
        """The next summary."""
        return self.sealed(MessageType.SUMMARY, summary(self.clock.now_ns, **changes).to_content(), chain)

    def finding(self, chain: Chain | None = None, **changes: Any) -> tuple[str, bytes]:
        """The next finding; `changes` by content key (`sev`, `cause`, `text` ...)."""
        return self.sealed(MessageType.FINDING, finding_map(self.clock.now_ns) | changes, chain)

    def birth(self, **changes: Any) -> tuple[str, bytes]:
        """A birth, signed."""
        birth = Birth(
            agent=self.agent,
            site=self.site,
            boot=self.boot,
            run=self.chain.run,
            version="0.1.0",
            legs=("eth1",),
            contracts="shipped-1",
            limits={"window": 20},
            key_id=self.key.key_id,
            mono_ns=self.clock.mono_ns(),
        )
        content = dataclasses.replace(birth, **changes).to_content()
        octets = body.encode(MessageType.BIRTH, None, content)
        return topics.up(self.site, self.agent, "birth"), seal(MessageType.BIRTH, octets, [self.key])

    def state(self, state: str = "ready") -> tuple[str, bytes]:
        """A state, signed."""
        octets = body.encode(MessageType.STATE, None, self._state(state))
        return topics.up(self.site, self.agent, "state"), seal(MessageType.STATE, octets, [self.key])

    def will(self) -> tuple[str, bytes]:
        """The unsigned hint that the broker publishes when the connection dies."""
        return topics.up(self.site, self.agent, "state"), body.encode(MessageType.STATE, None, self._state("lost"))

    def _state(self, state: str) -> dict[str, Any]:
        return State(self.agent, state, self.clock.mono_ns(), self.chain.run).to_content()


def damaged(message: tuple[str, bytes]) -> tuple[str, bytes]:
    """The same message with one bit of its signature changed."""
    topic, envelope = message
    return topic, envelope[:-1] + bytes([envelope[-1] ^ 1])


def trust_of(*reporters: Reporter, more: tuple[TrustEntry, ...] = ()) -> Trust:
    """A table that knows them."""
    return Trust([*(reporter.entry for reporter in reporters), *more])


PUMP = bytes.fromhex("00d07518429b")
MONITOR = bytes.fromhex("0009fb010203")


def cards() -> tuple[Card, ...]:
    """Two devices."""
    pump = Card(
        number=1,
        mac=PUMP,
        vlan=20,
        role="infusion-pump",
        confidence_permille=930,
        vendor="Alaris Medical",
        model="PC unit",
        addresses=(bytes([10, 20, 0, 11]), bytes.fromhex("fe80" + "00" * 13 + "01")),
        names=("~k3v9x2m1qa",),
        evidence=(("oui", "Alaris Medical", 600), ("dhcp-vendor-class", "alaris", 300)),
        first_ns=START_NS,
        last_ns=START_NS + MINUTE_NS,
        posture=(("service", "telnet"), ("advisory-maker", "ICSMA-23-194-01")),
    )
    monitor = Card(2, MONITOR, 20, "patient-monitor", 880, "Philips", first_ns=START_NS, last_ns=START_NS + MINUTE_NS)
    return (pump, monitor)


def summary(end_ns: int = START_NS + MINUTE_NS, **changes: Any) -> Summary:
    """A minute of a small ward: it adds up (1000 frames = 990 processed + 10 ignored)."""
    plain = Summary(
        interval=Interval(end_ns - MINUTE_NS, end_ns),
        legs=(Leg("eth1", 1000, 640_000, 0, 0, 0),),
        ignored={"not-ip": 10},
        processed=990,
        flows_exported=12,
        health={"memory_bytes": 90_000_000, "software": "0.1.0"},
        cards=cards(),
        rows=(Row(1, 100, 90, 9000, 8000, 3, 2, 1, 0, 2), Row(2, 400, 410, 80_000, 81_000, 0, 0, 0, 4, 1)),
        edges=(
            EdgeRow(1, 0, 6, 3613, 2, b"", 0, 0, 3, 90, 80, 8500, 7600),
            EdgeRow(1, 0, 6, 445, -1, bytes([203, 0, 113, 9]), 2, 7, 1, 3, 0, 180, 0),
        ),
    )
    return dataclasses.replace(plain, **changes)


def finding_map(time_ns: int = START_NS) -> dict[str, Any]:
    """A page about the pump."""
    content = {
        "id": "internet-contact",
        "sev": "page",
        "mac": PUMP,
        "role": "infusion-pump",
        "tier": "vital",
        "t": time_ns,
        "first": time_ns - 5_000_000_000,
        "last": time_ns,
        "count": 1,
        "text": "The infusion pump 00:d0:75:18:42:9b (Alaris Medical) exchanged data with 203.0.113.9 on the internet.",
        "ev": [["peer", "203.0.113.9"], ["port", 443], ["octets", 5210]],
        "attack": ["T1071"],
        "cause": "internet-contact/00:d0:75:18:42:9b/203.0.113.9",
        "expected": "An infusion pump talks to its gateway in this site and to nothing on the internet.",
        "step": "Ask biomedical engineering whether this pump was serviced; leave it running until it is relieved.",
    }
    assert content.keys() == SCHEMA.fields.keys()
    return content
