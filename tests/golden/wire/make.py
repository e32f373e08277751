"""Writes `vectors.json` and `stream.json`: `python -m tests.golden.wire.make`.

Only a new version of the format may change a vector.
"""

import json
from pathlib import Path
from typing import Any

from agent.clock import CaptureClock
from agent.signing.envelope import pae, seal
from agent.signing.keys import PrivateKey
from agent.wire import body
from agent.wire.chain import Chain
from agent.wire.types import MessageType
from tests.signing.people import AGENT, COLLECTOR, ENGINEER, OPERATOR, RELEASES, STRANGER, TRUST
from tests.wire.samples import BOOT, CONTENTS, RUN, START_NS, header_for

VECTORS, STREAM = (Path(__file__).with_name(name) for name in ("vectors.json", "stream.json"))
SPOKEN: tuple[tuple[str, tuple[MessageType, ...]], ...] = (
    ("sensor", (MessageType.SUMMARY, MessageType.FINDING, MessageType.GAP, MessageType.SUMMARY)),
    ("uplink", (MessageType.CLOCK_ANCHOR, MessageType.UPLINK, MessageType.RECEIPT)),
)
SIGNERS: dict[MessageType, list[PrivateKey]] = {
    MessageType.ACK: [COLLECTOR],
    MessageType.EPOCH: [COLLECTOR],
    MessageType.CONFIG: [ENGINEER],
    MessageType.COMMAND: [OPERATOR],
    MessageType.ENROL: [STRANGER],
    MessageType.TRUST: RELEASES[:2],
    MessageType.RELEASE: RELEASES[:2],
    MessageType.PACK: [ENGINEER],
}


def content_of(kind: MessageType) -> dict[str, Any]:
    """The sample; an enrolment brings the key that signs it."""
    if kind == MessageType.ENROL:
        return CONTENTS[kind] | {"public": STRANGER.public.raw}
    return CONTENTS[kind]


def vector(kind: MessageType) -> dict[str, Any]:
    """One message in all its stages, in hex. Inflated octets are exact; deflated ones depend on the zlib at hand."""
    keys = SIGNERS.get(kind, [AGENT])
    octets = body.encode(kind, header_for(kind), content_of(kind))
    return {
        "type": str(kind),
        "inflated": body.inflated(kind, octets).hex(),
        "body": octets.hex(),
        "signed": pae(kind, octets).hex(),
        "keys": [{"public": key.public.raw.hex(), "key_id": key.key_id.hex()} for key in keys],
        "sealed": seal(kind, octets, keys).hex(),
    }


def trusted() -> list[dict[str, str]]:
    """The trust table as a reader in any language takes it."""
    return [
        {"public": entry.public.raw.hex(), "role": str(entry.role), "name": entry.name, "site": entry.site}
        for entry in TRUST.entries()
    ]


def stream() -> dict[str, Any]:
    """Two streams of one tap, each record with the hash of the one before it: a chain to be verified."""
    messages = []
    for name, kinds in SPOKEN:
        chain = Chain("tap-1", "ward", name, BOOT, RUN, b"", 0, CaptureClock(START_NS))
        messages += [seal(kind, chain.next(kind, CONTENTS[kind])[1], [AGENT]).hex() for kind in kinds]
    return {"keys": trusted(), "messages": messages}


def main() -> None:
    """Write the files."""
    STREAM.write_text(json.dumps(stream(), indent=1) + "\n")
    vectors = [vector(kind) for kind in MessageType]
    VECTORS.write_text(
        json.dumps({"seeds": "one octet 32 times: see tests/signing/people.py", "vectors": vectors}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
