"""The one table of types."""

import pytest

from agent.errors import WireError
from agent.wire.types import (
    ENVELOPE_OVERHEAD_BYTES,
    KIB,
    PEOPLE,
    RULES,
    SEQUENCED,
    STREAM_TYPES,
    TYPE_BYTES_MAX,
    UNKNOWN_RULE,
    MessageType,
    Role,
    leaf_for,
    message_type,
    rule_for,
)

SIGNERS = {
    "summary finding gap birth state receipt clock-anchor uplink": {Role.AGENT},
    "ack epoch": {Role.COLLECTOR},
    "config": {Role.OPERATOR, Role.ENGINEER, Role.CUSTODIAN},
    "command": {Role.OPERATOR, Role.ENGINEER, Role.CUSTODIAN, Role.COLLECTOR},
    "trust release": {Role.RELEASE},
    "pack": {Role.RELEASE, Role.ENGINEER, Role.CUSTODIAN},
    "enrol": set(),
}


def test_every_type_has_a_rule_and_a_name_that_fits_an_envelope() -> None:
    assert set(RULES) == set(MessageType)
    assert all(len(kind.encode()) <= TYPE_BYTES_MAX for kind in MessageType)


def test_who_may_sign_what_is_as_designed() -> None:
    designed = {f"wardtap/{name}.v1": roles for names, roles in SIGNERS.items() for name in names.split()}
    designed["wardtap/summary.v2"] = designed["wardtap/summary.v1"]
    assert {str(kind): set(rule.signers) for kind, rule in RULES.items()} == designed


def test_sizes_are_as_designed() -> None:
    sizes = {
        kind: RULES[kind].sealed_bytes_max for kind in (MessageType.SUMMARY, MessageType.FINDING, MessageType.COMMAND)
    }
    assert sizes == {MessageType.SUMMARY: 64 * KIB, MessageType.FINDING: 8 * KIB, MessageType.COMMAND: 16 * KIB}
    assert RULES[MessageType.SUMMARY].body_bytes_max == 64 * KIB - ENVELOPE_OVERHEAD_BYTES


def test_trust_and_release_need_two_of_three() -> None:
    for kind in (MessageType.TRUST, MessageType.RELEASE):
        assert (RULES[kind].signers_min, RULES[kind].signers_max) == (2, 3)


def test_only_people_and_release_keys_sign_together() -> None:
    for rule in RULES.values():
        if rule.signers_max > 1:
            assert rule.signers & (PEOPLE | {Role.RELEASE})


def test_streams_hold_what_is_sequenced() -> None:
    assert set().union(*STREAM_TYPES.values()) == SEQUENCED
    assert not {MessageType.BIRTH, MessageType.STATE, MessageType.ACK} & SEQUENCED


def test_a_later_version_keeps_the_rule_of_the_first() -> None:
    assert rule_for("wardtap/command.v2") is RULES[MessageType.COMMAND]
    assert message_type("wardtap/command.v2") is None
    assert leaf_for("wardtap/summary.v12") == "summary"


def test_an_unknown_type_is_an_agents_and_travels_as_uplink() -> None:
    assert rule_for("wardtap/weather.v1") is UNKNOWN_RULE
    assert UNKNOWN_RULE.signers == {Role.AGENT}
    assert UNKNOWN_RULE.leaf == "uplink"


@pytest.mark.parametrize(
    "name",
    ["", "summary.v1", "wardtap/summary", "wardtap/summary.v0", "wardtap/summary.v1\n", "wardtap/Summary.v1", "x" * 99],
)
def test_what_is_no_type_is_refused(name: str) -> None:
    with pytest.raises(WireError) as refused:
        rule_for(name)
    assert refused.value.reason == "wrong-type"
