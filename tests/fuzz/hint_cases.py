"""A case for a hint reader - kind and payload - and what must hold of what the reader says of it."""

from collections.abc import Iterator

from agent.packets.hints import READERS
from agent.packets.hints.records import KINDS, SIGNALS_MAX, VALUE_MAX_CHARS, Signal
from agent.packets.records import HintKind
from tests.packets.hints.payloads import PAYLOADS

PAYLOAD_MOST = 4096
EVERY = sorted(READERS)


def case_of(kind: HintKind, payload: bytes) -> bytes:
    """As the fuzzer keeps it: a number for the kind, then the payload."""
    return bytes([EVERY.index(kind)]) + payload


def seeds() -> Iterator[bytes]:
    """Every sample payload, for its own reader and for its neighbour."""
    for number, kind in enumerate(EVERY):
        for payload in PAYLOADS[kind]:
            yield case_of(kind, payload)
            yield case_of(EVERY[(number + 1) % len(EVERY)], payload)


def check(signals: list[Signal]) -> None:
    """The promise every reader gives."""
    assert len(signals) <= SIGNALS_MAX
    for signal in signals:
        assert signal.kind in KINDS
        assert 0 < len(signal.value) <= VALUE_MAX_CHARS
        assert signal.value.isprintable()
        assert signal.subject_mac is None or 0 <= signal.subject_mac < 1 << 48
        assert len(signal.address) in {0, 4, 16}


def judge(case: bytes) -> None:
    """Read; an exception, or a promise that is not kept, ends the run."""
    if case:
        check(READERS[EVERY[case[0] % len(EVERY)]](case[1 : 1 + PAYLOAD_MOST]))
