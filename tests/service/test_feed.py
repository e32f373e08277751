"""Decoding ahead gives the same bursts in the same order, ends when it is left, and hands a failure over."""

import threading
from collections.abc import Iterator

import pytest

from agent.errors import InputError
from agent.packets.decoder import Decoded, Decoder
from agent.packets.records import Rows
from agent.service.feed import Decode, decoded_bursts
from agent.tap.records import BURSTS_AHEAD, Burst, LegCounts
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


def decoding_only(decoder: Decoder) -> Decode:
    """No flow cache behind it."""

    def decode(burst: Burst, rows: Rows, *, hashed: bool) -> Decoded:
        return decoder.decode(burst, rows)._replace(hashed=hashed)

    return decode


def decoding() -> int:
    """Reading threads that are alive."""
    return sum(thread.name == "decode" for thread in threading.enumerate())


@pytest.mark.parametrize("bursts", [0, 1, 2, 7, 20])
def test_in_order(bursts: int) -> None:
    decoder = Decoder()
    times = [int(decoded.rows["time_ns"][0]) for decoded in decoded_bursts(Memory(bursts), decoding_only(decoder))]
    assert times == list(range(bursts))
    assert decoder.frames == bursts * len(HOSTS)
    assert decoding() == 0


def test_rows_stay_valid_while_the_next_are_decoded() -> None:
    for number, decoded in enumerate(decoded_bursts(Memory(12), decoding_only(Decoder()))):
        assert set(decoded.rows["time_ns"][: decoded.count].tolist()) == {number}


def test_leaving_early_ends_the_thread() -> None:
    bursts = decoded_bursts(Memory(50), decoding_only(Decoder()))
    next(bursts)
    bursts.close()
    assert decoding() == 0


def test_a_failure_is_raised_on_the_other_side() -> None:
    bursts = decoded_bursts(Memory(3, InputError("broken")), decoding_only(Decoder()))
    assert [next(bursts).count for _ in range(3)] == [8, 8, 8]
    with pytest.raises(InputError, match="broken"):
        next(bursts)
    assert decoding() == 0


def test_whoever_reads_hashes_when_the_other_side_is_behind() -> None:
    made = threading.Semaphore(0)

    def decode(burst: Burst, rows: Rows, *, hashed: bool) -> Decoded:
        made.release()
        return decoding_only(Decoder())(burst, rows, hashed=hashed)

    bursts = decoded_bursts(Memory(BURSTS_AHEAD), decode)
    taken = [next(bursts)]
    for _ in range(BURSTS_AHEAD):  # all that there is room for, while the first is not given back
        assert made.acquire(timeout=60)
    taken += bursts
    assert [decoded.hashed for decoded in taken[:1] + taken[2:]] == [False] + [True] * (BURSTS_AHEAD - 2)
