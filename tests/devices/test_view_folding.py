"""Drawn addresses in the ward's view: one number, one card, as long as nothing says that there are two hosts."""

from collections.abc import Iterator

import pytest

from agent.devices.folding import ONE_HOST
from agent.devices.identity import Identifier
from agent.devices.packs import Packs
from agent.devices.view import Ward
from agent.packets.hints.records import Signal
from tests.devices.bench import Bench, hello, number, small, turn
from tests.devices.phones import DRAWN_HOST, FIRST, HOST_NUMBER, PUMP, SECOND, SERVER, THIRD, S, joins
from tests.simulators.bursts import HASHES

pytestmark = HASHES
PACKS = Packs.load()
DAY_S = 24 * 3600


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A small table."""
    return Bench(small(devices=64))


@pytest.fixture
def ward(bench: Bench) -> Ward:
    """Its ward."""
    return Ward(bench.table, Identifier(PACKS))


@pytest.mark.parametrize("said", [DRAWN_HOST, HOST_NUMBER])
def test_a_phone_that_draws_a_new_address_is_one(bench: Bench, ward: Ward, said: list[Signal]) -> None:
    """The second address goes on under the first one's number, and its card alone is told, with the reason."""
    old = joins(bench, ward, FIRST, 1, said)
    assert ward.take_changed() == [old]
    new = joins(bench, ward, SECOND, 60, said)
    assert ward.take_changed() == [new]
    assert ward.number(new) == ward.number(old) == 0
    assert ward.fold() == {number(FIRST[1]): number(SECOND[1])}
    assert ward.addresses_before(new) == [number(FIRST[1])]
    assert ONE_HOST in [fact.value for fact in ward.identity(new).evidence]
    assert ONE_HOST not in [fact.value for fact in ward.identity(old).evidence]
    assert ONE_HOST in PACKS
    last = joins(bench, ward, THIRD, 120, said)
    assert ward.take_changed() == [last]
    assert {ward.number(slot) for slot in (old, new, last)} == {0}
    assert ward.addresses_before(last) == [number(FIRST[1]), number(SECOND[1])]


def test_two_phones_that_say_the_same_at_once_are_two(bench: Bench, ward: Ward) -> None:
    old = joins(bench, ward, FIRST, 1, DRAWN_HOST)
    ward.take_changed()
    new = joins(bench, ward, SECOND, 60, DRAWN_HOST)
    ward.take_changed()
    assert ward.number(new) == ward.number(old)
    turn(bench.hear([hello(FIRST, 70)]), ward)
    assert ward.take_changed() == [new], "its card is told again, under a number of its own"
    assert ward.number(new) != ward.number(old)
    assert ward.fold() == {}
    assert ONE_HOST not in [fact.value for fact in ward.identity(new).evidence]
    turn(bench.hear([hello(SECOND, 80)]), ward)
    assert ward.fold() == {}


@pytest.mark.parametrize("host", ["iPhone", "Galaxy-S21", "Annas-iPhone"])
def test_a_name_that_a_maker_or_a_person_chose_folds_nothing_at_first(bench: Bench, ward: Ward, host: str) -> None:
    said = [Signal("dhcp.host", host), *DRAWN_HOST[1:]]
    slots = [joins(bench, ward, end, at, said) for end, at in ((FIRST, 1), (SECOND, 60))]
    assert ward.take_changed() == sorted(slots)
    assert ward.fold() == {}
    assert len({ward.number(slot) for slot in slots}) == 2


@pytest.mark.parametrize(
    ("host", "systems", "is_one"),
    [
        ("Annas-iPhone", ("", ""), True),
        ("Annas-iPhone", ("iphone", "iphone"), True),
        ("Annas-iPhone", ("iphone", "android"), False),
        ("iPhone", ("", ""), False),
        ("Galaxy-S21", ("", ""), False),
    ],
)
def test_an_owners_name_joins_after_a_day_what_runs_one_system(
    bench: Bench, ward: Ward, host: str, systems: tuple[str, str], *, is_one: bool
) -> None:
    """Two phones whose maker named them are two, however long the first has been away."""
    for end, at, agent in ((FIRST, 1, systems[0]), (SECOND, 60, systems[1])):
        said = [Signal("dhcp.host", host), Signal("dhcp.options", "1,2,99"), Signal("dhcp.order", "53,55")]
        joins(bench, ward, end, at, said + [Signal("http.agent", agent)] * bool(agent))
    assert ward.fold() == {}
    turn(bench.hear([hello(SECOND, 2 * DAY_S)]), ward)
    ward.refresh()
    assert ward.fold() == ({number(FIRST[1]): number(SECOND[1])} if is_one else {})


def test_a_card_that_a_maker_made_is_never_folded(bench: Bench, ward: Ward) -> None:
    for end, at in ((PUMP, 1), (SERVER, 60), (FIRST, 120)):
        joins(bench, ward, end, at, HOST_NUMBER)
    assert ward.fold() == {}


def test_a_number_that_was_told_is_kept(bench: Bench, ward: Ward) -> None:
    """The second address was in a summary before it said who it is: its number stays, the table joins all the same."""
    old = joins(bench, ward, FIRST, 1, DRAWN_HOST)
    new = joins(bench, ward, SECOND, 60, [])
    assert ward.take_changed() == sorted((old, new))
    ward.hear(number(SECOND[1]), 0, DRAWN_HOST, 61 * S)
    assert new in ward.take_changed()
    assert (ward.number(old), ward.number(new)) == (0, 1)
    assert ward.addresses_before(new) == [number(FIRST[1])]
