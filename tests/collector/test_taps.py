from pathlib import Path

from agent.collector import taps
from agent.collector.intake import judge
from agent.collector.records import Arrival
from agent.collector.store.reader import reading
from agent.collector.store.writer import Store
from agent.wire.parts import split
from agent.wire.summary import Leg
from agent.wire.types import MessageType
from tests.collector.conftest import Deliver, batch_of
from tests.simulators.reporter import START_NS, Reporter, summary, trust_of


def one(state: Path, site: str = "ward") -> dict[str, object]:
    with reading(state) as reader:
        return taps.tap(reader, site, "tap-1")


def test_coverage_adds_up_and_losses_are_those_of_the_run(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    for dropped in (5, 9, 9):  # a leg counts its losses since takeover
        deliver(tap.summary(legs=(Leg("eth1", 1000, 64_000, dropped, 1, 0), Leg("eth2", 500, 32_000, 1, 0, 0))))
    tap.chain = tap.new_chain(tap.chain.run, tap.chain.seq)
    deliver(tap.summary(legs=(Leg("eth1", 1000, 64_000, 2, 0, 0),)))
    found = one(tmp_path)
    assert (found["summaries"], found["frames"], found["processed"]) == (4, 5500, 3960)
    assert (found["dropped"], found["frozen"]) == (12, 1)
    assert found["ignored_reasons"] == {"not-ip": 40}


def test_a_divided_summary_counts_once(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    parts = split(summary(tap.clock.now_ns), table_bytes=200)
    assert len(parts) > 1
    deliver(*(tap.sealed(MessageType.SUMMARY, part.to_content()) for part in parts))
    found = one(tmp_path)
    assert (found["summaries"], found["frames"], found["processed"]) == (1, 1000, 990)
    assert found["legs"][0]["name"] == "eth1"  # type: ignore[index]


def test_presence_is_the_newest_and_an_old_birth_changes_nothing(
    tap: Reporter, deliver: Deliver, tmp_path: Path
) -> None:
    old = tap.birth(version="0.0.9")
    tap.clock.sleep(60)
    deliver(tap.birth(), tap.state(), tap.will())
    deliver(old)
    found = one(tmp_path)
    assert (found["version"], found["state"], found["state_signed"]) == ("0.1.0", "lost", False)


def test_two_sites_may_have_a_tap_of_the_same_name(tmp_path: Path) -> None:
    here, there = Reporter(), Reporter(site="annex")
    trust = trust_of(here, there)
    store = Store.open(tmp_path)
    store.commit(
        batch_of(
            [
                judge(Arrival(*message, START_NS), trust)
                for message in (here.summary(), there.summary(), there.summary())
            ]
        )
    )
    store.close()
    assert (one(tmp_path)["frames"], one(tmp_path, "annex")["frames"]) == (1000, 2000)
    with reading(tmp_path) as reader:
        assert [(item["site"], item["agent"]) for item in taps.taps(reader)] == [("annex", "tap-1"), ("ward", "tap-1")]


def test_what_is_not_here_yet_is_counted(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    messages = [tap.summary() for _ in range(5)]
    deliver(messages[0], messages[4])
    with reading(tmp_path) as reader:
        (stream,) = taps.streams(reader, "ward", "tap-1")
    assert (stream["stored"], stream["waiting"], stream["lost"]) == (2, 3, 0)


def test_the_last_summary_is_the_one_with_the_latest_interval(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    first, second = tap.summary(health={"n": 1}), tap.summary(health={"n": 2})
    deliver(second)
    deliver(first)
    assert one(tmp_path)["health"] == {"n": 2}
