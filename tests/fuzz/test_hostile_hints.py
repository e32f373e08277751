"""Structures that lie, loop and overrun: every reader says what it may, in a bounded number of steps."""

import struct
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from agent.packets.hints import READERS
from agent.packets.hints.records import PAYLOAD_MAX_OCTETS
from agent.packets.records import HintKind
from tests.fuzz.hint_cases import EVERY, check
from tests.packets.hints.payloads import PAYLOADS
from tests.packets.hints.test_tls import extension, hello

STEPS_MAX = 40_000  # lines of Python for one payload: ten for each octet that a reader may see
SAMPLES = [(kind, number) for kind in EVERY for number in range(len(PAYLOADS[kind]))]


def steps(kind: HintKind, payload: bytes) -> int:
    """How many lines the reader took; checks what it said."""
    count = 0

    def traced(_: FrameType, event: str, __: Any) -> Any:
        nonlocal count
        count += event == "line"
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        signals = READERS[kind](payload)
    finally:
        sys.settrace(before)
    check(signals)
    return count


def lies(payload: bytes) -> Iterator[bytes]:
    """Every pair of octets as a count or length of nothing, one, half of all, and 65,535; then more than is read."""
    tail = payload * (PAYLOAD_MAX_OCTETS // len(payload))
    for at in range(len(payload) - 1):
        for value in (0, 1, 0x7FFF, 0xFFFF):
            yield payload[:at] + struct.pack(">H", value) + payload[at + 2 :] + tail


@pytest.mark.parametrize(("kind", "number"), SAMPLES)
def test_counts_and_lengths_that_lie(kind: HintKind, number: int) -> None:
    payload = PAYLOADS[kind][number]
    for turn, lying in enumerate(lies(payload)):
        if turn % 7 == 0:
            assert steps(kind, lying) <= STEPS_MAX
        else:
            check(READERS[kind](lying))


@pytest.mark.parametrize("kind", EVERY)
def test_four_kilobytes_of_one_octet_behind_every_head(kind: HintKind) -> None:
    for octet in (0x00, 0x01, 0x02, 0x04, 0x0A, 0x20, 0x30, 0x3C, 0x7F, 0x80, 0xC0, 0xFF):
        for payload in (b"", *PAYLOADS[kind]):
            for size in (0, 4, 12, 20, 44, 240):
                assert steps(kind, payload[:size] + bytes([octet]) * PAYLOAD_MAX_OCTETS) <= STEPS_MAX


def dns(*counts: int, body: bytes) -> bytes:
    """A message with these counts."""
    return struct.pack(">HH4H", 7, 0x8180, *counts) + body


LOOPS = {
    "itself": b"\xc0\x0c",
    "two that point at each other": b"\xc0\x0e\xc0\x0c",
    "forward": b"\xc0\x20" + bytes(40),
    "a chain": b"\1a\0" + b"".join(struct.pack(">H", 0xC00C + 3 * n) + b"\0" for n in range(300)),
    "labels and itself": b"\x3f" + b"a" * 63 + b"\xc0\x0c",
    "past the end": b"\xff\xff",
    "reserved bits": b"\x80\x40",
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    "kind", [HintKind.DNS_QUERY, HintKind.DNS_ANSWER, HintKind.MDNS, HintKind.LLMNR, HintKind.NETBIOS, HintKind.DHCPV6]
)
def test_names_that_loop(kind: HintKind, loop: str) -> None:
    record = LOOPS[loop] + b"\0\x0c\0\1\0\0\0\0" + struct.pack(">H", len(LOOPS[loop])) + LOOPS[loop]
    for counts in ((1, 0, 0, 0), (0, 1, 0, 0), (65535, 65535, 65535, 65535), (0, 65535, 0, 0)):
        for body in (LOOPS[loop] + b"\0\1\0\1", record, record * 40):
            assert steps(kind, dns(*counts, body=body)) <= STEPS_MAX
            assert (
                steps(kind, b"\1\0\0\7\0\x27" + struct.pack(">H", min(len(body) + 1, 65535)) + b"\0" + body)
                <= STEPS_MAX
            )


def test_a_hello_of_a_thousand_suites_and_a_thousand_extensions() -> None:
    assert steps(HintKind.TLS_CLIENT, hello(list(range(1000)), b"")) <= STEPS_MAX
    assert steps(HintKind.TLS_CLIENT, hello([1], b"".join(extension(n) for n in range(1000)))) <= STEPS_MAX
    assert steps(HintKind.TLS_CLIENT, hello([1], extension(0x0A, struct.pack(">H", 4000) + bytes(4000)))) <= STEPS_MAX


def test_options_that_overrun() -> None:
    whole = PAYLOADS[HintKind.DHCP][0]
    for code in (0, 1, 12, 52, 55, 60, 61, 81, 124, 255):
        for size in (0, 1, 2, 254, 255):
            assert steps(HintKind.DHCP, whole[:240] + bytes([code, size]) * 2000) <= STEPS_MAX


def test_heads_without_end() -> None:
    for line in (b"a: b\r\n", b":", b"\r\n", b"Host: " + b"h" * 4000, b"\r", b"User-Agent:\r\n"):
        text = b"GET / HTTP/1.1\r\n" + line * PAYLOAD_MAX_OCTETS
        for kind in (HintKind.HTTP_REQUEST, HintKind.SSDP, HintKind.SIP):
            assert steps(kind, text) <= STEPS_MAX
