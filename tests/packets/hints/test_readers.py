"""Every reader against every kind of damage: none raises, none gives more than the bounds."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.packets.hints import READERS
from agent.packets.hints.records import PAYLOAD_MAX_OCTETS
from agent.packets.records import HintKind
from tests.fuzz.hint_cases import check
from tests.packets.hints.payloads import PAYLOADS

EVERY = sorted(READERS)
SAMPLES = [(kind, number) for kind in EVERY for number in range(len(PAYLOADS[kind]))]


def test_there_is_a_reader_for_every_hint() -> None:
    assert set(READERS) == set(HintKind) - {HintKind.NONE}
    assert set(PAYLOADS) == set(READERS)


@pytest.mark.parametrize(("kind", "number"), SAMPLES)
def test_each_sample_says_something(kind: HintKind, number: int) -> None:
    signals = READERS[kind](PAYLOADS[kind][number])
    assert signals
    check(signals)


@pytest.mark.parametrize(("kind", "number"), SAMPLES)
def test_truncated_at_every_length(kind: HintKind, number: int) -> None:
    whole = PAYLOADS[kind][number]
    for length in range(len(whole)):
        check(READERS[kind](whole[:length]))


@pytest.mark.parametrize(("kind", "number"), SAMPLES)
def test_every_octet_changed(kind: HintKind, number: int) -> None:
    whole = PAYLOADS[kind][number]
    for at in range(len(whole)):
        for value in (0x00, 0xFF, whole[at] ^ 0x80, whole[at] ^ 0x01):
            check(READERS[kind](whole[:at] + bytes([value]) + whole[at + 1 :]))


@pytest.mark.parametrize("kind", EVERY)
def test_other_protocols_payloads(kind: HintKind) -> None:
    for payloads in PAYLOADS.values():
        for payload in payloads:
            check(READERS[kind](payload))


@pytest.mark.parametrize("kind", EVERY)
@given(payload=st.binary(max_size=600))
@settings(max_examples=60, deadline=None)
def test_any_octets(kind: HintKind, payload: bytes) -> None:
    check(READERS[kind](payload))


@pytest.mark.parametrize(("kind", "number"), SAMPLES)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_several_octets_changed(kind: HintKind, number: int, seed: int) -> None:
    draw = random.Random(seed)
    octets = bytearray(PAYLOADS[kind][number])
    for _ in range(draw.randint(1, 12)):
        octets[draw.randrange(len(octets))] = draw.randrange(256)
    check(READERS[kind](bytes(octets)))


@pytest.mark.parametrize("kind", EVERY)
def test_long_payloads_are_cut(kind: HintKind) -> None:
    for payload in PAYLOADS[kind]:
        long = payload + payload * (3 * PAYLOAD_MAX_OCTETS // len(payload))
        check(READERS[kind](long))
        assert READERS[kind](long) == READERS[kind](long[:PAYLOAD_MAX_OCTETS])
