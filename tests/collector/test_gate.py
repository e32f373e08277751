"""A flood of bad messages, and those who have nothing to do with it."""

from agent.clock import NS_PER_S, CaptureClock
from agent.collector.gate import BAD_BURST, BAD_PER_S, SOURCES_MAX, Gate

BAD, GOOD = "wardtap/1/ward/tap-1/up/summary", "wardtap/1/ward/tap-2/up/summary"


def flood(gate: Gate, clock: CaptureClock, seconds: int) -> int:
    """Ten thousand a second; how many were looked at."""
    looked = 0
    for number in range(seconds * 10_000):
        clock.now_ns += NS_PER_S // 10_000
        if gate.admits(f"{BAD}{number}"):
            looked += 1
            gate.refused(f"{BAD}{number}")
    return looked


def test_a_flood_gets_a_burst_and_then_a_trickle() -> None:
    clock = CaptureClock(NS_PER_S)
    gate = Gate(clock)
    assert BAD_BURST + 3 * BAD_PER_S - 2 <= flood(gate, clock, 3) <= BAD_BURST + 3 * BAD_PER_S + 2
    assert gate.admits(GOOD)
    clock.sleep(3)
    assert gate.admits(BAD)


def test_who_is_authentic_is_never_slowed() -> None:
    gate = Gate(CaptureClock(1))
    assert all(gate.admits(GOOD) for _ in range(10_000))


def test_memory_is_bounded() -> None:
    gate = Gate(CaptureClock(1))
    for number in range(SOURCES_MAX + 500):
        gate.refused(f"wardtap/1/ward/tap-{number}/up/summary")
    assert len(gate._buckets) == SOURCES_MAX
