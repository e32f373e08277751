"""What people and release keys sign."""

from typing import Any

import pytest

from agent.errors import WireError
from agent.wire import body
from agent.wire.authority import RELEASE, TRUST, TRUST_ENTRIES_MAX, TRUST_ENTRY
from agent.wire.codec import LIMITS
from agent.wire.types import RULES, MessageType, Role
from tests.wire.samples import CONTENTS

ENTRY = [bytes(8), bytes(32), "agent", "tap-1", "ward", "ed25519", 0, 1]


def test_a_full_trust_table_and_a_full_release_fit_their_sizes() -> None:
    for kind, table in ((MessageType.TRUST, TRUST), (MessageType.RELEASE, RELEASE)):
        assert table.max_bytes < RULES[kind].body_bytes_max
    assert LIMITS.max_array >= TRUST_ENTRIES_MAX
    assert TRUST_ENTRIES_MAX * (len(TRUST_ENTRY.places) + 1) < LIMITS.max_items


@pytest.mark.parametrize("role", Role)
def test_every_role_may_stand_in_the_table(role: Role) -> None:
    entry = [*ENTRY[:2], str(role), *ENTRY[3:]]
    content = CONTENTS[MessageType.TRUST] | {"entries": [entry]}
    assert body.decode(MessageType.TRUST, body.encode(MessageType.TRUST, None, content))[1] == content


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        (MessageType.TRUST, "version", 0),
        (MessageType.TRUST, "entries", [ENTRY[:-1]]),
        (MessageType.TRUST, "entries", [[*ENTRY[:2], "viewer", *ENTRY[3:]]]),
        (MessageType.TRUST, "entries", [[*ENTRY[:5], "rsa", *ENTRY[6:]]]),
        (MessageType.TRUST, "entries", [[bytes(8), bytes(31), *ENTRY[2:]]]),
        (MessageType.CONFIG, "version", 0),
        (MessageType.CONFIG, "text", "x" * 50_000),
        (MessageType.ENROL, "token", b"short"),
        (MessageType.ENROL, "algorithm", "none"),
        (MessageType.RELEASE, "files", [["a", -1, bytes(32)]]),
        (MessageType.RELEASE, "serial", 2**64),
    ],
)
def test_wrong_fields_are_refused(kind: MessageType, key: str, value: Any) -> None:
    with pytest.raises(WireError):
        body.encode(kind, None, CONTENTS[kind] | {key: value})
