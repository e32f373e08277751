"""Signs what the spool holds, after checking that it says what we may say.

The sensor has no key. Whoever took it over could write anything into its spool: only records that name our agent and
site, their own stream, run and number, in a type that the stream may carry, are signed.
"""

from collections.abc import Sequence

from agent.errors import Refused, WireError
from agent.signing.envelope import seal
from agent.signing.keys import PrivateKey
from agent.spool.records import SpoolRecord
from agent.wire import body
from agent.wire.types import STREAM_TYPES, leaf_for, message_type


class Sealer:
    """One agent's signature. Ed25519 is deterministic (RFC 8032): sealing again gives the same octets."""

    def __init__(self, agent: str, site: str, keys: Sequence[PrivateKey]) -> None:
        self.agent, self.site, self._keys = agent, site, keys

    def seal(self, record: SpoolRecord) -> tuple[str, bytes]:
        """Topic leaf and envelope of a record; Refused with a reason when it is not ours to sign."""
        kind = message_type(record.type)
        if kind is None or kind not in STREAM_TYPES[record.stream]:
            raise Refused(f"{record.type[:40]!r} in the stream {record.stream}", reason="wrong-type")
        header, _ = body.decode(kind, record.body)
        if header is None:
            raise WireError("no header", reason="bad-schema")
        if (header.agent, header.site) != (self.agent, self.site):
            raise Refused(f"a record of {header.agent} at {header.site}", reason="wrong-agent")
        if (header.stream, header.run, header.seq) != (record.stream, record.run, record.seq):
            raise Refused("a record that says it is another one", reason="wrong-place")
        return leaf_for(kind), seal(kind, record.body, self._keys)
