"""The floor and the four states, with a machine's clock that a test sets as it likes."""

import json
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from agent.clock import NS_PER_S, Discipline
from agent.service import timekeeping
from agent.service.cli import main
from agent.service.timekeeping import DRIFT_PPM, SLACK_NS, KeptTime, built_ns
from agent.wire import body
from agent.wire.chain import Chain
from agent.wire.header import Header
from agent.wire.summary import Interval, Summary
from agent.wire.types import MessageType

DAY_NS = 86_400 * NS_PER_S
YEAR_NS = 365 * DAY_NS
BUILT_NS = 1_780_000_000 * NS_PER_S
NOW_NS = BUILT_NS + 100 * DAY_NS
END_NS = NOW_NS + YEAR_NS


class Machine:
    """Two clocks and what the kernel says of them."""

    def __init__(self, wall_ns: int) -> None:
        self.wall, self.mono, self.kept = wall_ns, 50 * NS_PER_S, Discipline(synced=False, error_ns=16 * NS_PER_S)

    def wall_ns(self) -> int:
        return self.wall

    def mono_ns(self) -> int:
        return self.mono

    def state(self) -> tuple[str, int]:
        raise AssertionError

    def sleep(self, seconds: float) -> None:
        self.wall += int(seconds * NS_PER_S)
        self.mono += int(seconds * NS_PER_S)


def kept(machine: Machine, path: Path) -> KeptTime:
    return KeptTime(path, machine, lambda: machine.kept, lambda: BUILT_NS)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "uplink" / "time.json"


def test_nobody_has_told_us(path: Path) -> None:
    machine = Machine(NOW_NS)
    clock = kept(machine, path)
    assert clock.state() == ("none", -1)
    assert clock.wall_ns() == NOW_NS


def test_at_1970_it_is_at_least_when_it_was_built_and_time_goes_on(path: Path) -> None:
    machine = Machine(0)
    clock = kept(machine, path)
    assert clock.state() == ("floor", -1)
    assert clock.wall_ns() == BUILT_NS
    machine.sleep(1000)
    passed_ns = clock.wall_ns() - BUILT_NS
    assert 999 * NS_PER_S < passed_ns <= 1000 * NS_PER_S, "or nothing would ever be due"


def test_a_bell_is_a_floor_up_to_the_end_of_the_trust_table(path: Path) -> None:
    machine = Machine(0)
    clock = kept(machine, path)
    clock.tell(NOW_NS, END_NS)
    assert clock.wall_ns() == NOW_NS
    clock.tell(NOW_NS - DAY_NS, END_NS)
    assert clock.wall_ns() == NOW_NS, "an old one lowers nothing"
    clock.tell(NOW_NS + 100 * YEAR_NS, END_NS)
    assert clock.wall_ns() == END_NS
    machine.wall = NOW_NS + 2 * YEAR_NS
    assert clock.state() == ("holdover", -1)


def test_what_was_told_outlives_the_process_and_reaches_the_sensor(path: Path) -> None:
    uplink, sensor = kept(Machine(0), path), Machine(0)
    reader = kept(sensor, path)
    uplink.tell(NOW_NS, END_NS)
    uplink.keep()
    assert reader.wall_ns() == BUILT_NS
    sensor.sleep(60)
    reader.state()
    assert reader.wall_ns() >= NOW_NS
    assert kept(Machine(0), path).wall_ns() == NOW_NS


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"told_ns": -1}', b'{"told_ns": "9"}', b'{"told_ns": 1e30}', b"[" * 250]
)
def test_a_damaged_file_tells_nothing(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert kept(Machine(NOW_NS), path).state() == ("none", -1)


def test_synced_then_left_alone_the_error_grows(path: Path) -> None:
    machine = Machine(NOW_NS)
    clock = kept(machine, path)
    machine.kept = Discipline(synced=True, error_ns=2_000_000)
    assert clock.state() == ("synced", 2_000_000)
    machine.sleep(3600)
    machine.kept = Discipline(synced=False, error_ns=0)
    assert clock.state() == ("holdover", 2_000_000 + 3600 * NS_PER_S * DRIFT_PPM // 1_000_000)
    machine.sleep(1000)
    assert clock.state() == ("holdover", 2_000_000 + 4600 * NS_PER_S * DRIFT_PPM // 1_000_000)


def test_the_kernel_is_asked_once_a_second(path: Path) -> None:
    machine, asked = Machine(NOW_NS), list[int]()

    def ask() -> Discipline:
        asked.append(1)
        return machine.kept

    clock = KeptTime(path, machine, ask, lambda: BUILT_NS)  # type: ignore[arg-type]
    for _ in range(100):
        clock.state()
        machine.sleep(0.1)
    assert len(asked) == 10


def test_a_bell_a_little_ahead_is_no_reason_to_doubt_a_clock_that_is_kept(path: Path) -> None:
    machine = Machine(NOW_NS)
    machine.kept = Discipline(synced=True, error_ns=1)
    clock = kept(machine, path)
    clock.tell(NOW_NS + SLACK_NS // 2, END_NS)
    assert clock.state()[0] == "synced"
    assert clock.wall_ns() == NOW_NS + SLACK_NS // 2
    clock.tell(NOW_NS + DAY_NS, END_NS)
    assert clock.state()[0] == "floor"


def test_an_unsigned_time_is_never_written_down(path: Path) -> None:
    machine = Machine(NOW_NS + 10 * YEAR_NS)
    machine.kept = Discipline(synced=True, error_ns=1)
    clock = kept(machine, path)
    clock.tell(NOW_NS, END_NS)
    clock.state()
    clock.keep()
    assert json.loads(path.read_text()) == {"told_ns": NOW_NS}
    machine.wall = NOW_NS + NS_PER_S
    assert clock.wall_ns() == NOW_NS + NS_PER_S, "ten years ahead for a while does no lasting harm"


JUMPS = {"1970": (0,), "+10 years": (NOW_NS + 10 * YEAR_NS,), "-1 day": (NOW_NS - DAY_NS,)}
JUMPS["a hundred"] = tuple(Random(7).choice((0, 1, NOW_NS)) + Random(n).randrange(20 * YEAR_NS) for n in range(100))


@pytest.mark.parametrize("name", JUMPS)
def test_order_rests_on_the_chain_and_no_duration_is_negative(path: Path, name: str) -> None:
    machine = Machine(NOW_NS)
    clock = kept(machine, path)
    clock.tell(NOW_NS, END_NS)
    chain = Chain("tap-1", "ward", "sensor", bytes(16), bytes(16), b"", 0, clock)
    headers = list[Header]()
    for place in (NOW_NS, *JUMPS[name], NOW_NS):
        machine.wall = place
        machine.mono += 60 * NS_PER_S
        machine.kept = Discipline(synced=place == NOW_NS, error_ns=1)
        _, octets = chain.next(MessageType.SUMMARY, Summary(Interval(1, 2)).to_content())
        found = body.peek(MessageType.SUMMARY, octets)
        assert found is not None
        headers.append(found)
        low = place + SLACK_NS < clock.floor_ns
        assert (found.clock_state == "floor") == low
        assert found.clock_state != "synced" or place == NOW_NS
    assert [header.seq for header in headers] == list(range(1, len(headers) + 1))
    assert all(later.mono_ns > before.mono_ns for before, later in pairwise(headers))
    assert min(header.wall_ns for header in headers) >= NOW_NS
    assert {header.clock_state for header in headers} <= {"synced", "floor", "holdover"}


def test_the_release_knows_when_it_was_laid(monkeypatch: pytest.MonkeyPatch) -> None:
    assert built_ns() > 0
    monkeypatch.setattr(timekeeping, "__file__", "/nowhere")
    assert built_ns() == 0


def test_a_clock_that_is_behind_is_set_and_one_that_is_not_is_left(path: Path) -> None:
    machine = Machine(0)
    clock = kept(machine, path)
    clock.tell(NOW_NS, END_NS)

    def set_wall(wall_ns: int) -> None:
        machine.wall = wall_ns

    assert clock.correct(set_wall) == NOW_NS
    assert machine.wall == NOW_NS
    assert clock.correct(set_wall) == 0
    machine.wall = NOW_NS + YEAR_NS
    assert clock.correct(set_wall) == 0
    assert machine.wall == NOW_NS + YEAR_NS


def test_the_program_says_how_sure_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clock", "--state", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "not before" in said
    assert said.split(" (")[0] in {"none", "holdover", "synced", "floor"}
