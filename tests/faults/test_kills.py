"""Rows A1, B1, B2, B3, E1, E2: whatever is killed, as often as asked, what was called durable is stored, once."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from agent.wire import topics
from tests.faults.matrix import FULL, count, tally
from tests.faults.site import Forgetful, Site
from tests.simulators.kit import SITE

pytestmark = pytest.mark.broker
LIFE_S, BROKER_LIFE_S = 2.0, 1.5
Make = Callable[..., Site]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes the site of a test, and ends it."""
    made: list[Site] = []

    def site(**choices: str | float | bool) -> Site:
        made.append(Site(tmp_path, **choices))  # type: ignore[arg-type]
        return made[-1]

    yield site
    for each in made:
        each.end()


def settle(site: Site, row: str, faults: int, *databases: Path) -> None:
    """The sensor ends, the rest arrives; everything that was promised is there, nothing is there twice."""
    site.rest()
    found = site.delivered(*databases)
    tally(row, sent=found.sent, faults=faults, lost=found.lost, duplicated=found.duplicated)
    assert found.sent > faults, "the sensor wrote less than one record for each fault"
    assert (found.lost, found.duplicated) == (0, 0), (site.state / "uplink.log").read_text()[-1500:]


def test_sensor_uplink_and_collector_killed_at_any_moment(make: Make) -> None:
    """A1: each of the three dies at a moment of its own, so they also die together."""
    site = make()
    site.strike([site.sensor, site.uplink, site.collector], count("A1"), LIFE_S, 1)
    settle(site, "A1", count("A1"))


@pytest.mark.parametrize(("row", "forget"), [("B1", False), ("B2", True)], ids=["kept", "deleted"])
def test_broker_killed_and_its_state(make: Make, row: str, forget: bool) -> None:
    """B1: it dies with what it did not save in time. B2: its state is deleted each time as well."""
    site = make()
    site.strike([Forgetful(site.broker, forget=forget)], count(row), BROKER_LIFE_S, 2)
    settle(site, row, count(row))


@pytest.mark.skipif(not FULL, reason="the full form asks for WARDTAP_SLOW=1")
def test_broker_killed_that_saves_every_half_an_hour(make: Make) -> None:
    """B1 with mosquitto as it is shipped: lives of five to thirty seconds, ten minutes of them."""
    site, chance, faults = make(autosave=False), Random(6), 0
    until_s = time.monotonic() + count("B1-default")
    while time.monotonic() < until_s:
        time.sleep(chance.uniform(5, 30))
        site.broker.kill()
        site.broker.start()
        faults += 1
    settle(site, "B1", faults)


@pytest.mark.skipif(not FULL, reason="the full form asks for WARDTAP_SLOW=1")
def test_a_collector_that_is_away_for_five_minutes(make: Make) -> None:
    """B3: the broker has room for ten of some ten thousand."""
    site = make(broker="max_queued_messages 10\nmax_inflight_messages 10\n")
    site.collector.kill()
    time.sleep(count("B3-away"))
    site.collector.start()
    settle(site, "B3", 1)


def test_a_broker_that_keeps_ten_messages(make: Make) -> None:
    """B3: more waits for a collector that is away than the broker keeps; it drops the rest after its PUBACK."""
    site = make(broker="max_queued_messages 10\nmax_inflight_messages 10\n", pause_s=0.02)
    for _ in range(count("B3")):
        site.collector.kill()
        before = sum(site.promised().values())
        while sum(site.promised().values()) < before + 60:
            site.idle()
        site.collector.start()
        site.idle()
    settle(site, "B3", count("B3"))


def test_collector_killed_at_any_moment(make: Make) -> None:
    """E1: the real one behind a real broker; what it acknowledged the uplink does not send again."""
    site = make(pause_s=0.01)
    site.strike([site.collector], count("E1"), LIFE_S / 2, 3)
    settle(site, "E1", count("E1"))


def test_one_of_two_on_a_shared_subscription_is_killed(make: Make) -> None:
    """E2: the broker splits the work and does not hand on what the dead one had; the uplink does."""
    site = make(pause_s=0.01)
    site.collector.kill()
    site.programs.remove(site.collector)
    shared = f"$share/both/{topics.up_filter(SITE)}"
    both = [site.another_collector(name, shared) for name in ("left", "right")]
    for one in both:
        one.start()
    site.programs += both
    site.strike(both[:1], count("E2"), LIFE_S / 2, 4)
    databases = [site.collected.with_name(name) for name in ("left", "right")]
    settle(site, "E2", count("E2"), *databases)
