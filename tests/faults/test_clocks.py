"""B9: wall clocks at 1970, ten years ahead, a day behind, jumping: nothing is lost, nothing is stored twice."""

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from agent.clock import NS_PER_S, CaptureClock, SystemClock, boot_id
from agent.service.sensor import _EachSecond, _listen
from agent.spool.records import Identity
from agent.spool.writer import SpoolWriter
from tests.service.bench import Sensor, small
from tests.service.test_sensor import Drowning, Ticking
from tests.simulators import world as simulated
from tests.simulators.bursts import HASHES

YEAR_NS = 365 * 86_400 * NS_PER_S
NOW_NS = 1_790_000_000 * NS_PER_S
Wall = Callable[[int], int]


def jumping(seed: int) -> Wall:
    """A hundred places, one after the other, as simulated time goes on."""
    chance = Random(seed)
    places = [chance.choice((0, NOW_NS, NOW_NS + 10 * YEAR_NS, chance.randrange(30 * YEAR_NS))) for _ in range(100)]
    return lambda mono_ns: places[mono_ns // NS_PER_S % 100] + mono_ns


WALLS: dict[str, Wall] = {
    "1970": lambda mono_ns: mono_ns,
    "+10 years": lambda mono_ns: NOW_NS + mono_ns + (10 * YEAR_NS if mono_ns // (5 * NS_PER_S) % 2 else 0),
    "-1 day": lambda mono_ns: NOW_NS + mono_ns - (86_400 * NS_PER_S if mono_ns // (5 * NS_PER_S) % 2 else 0),
    "100 jumps": jumping(1),
    "100 others": jumping(2),
}


@pytest.mark.parametrize("name", WALLS)
def test_delivery_does_not_rest_on_wall_clocks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wall = WALLS[name]

    class Jumping(CaptureClock):
        def wall_ns(self) -> int:
            return wall(self.now_ns)

    monkeypatch.setattr(simulated, "CaptureClock", Jumping)
    for seed in range(5):
        world = simulated.World(seed)
        world.run()
        assert world.totals["lost in silence"] == 0
        assert world.totals["stored"] > 0


class Leaping(Ticking):
    """The sensor's wall clock, as in WALLS, over a monotonic one that goes on by a quarter of a second."""

    def __init__(self, wall: Wall) -> None:
        super().__init__()
        self.wall, self.began_ns = wall, self.now_ns

    def wall_ns(self) -> int:
        return self.wall(super().wall_ns() - self.began_ns)


@HASHES
@pytest.mark.parametrize("name", WALLS)
def test_a_sensor_meters_every_frame_whatever_the_time(name: str, tmp_path: Path) -> None:
    clock, stop = Leaping(WALLS[name]), threading.Event()
    source, bench = Drowning(clock, stop, drowns_s=0, ends_s=60), Sensor(small(interval_s=10))
    identity, now = Identity("tap-1", "ward", "sensor", boot_id()), SystemClock()
    with contextlib.closing(SpoolWriter.open(tmp_path / "spool", identity, now)) as writer:
        each_second = _EachSecond(small(), tmp_path, writer, now, lambda _: None)
        _listen(source, bench.pipeline, clock, stop, each_second)  # type: ignore[arg-type]
        each_second.close()
    kept = bench.end()
    assert sum(summary.processed + sum(summary.ignored.values()) for summary in kept.summaries) == source.given
    assert source.given > 200
    assert all(summary.interval.end_ns >= summary.interval.start_ns for summary in kept.summaries)
