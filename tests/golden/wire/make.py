"""Writes `vectors.json`: `python -m tests.golden.wire.make`. Only a new version of the format may change a vector."""

import json
from pathlib import Path
from typing import Any

from agent.signing.envelope import pae, seal
from agent.signing.keys import PrivateKey
from agent.wire import body
from agent.wire.types import MessageType
from tests.signing.people import AGENT, COLLECTOR, ENGINEER, OPERATOR, RELEASES, STRANGER
from tests.wire.samples import CONTENTS, header_for

VECTORS = Path(__file__).with_name("vectors.json")
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


def main() -> None:
    """Write the file."""
    vectors = [vector(kind) for kind in MessageType]
    VECTORS.write_text(
        json.dumps({"seeds": "one octet 32 times: see tests/signing/people.py", "vectors": vectors}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
