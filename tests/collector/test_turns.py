"""Row B8: whose births alternate is in two boxes; who is only started again, or played again, is not."""

from agent.clock import NS_PER_S
from agent.collector.turns import RETURNS_MIN, RUNS_KEPT, WITHIN_S, Turns
from agent.wire.presence import Birth

SITE = "ward"


def birth(run: int, mono_s: float, agent: str = "tap-1", boot: int | None = None) -> Birth:
    """Of a boot of its own where no other is named."""
    own = bytes([run if boot is None else boot]) * 16
    return Birth(agent, SITE, own, bytes([run]) * 16, "1", (), "", {}, bytes(8), int(mono_s * NS_PER_S))


def heard(*births: tuple[int, int], every_s: int = 2) -> list[bool]:
    """Births as (run, seconds since that box started), heard one after the other."""
    turns = Turns()
    return [turns.born(SITE, birth(*each), at * every_s * NS_PER_S) for at, each in enumerate(births)]


def test_two_that_take_turns_are_found_and_found_again() -> None:
    found = heard((1, 10), (2, 700), (1, 14), (2, 704), (1, 18))
    assert found == [False, False, False, True, True]


def test_a_tap_that_is_started_again_and_links_that_come_and_go_are_not() -> None:
    restarts = [(run, at) for run in range(1, 40) for at in range(10, 13)]
    assert not any(heard(*restarts))


def test_what_a_broker_keeps_and_plays_again_says_nothing() -> None:
    assert not any(heard((1, 10), (2, 20), (1, 10), (2, 20), (1, 9), (2, 20), (1, 10)))


def test_one_birth_that_was_held_back_is_not_enough() -> None:
    """Made before the tap was started again, and handed on afterwards."""
    assert RETURNS_MIN > 1
    assert not any(heard((1, 10), (2, 3), (1, 11), (3, 4)))


def test_births_that_were_held_back_while_the_program_started_again_accuse_nobody() -> None:
    """Of one boot: each is dated by the same clock, whenever it is handed on."""
    turns = Turns()
    made_and_heard = (
        (1, 1000, 1003),
        (2, 1023, 1026),
        (3, 1048, 1051),
        (1, 1017, 1052),
        (2, 1030, 1053),
        (3, 1066, 1068),
    )
    for run, made_s, heard_s in made_and_heard:
        assert not turns.born(SITE, birth(run, made_s, boot=9), heard_s * NS_PER_S)


def test_two_programs_in_one_boot_are_found() -> None:
    turns, found = Turns(), []
    for at, run in enumerate((1, 2, 1, 2)):
        found.append(turns.born(SITE, birth(run, 100 + at, boot=9), at * NS_PER_S))
    assert found == [False, False, False, True]


def test_a_collector_whose_clock_is_set_back_begins_anew() -> None:
    turns, day_s = Turns(), 86_400
    for at, run in enumerate((1, 2)):
        turns.born(SITE, birth(run, 100 + at), (day_s + at) * NS_PER_S)
    found = [turns.born(SITE, birth(run, 110 + at), at * NS_PER_S) for at, run in enumerate((1, 2, 1, 2))]
    assert found == [False, False, False, True]


def test_once_a_day_is_not_taking_turns() -> None:
    assert not any(heard((1, 10), (2, 700), (1, 14), (2, 704), (1, 18), every_s=WITHIN_S + 1))


def test_every_tap_has_turns_of_its_own_and_they_are_bounded() -> None:
    turns = Turns()
    for at in range(4):
        for name in ("tap-1", "tap-2"):
            assert not turns.born(SITE, birth(1 if name == "tap-1" else 2, at, name), at)
    for run in range(100):
        turns.born(SITE, birth(run, 1), 0)
    assert all(len(kept) <= RUNS_KEPT for tap in turns._taps.values() for kept in (tap.newest_ns, tap.lags_ns))
