"""What the collector says back: signed acknowledgements of what is durable, and the bell that dates what follows."""

import secrets
from collections.abc import Iterable
from typing import NamedTuple

from agent.collector.records import Position
from agent.signing.envelope import seal
from agent.signing.keys import PrivateKey
from agent.wire import body as wire_body
from agent.wire import topics
from agent.wire.delivery import Ack, Epoch
from agent.wire.types import MessageType

EPOCH_EVERY_S = 60.0
NO_EPOCH = b""


class Outgoing(NamedTuple):
    """One message for the broker."""

    topic: str
    payload: bytes
    retain: bool


class Voice:
    """The collector's key and what it signs. Nothing else of the collector ever signs."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key
        self._epoch = NO_EPOCH

    def acknowledge(self, positions: Iterable[Position]) -> list[Outgoing]:
        """One `ack.v1` per stream; call it only with positions that a commit has returned."""
        return [self._ack(position) for position in positions]

    def ring(self, sites: Iterable[str], wall_ns: int) -> list[Outgoing]:
        """A new random bell for every site, retained: what echoes it was made after `wall_ns`."""
        self._epoch = secrets.token_bytes(16)
        return [self._bell(site, wall_ns) for site in sites]

    @property
    def epoch(self) -> bytes:
        """The newest bell; empty before the first."""
        return self._epoch

    def _ack(self, position: Position) -> Outgoing:
        key = position.key
        ack = Ack(key.agent, key.site, key.run, key.stream, position.upto, position.ranges, self._epoch)
        return self._sealed(MessageType.ACK, ack.to_content(), topics.down(key.site, key.agent, "ack"), retain=False)

    def _bell(self, site: str, wall_ns: int) -> Outgoing:
        epoch = Epoch(site, self._epoch, wall_ns)
        return self._sealed(MessageType.EPOCH, epoch.to_content(), topics.epoch(site), retain=True)

    def _sealed(self, kind: MessageType, content: dict[str, object], topic: str, *, retain: bool) -> Outgoing:
        return Outgoing(topic, seal(kind, wire_body.encode(kind, None, content), [self._key]), retain)
