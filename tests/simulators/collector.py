"""A collector of memory: verifies, keeps each record once, acknowledges - over the same broker as the real one.

`stored` is its database: it survives `stop` and `start`. What it keeps is what an acknowledgement promises.
"""

import os
import threading
from dataclasses import dataclass, field, replace
from hashlib import sha256

from agent.clock import SystemClock
from agent.errors import Refused
from agent.signing.envelope import open_envelope, require_origin, seal
from agent.spool.coverage import Coverage
from agent.uplink.records import Arrived, LinkUp, SessionSettings, parse_broker
from agent.uplink.session import Session
from agent.wire import body, topics
from agent.wire.command import Receipt
from agent.wire.delivery import Ack, Epoch
from agent.wire.types import SEQUENCED, MessageType, message_type
from tests.simulators.kit import SITE, Kit

Key = tuple[str, bytes, str, int]  # agent, run, stream, seq


@dataclass
class Held:
    """One stored record."""

    type: str
    body: bytes
    arrivals: int = 1


@dataclass
class CollectorSimulator:
    """One collector at one broker. `mute` makes it take records without storing or acknowledging them.

    So does `summaries_max` with the summaries that come after so many.
    """

    kit: Kit
    url: str
    stored: dict[Key, Held] = field(default_factory=dict)
    conflicts: list[Key] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    presence: dict[str, list[bytes]] = field(default_factory=dict)
    mute: bool = False
    summaries_max: int = 1 << 60
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _outbox: list[tuple[str, bytes, bool]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> "CollectorSimulator":
        """Connect and work in a thread of its own."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._work, name="collector-simulator")
        self._thread.start()
        return self

    def stop(self) -> None:
        """As if its process had ended; what is stored stays."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def send(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish something, such as a command."""
        with self._lock:
            self._outbox.append((topic, payload, retain))

    def seqs(self, run: bytes, stream: str) -> set[int]:
        """What of a run is stored."""
        return {seq for _, held_run, held_stream, seq in list(self.stored) if (held_run, held_stream) == (run, stream)}

    def receipts(self, identity: bytes) -> list[Receipt]:
        """Receipts of one command, by their place in the stream."""
        found = []
        for (_, _, _, seq), held in sorted(self.stored.copy().items(), key=lambda item: item[0][3]):
            if held.type == MessageType.RECEIPT:
                receipt = Receipt.from_content(body.decode(held.type, held.body)[1])
                if receipt.id == identity:
                    found.append((seq, receipt))
        return [receipt for _, receipt in found]

    def _work(self) -> None:
        settings = SessionSettings(
            broker=parse_broker(self.url),
            client_id=f"collector-{os.getpid()}",
            subscriptions=(topics.up_filter(SITE),),
            window=500,
            reconnect_min_s=0.1,
            reconnect_max_s=0.5,
        )
        session = Session(settings, SystemClock())
        try:
            while not self._stop.is_set():
                touched: set[tuple[str, bytes, str]] = set()
                for event in session.step(0.05):
                    if isinstance(event, LinkUp):
                        self._ring(session)
                    elif isinstance(event, Arrived):
                        self._take(event, touched)
                for agent, run, stream in touched:
                    session.publish(topics.down(SITE, agent, "ack"), self.ack(agent, run, stream))
                with self._lock:
                    self._outbox = [item for item in self._outbox if not _sent(session, item)]
        finally:
            session.close()

    def _ring(self, session: Session) -> None:
        epoch = Epoch(SITE, os.urandom(16), SystemClock().wall_ns())
        octets = body.encode(MessageType.EPOCH, None, epoch.to_content())
        session.publish(topics.epoch(SITE), seal(MessageType.EPOCH, octets, [self.kit.collector]), retain=True)

    def _take(self, message: Arrived, touched: set[tuple[str, bytes, str]]) -> None:
        try:
            topic = topics.parse(message.topic)
            opened = open_envelope(message.payload, self.kit.trust)
            header, _ = body.decode(opened.type, opened.body)
            require_origin(opened, header, topic)
        except Refused as error:
            if not self._is_will(message):
                self.refused[error.reason] = self.refused.get(error.reason, 0) + 1
            return
        if message_type(opened.type) not in SEQUENCED or header is None:
            self.presence.setdefault(topic.leaf, []).append(opened.body)
            return
        if self.mute or (opened.type == MessageType.SUMMARY and self._summaries() >= self.summaries_max):
            return
        key = (header.agent, header.run, header.stream, header.seq)
        held = self.stored.get(key)
        if held is None:
            self.stored[key] = Held(opened.type, opened.body)
        elif sha256(held.body).digest() == sha256(opened.body).digest():
            self.stored[key] = replace(held, arrivals=held.arrivals + 1)
        else:
            self.conflicts.append(key)
        touched.add((header.agent, header.run, header.stream))

    def _summaries(self) -> int:
        return sum(held.type == MessageType.SUMMARY for held in self.stored.values())

    def _is_will(self, message: Arrived) -> bool:
        """The one unsigned message: the broker says that an agent vanished."""
        try:
            _, content = body.decode(MessageType.STATE, message.payload)
        except Refused:
            return False
        self.presence.setdefault("will", []).append(message.payload)
        return message.topic.endswith("/up/state") and content["state"] == "lost"

    def ack(self, agent: str, run: bytes, stream: str) -> bytes:
        """What is stored of one run and stream, signed."""
        coverage = Coverage(((seq, seq) for seq in sorted(self.seqs(run, stream))), most=1 << 16)
        upto = coverage.upto
        beyond = tuple(pair for pair in coverage.ranges() if pair[0] > upto)
        content = Ack(agent, SITE, run, stream, upto, beyond, b"").to_content()
        return seal(MessageType.ACK, body.encode(MessageType.ACK, None, content), [self.kit.collector])


def _sent(session: Session, item: tuple[str, bytes, bool]) -> bool:
    topic, payload, retain = item
    return session.connected and session.publish(topic, payload, retain=retain) is not None
