"""Signs what the spool holds, after checking that it says what we may say.

The sensor has no key. Whoever took it over could write anything into its spool: only records that name our agent and
site, their own stream, run and number, in a type that the stream may carry, are signed.
"""

from collections.abc import Callable, Sequence

from agent.errors import Refused, WireError
from agent.signing.envelope import seal
from agent.signing.keys import PrivateKey
from agent.spool.records import SpoolRecord
from agent.wire import body
from agent.wire.command import Receipt
from agent.wire.types import STREAM_TYPES, MessageType, leaf_for, message_type


def _ignore(_receipt: Receipt) -> None:
    """Nobody wants to know."""


class Sealer:
    """One agent's signature. Ed25519 is deterministic (RFC 8032): sealing again gives the same octets."""

    def __init__(self, agent: str, site: str, keys: Sequence[PrivateKey]) -> None:
        self.agent, self.site, self._keys = agent, site, keys
        self.on_receipt: Callable[[Receipt], None] = (
            _ignore  # of the sensor, before it is signed; again when sent again
        )

    def use(self, keys: Sequence[PrivateKey]) -> None:
        """Sign with these from now on."""
        self._keys = keys

    def _hear(self, receipt: Receipt) -> None:
        """A sensor that was taken over must not say that a key was changed or a command refused."""
        if not receipt.sensors:
            raise Refused(f"{receipt.name} {receipt.state} is not the sensor's to say", reason="wrong-receipt")
        self.on_receipt(receipt)

    def seal(self, record: SpoolRecord) -> tuple[str, bytes]:
        """Topic leaf and envelope of a record; Refused with a reason when it is not ours to sign."""
        kind = message_type(record.type)
        if kind is None or kind not in STREAM_TYPES[record.stream]:
            raise Refused(f"{record.type[:40]!r} in the stream {record.stream}", reason="wrong-type")
        header, content = body.decode(kind, record.body)
        if header is None:
            raise WireError("no header", reason="bad-schema")
        if (header.agent, header.site) != (self.agent, self.site):
            raise Refused(f"a record of {header.agent} at {header.site}", reason="wrong-agent")
        if (header.stream, header.run, header.seq) != (record.stream, record.run, record.seq):
            raise Refused("a record that says it is another one", reason="wrong-place")
        if kind == MessageType.RECEIPT and record.stream == "sensor":
            self._hear(Receipt.from_content(content))
        return leaf_for(kind), seal(kind, record.body, self._keys)
