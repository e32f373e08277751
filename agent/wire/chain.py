"""The chain of one stream: gives each body its sequence number, its time and the hash of the body before it."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from agent.clock import Clock
from agent.errors import WireError
from agent.wire import body
from agent.wire.header import NO_PREVIOUS, Header
from agent.wire.types import STREAM_TYPES, MessageType


def body_hash(octets: bytes) -> bytes:
    """What the next header's `prev` must be: SHA-256 of the whole body, encoding octet included."""
    return hashlib.sha256(octets).digest()


@dataclass(slots=True)
class Chain:
    """Writer's end of one (run, stream). Not for several threads at once."""

    agent: str
    site: str
    stream: str
    boot: bytes
    run: bytes
    before_run: bytes
    before_seq: int
    clock: Clock
    seq: int = field(default=0, init=False)  # last one given
    prev: bytes = field(default=NO_PREVIOUS, init=False)

    def next(self, kind: MessageType, content: dict[str, Any]) -> tuple[int, bytes]:
        """Sequence number and body of the next record; nothing is used up when the content is refused (WireError)."""
        if kind not in STREAM_TYPES.get(self.stream, frozenset()):
            raise WireError(f"{kind} has no place in the stream {self.stream!r}", reason="wrong-type")
        state, error_ns = self.clock.state()
        header = Header(
            agent=self.agent,
            site=self.site,
            stream=self.stream,
            boot=self.boot,
            run=self.run,
            before_run=self.before_run,
            before_seq=self.before_seq,
            seq=self.seq + 1,
            prev=self.prev,
            mono_ns=self.clock.mono_ns(),
            wall_ns=self.clock.wall_ns(),
            clock_state=state,
            clock_error_ns=error_ns,
        )
        octets = body.encode(kind, header, content)
        self.seq, self.prev = header.seq, body_hash(octets)
        return self.seq, octets

    def resume(self, seq: int, prev: bytes) -> None:
        """Go on after a record that is already durable in this run: its number and the hash of its body."""
        self.seq, self.prev = seq, prev
