"""What is known of the wall clock: steps, a floor, and what the kernel says."""

from dataclasses import dataclass

from agent.clock import ClockState, Discipline
from agent.findings.records import ClockNote
from agent.service.clock_watch import ASK_EVERY_NS, ClockWatch

S = 1_000_000_000


@dataclass
class Hands:
    """Both clocks, moved by hand."""

    mono: int = 100 * S
    wall: int = 1_793_606_400 * S
    word: ClockState = "holdover"

    def mono_ns(self) -> int:
        return self.mono

    def wall_ns(self) -> int:
        return self.wall

    def state(self) -> tuple[ClockState, int]:
        return self.word, -1

    def sleep(self, seconds: float) -> None:
        self.mono += int(seconds * S)
        self.wall += int(seconds * S)


def test_time_that_passes_is_no_step() -> None:
    hands = Hands()
    watch = ClockWatch(hands, lambda: None)
    for _ in range(5):
        assert watch.look() == ClockNote()
        hands.sleep(1)


def test_a_step_is_told_once_and_by_how_much() -> None:
    hands = Hands()
    watch = ClockWatch(hands, lambda: None)
    watch.look()
    hands.wall -= 3600 * S
    hands.sleep(1)
    assert watch.look().stepped_ns == -3600 * S
    assert watch.look().stepped_ns == 0


def test_a_clock_at_its_floor() -> None:
    hands = Hands(word="floor")
    assert ClockWatch(hands, lambda: None).look().behind


def test_the_kernel_is_asked_once_a_minute() -> None:
    hands, asked = Hands(), list[int]()

    def ask() -> Discipline:
        asked.append(hands.mono)
        return Discipline(synced=len(asked) > 1, error_ns=0)

    watch = ClockWatch(hands, ask)
    assert watch.look().kept is False
    hands.sleep(59)
    assert watch.look().kept is False
    hands.sleep(1)
    assert watch.look().kept is True
    assert [later - asked[0] for later in asked] == [0, ASK_EVERY_NS]
