"""A kit is whole and of its form, or none."""

import base64
import json
from typing import Any

import pytest

from agent.clock import NS_PER_S
from agent.errors import Refused
from agent.signing.kit import KIT_BYTES_MAX, VALID_NS_MAX, Kit, read_kit, token_hash, write_kit

PEM = "-----BEGIN CERTIFICATE-----\nMIIB+/=\n-----END CERTIFICATE-----\n"
KIT = Kit("ward", "tap-9", b"t" * 16, 1000, 1000 + VALID_NS_MAX, "mqtts://broker:8883", b"trust", "{}", ca=PEM * 2)


def test_written_and_read_back() -> None:
    assert read_kit(write_kit(KIT)) == KIT


def test_the_book_does_not_hold_the_token() -> None:
    assert KIT.token.hex() not in token_hash(KIT.token)
    assert token_hash(KIT.token) != token_hash(b"u" * 16)


def spoiled(**changes: Any) -> bytes:
    held = json.loads(write_kit(KIT)) | changes
    return json.dumps({name: value for name, value in held.items() if value is not None}).encode()


WRONG: dict[str, bytes] = {
    "noise": b"\x00noise",
    "a list": b"[]",
    "nested": b"[" * 5000,
    "too large": b" " * (KIT_BYTES_MAX + 1),
    "another version": spoiled(version=2),
    "a field too few": spoiled(token=None),
    "a field too many": spoiled(shell="rm"),
    "a short token": spoiled(token="00"),
    "a token that is none": spoiled(token="zz"),
    "no base64": spoiled(trust="?"),
    "a site that adds a topic level": spoiled(site="ward/+"),
    "an agent that climbs": spoiled(agent="../x"),
    "a broker that is a file": spoiled(broker="file:///etc/passwd"),
    "a broker with a line": spoiled(broker="mqtts://x\nkey = 1"),
    "a certificate that is none": spoiled(ca="#!/bin/sh\n"),
    "longer than a day": spoiled(not_after_ns=1001 + VALID_NS_MAX),
    "over before it began": spoiled(not_after_ns=999),
    "no number": spoiled(issued_ns="1"),
    "a yes": spoiled(issued_ns=True),
}


@pytest.mark.parametrize("name", WRONG)
def test_anything_else_is_no_kit(name: str) -> None:
    with pytest.raises(Refused) as caught:
        read_kit(WRONG[name])
    assert caught.value.reason == "bad-kit"


def test_what_could_not_be_read_is_not_written() -> None:
    with pytest.raises(Refused):
        write_kit(KIT._replace(site="Not A Site"))
    assert base64.b64encode(KIT.trust).decode() in write_kit(KIT).decode()
    assert VALID_NS_MAX == 86_400 * NS_PER_S
