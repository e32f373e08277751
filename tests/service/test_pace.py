"""The rate of the later part."""

from agent.service.pace import Pace


def test_what_the_beginning_costs_is_not_in_the_rate() -> None:
    pace = Pace()
    for frames in range(1_000, 65_000, 1_000):
        pace.note(frames, 10.0 + frames / 1_000_000)  # ten seconds to get going, then a million a second
    assert round(pace.steady_per_s(64_000, 10.064) or 0) == 1_000_000


def test_the_part_is_at_least_half_and_at_most_three_quarters() -> None:
    for last in (8, 9, 12, 15, 16, 100, 1_000_003):
        pace = Pace()
        for frames in range(1, min(last, 200) + 1):
            pace.note(frames * last // min(last, 200), float(frames))
        marked = last - (pace.steady_per_s(last, 1e9 + 1) or 0) * 1e9
        assert last * 0.24 <= marked <= last * 0.51


def test_too_few_to_tell() -> None:
    pace = Pace()
    assert pace.steady_per_s(0, 1.0) is None
    pace.note(0, 1.0)
    pace.note(700, 2.0)
    assert pace.steady_per_s(700, 2.0) is None, "one burst has no later part"
    assert pace.steady_per_s(1_400, 2.0) is None, "a clock that stood still"
    assert pace.steady_per_s(1_400, 3.0) == 700.0
