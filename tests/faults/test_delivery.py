"""Whatever is killed in between: every durable record is at the collector, once. One by one: test_kills.py."""

import random
import time

import pytest

from agent.wire import body
from tests.faults.conftest import SensorProcess, UplinkProcess, Ward, eventually

pytestmark = pytest.mark.broker


def all_once(ward: Ward) -> None:
    """Every durable record is stored, with the bytes of the spool, under one number."""
    assert eventually(ward.delivered), missing(ward)
    durable = ward.durable()  # the uplink may have written one more meanwhile
    assert eventually(lambda: durable.keys() <= ward.collector.stored.keys()), missing(ward)
    for key, octets in durable.items():
        assert ward.collector.stored[key].body == octets
    assert ward.collector.conflicts == []
    assert ward.collector.refused == {}
    run = ward.sensor.run
    assert ward.collector.seqs(run, "sensor") == set(range(1, max(ward.collector.seqs(run, "sensor")) + 1))


def missing(ward: Ward) -> str:
    rest = sorted((key[2], key[3]) for key in set(ward.durable()) - set(ward.collector.stored))
    return f"{len(rest)} not delivered: {rest[:10]}; {ward.uplink.log.read_text()[-1500:]}"


def test_a_quiet_day(ward: Ward) -> None:
    for number in range(200):
        ward.record(number)
    assert ward.sensor.flush(60)
    all_once(ward)
    assert eventually(lambda: len(ward.collector.presence.get("birth", [])) == 1)
    assert ward.uplink.end() == 0


def test_collector_away_and_back(ward: Ward) -> None:
    ward.collector.stop()
    for number in range(100):
        ward.record(number)
    assert ward.sensor.flush(60)
    time.sleep(2.5)
    ward.collector.start()
    all_once(ward)


def test_broker_says_stored_but_the_collector_did_not(ward: Ward) -> None:
    """PUBACK releases nothing: all of it reached the broker and the collector's process, none its database."""
    ward.collector.mute = True
    for number in range(60):
        ward.record(number)
    assert ward.sensor.flush(60)
    time.sleep(2.5)
    assert ward.collector.stored == {}
    ward.collector.mute = False
    all_once(ward)


def test_everything_at_once(ward: Ward) -> None:
    chance = random.Random(11)
    for _ in range(4):
        for number in range(50):
            ward.record(number)
        for strike in chance.sample([ward.broker.kill, ward.collector.stop, ward.uplink.kill], 2):
            strike()
            time.sleep(chance.uniform(0.0, 0.4))
        for number in range(20):
            ward.record(number)
        restore(ward)
    assert ward.sensor.flush(60)
    all_once(ward)


def restore(ward: Ward) -> None:
    """Start again whatever does not run."""
    ward.broker.kill(forget=True)
    ward.broker.start()
    ward.collector.stop()
    ward.collector.start()
    ward.uplink.kill()
    ward.uplink.start()


def test_findings_overtake_a_backlog_of_summaries(ward: Ward) -> None:
    ward.collector.stop()
    ward.uplink.kill()
    for number in range(2000):
        ward.record(number * 5 + 1)
    assert ward.sensor.flush(60)
    ward.collector.summaries_max = 100  # the backlog is there for as long as the finding takes
    ward.collector.start()
    ward.uplink.start()
    assert eventually(lambda: len(ward.collector.seqs(ward.sensor.run, "sensor")) == 100)
    ward.record(0)
    assert eventually(lambda: 2001 in ward.collector.seqs(ward.sensor.run, "sensor"))
    assert len(ward.collector.seqs(ward.sensor.run, "sensor")) == 101
    ward.collector.summaries_max = 1 << 60
    all_once(ward)


def test_a_second_uplink_on_one_state_is_refused_with_the_reason(ward: Ward) -> None:
    """A11: the first goes on."""
    assert eventually(lambda: "connected" in ward.uplink.log.read_text())
    second = UplinkProcess(ward.state, ward.broker.url)
    second.log = ward.state / "second.log"
    assert second.start().wait() != 0
    assert "another process owns this spool" in second.log.read_text()
    ward.record(0)
    assert ward.sensor.flush(60)
    all_once(ward)


def sensor_runs(ward: Ward) -> set[bytes]:
    """Runs of which anything is durable, or was and has arrived."""
    known = [*ward.durable(), *list(ward.collector.stored)]
    return {run for _, run, stream, _ in known if stream == "sensor"}


def test_sensor_and_uplink_killed_while_they_work(ward: Ward) -> None:
    """Both processes die at any moment; each run says where the one before it ended."""
    ward.sensor.close()
    runs: set[bytes] = set()
    chance = random.Random(3)
    for number in range(1, 5):
        child = SensorProcess(ward.state).start()
        assert eventually(lambda count=number: len(sensor_runs(ward)) >= count), "it has written"  # type: ignore[misc]
        time.sleep(chance.uniform(0.0, 0.5))
        if chance.random() < 0.5:
            ward.uplink.kill()
        child.kill()
        ward.uplink.kill()
        ward.uplink.start()
    ward.sensor = ward.open_sensor()
    ward.record(0)
    assert ward.sensor.flush(60)
    assert eventually(ward.delivered), missing(ward)
    assert ward.collector.conflicts == []
    ends: dict[bytes, int] = {}
    links: dict[bytes, tuple[bytes, int]] = {}
    for (_, run, stream, seq), held in ward.collector.stored.items():
        header, _ = body.decode(held.type, held.body)
        assert header is not None
        if stream == "sensor":
            runs.add(run)
            ends[run] = max(ends.get(run, 0), seq)
            links[run] = (header.before_run, header.before_seq)
    assert len(runs) >= 4
    for before_run, before_seq in links.values():
        assert ends.get(before_run, 0) == before_seq
