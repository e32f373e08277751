"""The picture of thresholds: its axes, and that scores of misbehaviours and of ordinary things lie apart."""

import pytest

from tests.bench.tradeoff import Panel, panels, picture
from tests.bench.tradeoff_scores import Own, chosen_names, drawn_names, spread, sweep_scores

QUIET = Own(*([(1.0, 2.0)] * len(Own._fields)))


def test_every_panel_has_its_line_within_its_axis_and_both_curves() -> None:
    shown = panels(QUIET)
    assert len({panel.title for panel in shown}) == len(shown) == 8
    for panel in shown:
        assert panel.least < panel.line < panel.most, panel.title
        assert panel.bad, panel.title
        assert panel.own, panel.title
    made = picture(shown, 1.0)
    assert made.count("<polyline") == 2 * len(shown)
    assert all(panel.title in made for panel in shown)


@pytest.mark.parametrize("by_factors", [False, True])
def test_an_axis_runs_from_its_least_to_its_most(by_factors: bool) -> None:
    panel = Panel("a", "b", (1.0,), (2.0,), 10, 1, 100, by_factors=by_factors)
    assert [panel.place(value) for value in (0.1, 1, 100, 1000)] == [0, 0, 1, 1]
    assert panel.place(10) == pytest.approx(0.5 if by_factors else 1 / 11)
    assert panel.steps()[0] == 1
    assert panel.steps()[-1] == pytest.approx(100)
    assert [panel.place(step) for step in panel.steps()] == pytest.approx([n / 100 for n in range(101)])


def test_drawn_letters_lie_apart_from_names_that_people_chose() -> None:
    drawn, chosen = drawn_names(), chosen_names()
    assert sum(bits > 0 for bits in drawn) > 0.9 * len(drawn)
    assert sum(bits > 0 for bits in chosen) < 0.15 * len(chosen)


def test_a_worm_passes_for_as_long_as_most_of_its_targets_fail() -> None:
    scores = sweep_scores()
    assert scores[0] > scores[25] > scores[-1]


def test_misbehaviours_are_spread_by_factors() -> None:
    found = spread(1, 1024)
    assert (found[0], found[-1]) == (1, pytest.approx(1024))
    assert found[25] == pytest.approx(32)
