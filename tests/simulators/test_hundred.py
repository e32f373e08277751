"""A hundred devices: who they are taken to be within ten minutes, with makers and with every maker hidden."""

from functools import cache

from agent.config import Config
from agent.devices.identity import is_random
from agent.devices.packs import Packs
from agent.wire.summary import Summary
from tests.bench.compact import BUDGET, DEVICES, SETTLED, Sealer
from tests.golden.identity.score import Row, total
from tests.service.bench import Sensor
from tests.simulators import hundred
from tests.simulators.bursts import HASHES
from tests.simulators.roster import members

pytestmark = HASHES
RIGHT = 0.98  # of the devices, after ten minutes


@cache
def _told() -> tuple[list[list[Row]], list[Summary]]:
    """What was said of every device at each look, and the summary of each minute that is whole."""
    sensor = Sensor(Config())
    looks = list(hundred.heard(hundred.build(hundred.SEED, hundred.MINUTES), hundred.LOOKS, sensor=sensor))
    return looks, sensor.kept.summaries[: hundred.MINUTES - 1]


def _looks() -> list[list[Row]]:
    return _told()[0]


@cache
def _bare() -> list[Row]:
    ward = hundred.build(hundred.SEED, hundred.MINUTES, bare=True)
    return next(hundred.heard(ward, (hundred.MINUTES,), bare=True))


def test_a_hundred_devices_of_twenty_roles_with_cards_of_the_registry() -> None:
    everybody, packs = members(), Packs.load()
    assert len(everybody) == len({member.mac for member in everybody}) == len({member.last for member in everybody})
    assert len(everybody) == 100
    assert len({member.role for member in everybody}) >= 20
    cards = [int(member.mac.replace(":", ""), 16) for member in everybody]
    assert all(is_random(card) or packs.vendor(card) is not None for card in cards)
    assert sum(map(is_random, cards)) >= 5


def test_within_ten_minutes_nearly_all_are_right_and_none_is_surely_wrong() -> None:
    *_, last = _looks()
    assert total(last).right >= RIGHT * len(last)
    assert [row for rows in _looks() for row in rows if row.surely_wrong()] == []


def test_a_role_once_right_stays_right() -> None:
    before: set[str] = set()
    for rows in _looks():
        right = {row.device for row in rows if row.verdict() == "right"}
        assert before <= right
        before = right


def test_without_makers_none_is_surely_wrong() -> None:
    assert [row for row in _bare() if row.surely_wrong()] == []
    assert total(_bare()).right >= 0.6 * len(_bare())


def test_the_page_has_the_figures() -> None:
    page = hundred.PAGE.read_text("utf-8")
    text = page.partition(f"{hundred.BEGIN}\n")[2].partition(hundred.END)[0]
    assert text == hundred.told(_looks(), _bare()), "python -m tests.simulators.hundred --write"


def test_a_settled_minute_keeps_the_budget_of_the_wire() -> None:
    """Rows and edges, sealed: 32 octets per device, and even per device that said something. Cards come hourly."""
    sealer = Sealer()
    settled = _told()[1][SETTLED:]
    assert len(settled) >= 3
    for minute in map(sealer.minute, settled):
        assert minute.devices >= 70
        assert minute.without_cards <= BUDGET * minute.devices
        assert minute.without_cards <= BUDGET * DEVICES
        assert minute.whole - minute.without_cards <= 10 * DEVICES, "few cards change"


def test_what_is_told_of_the_ward_comes_back_whole() -> None:
    for summary in _told()[1]:
        back = Summary.from_content(summary.to_content())
        assert list(back.rows) == sorted(summary.rows)
        assert list(back.edges) == sorted(summary.edges)
        assert [card.to_list() for card in back.cards] == [card.to_list() for card in summary.cards]
