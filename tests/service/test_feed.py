"""Decoding ahead gives the same bursts in the same order, ends when it is left, and hands a failure over."""

import threading
from collections.abc import Iterator

import pytest

from agent.errors import InputError
from agent.packets.decoder import Decoder
from agent.service.feed import decoded_bursts
from agent.tap.records import Burst, LegCounts
from tests.devices.bench import hello
from tests.flows.talks import HOSTS
from tests.simulators.bursts import HASHES, Heard, burst_of

pytestmark = HASHES


class Memory:
    """A source of forged bursts; raises at the end when told to."""

    live = False

    def __init__(self, bursts: int, error: Exception | None = None) -> None:
        self._left: Iterator[Burst] = iter(self._make(bursts))
        self._error = error
        self.faults: list[InputError] = []

    def _make(self, bursts: int) -> Iterator[Burst]:
        for number in range(bursts):
            yield burst_of(Heard(hello(end, number).octets, 0, time_ns=number) for end in HOSTS)

    def next_burst(self) -> Burst | None:
        burst = next(self._left, None)
        if burst is None and self._error is not None:
            raise self._error
        return burst

    def legs(self) -> list[LegCounts]:
        return []

    def deafen(self) -> None:
        pass

    def close(self) -> None:
        pass


def decoding() -> int:
    """Reading threads that are alive."""
    return sum(thread.name == "decode" for thread in threading.enumerate())


@pytest.mark.parametrize("bursts", [0, 1, 2, 7, 20])
def test_in_order(bursts: int) -> None:
    decoder = Decoder()
    times = [int(decoded.rows["time_ns"][0]) for decoded in decoded_bursts(Memory(bursts), decoder.decode)]
    assert times == list(range(bursts))
    assert decoder.frames == bursts * len(HOSTS)
    assert decoding() == 0


def test_rows_stay_valid_while_the_next_are_decoded() -> None:
    for number, decoded in enumerate(decoded_bursts(Memory(12), Decoder().decode)):
        assert set(decoded.rows["time_ns"][: decoded.count].tolist()) == {number}


def test_leaving_early_ends_the_thread() -> None:
    bursts = decoded_bursts(Memory(50), Decoder().decode)
    next(bursts)
    bursts.close()
    assert decoding() == 0


def test_a_failure_is_raised_on_the_other_side() -> None:
    bursts = decoded_bursts(Memory(3, InputError("broken")), Decoder().decode)
    assert [next(bursts).count for _ in range(3)] == [8, 8, 8]
    with pytest.raises(InputError, match="broken"):
        next(bursts)
    assert decoding() == 0
