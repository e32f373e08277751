from pathlib import Path

from agent.collector import queries
from agent.collector.store.reader import reading
from agent.wire.summary import Card, EdgeRow, Interval, Row
from tests.collector.conftest import Deliver
from tests.simulators.reporter import MINUTE_NS, MONITOR, PUMP, START_NS, Reporter


def test_totals_add_up_over_intervals_and_runs(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    deliver(tap.summary(), tap.summary())
    tap.chain = tap.new_chain(tap.chain.run, tap.chain.seq)
    deliver(tap.summary())
    with reading(tmp_path) as reader:
        pump = next(item for item in queries.devices(reader) if item["mac"] == PUMP.hex(":"))
    assert (pump["packets"], pump["octets"]) == (3 * 190, 3 * 17_000)
    assert (pump["flows_started"], pump["flows_failed"]) == (9, 3)
    assert pump["confidence"] == 0.93
    assert pump["evidence"][0] == {"signal": "oui", "value": "Alaris Medical", "weight": 0.6}


def test_rows_that_come_before_their_card_are_not_lost(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    carded, bare = tap.summary(), tap.summary(cards=())
    deliver(bare)
    with reading(tmp_path) as reader:
        assert queries.devices(reader) == []
    deliver(carded)
    with reading(tmp_path) as reader:
        assert queries.devices(reader)[0]["packets"] in {2 * 190, 2 * 810}


def test_the_newest_card_wins_whatever_comes_first(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    old = tap.summary(cards=(Card(1, PUMP, 1, "unknown", 100, first_ns=START_NS, last_ns=START_NS),))
    new = tap.summary(cards=(Card(1, PUMP, 1, "infusion-pump", 900, first_ns=START_NS, last_ns=START_NS + MINUTE_NS),))
    deliver(new)
    deliver(old)
    with reading(tmp_path) as reader:
        assert queries.devices(reader)[0]["role"] == "infusion-pump"


def test_what_summaries_tell_of_an_edge_adds_up(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    first = EdgeRow(1, 0, 6, 3613, 2, b"", 0, 0, 1, 10, 10, 1000, 1000)
    deliver(tap.summary(edges=(first,)), tap.summary(edges=(first._replace(flows=2, packets_out=15, octets_out=1500),)))
    with reading(tmp_path) as reader:
        (edge,) = queries.edges(reader, "ward", PUMP)
    assert (edge["flows"], edge["packets"], edge["octets_out"], edge["octets_in"]) == (3, 45, 2500, 2000)
    assert (edge["peer"], edge["peer_role"], edge["scope"]) == (MONITOR.hex(":"), "patient-monitor", "this segment")


def test_how_a_device_stands_is_stored_and_the_newest_card_tells_it(
    tap: Reporter, deliver: Deliver, tmp_path: Path
) -> None:
    deliver(tap.summary())
    with reading(tmp_path) as reader:
        pump = queries.device(reader, "ward", PUMP)
        assert pump is not None
        assert pump["posture"] == [
            {"aspect": "service", "word": "telnet"},
            {"aspect": "advisory-maker", "word": "ICSMA-23-194-01"},
        ]
        assert [one["mac"] for one in queries.all_devices(reader)] == sorted([PUMP.hex(":"), MONITOR.hex(":")])
    deliver(tap.summary(cards=(Card(1, PUMP, 20, "infusion-pump", 930, last_ns=START_NS + 9 * MINUTE_NS),)))
    with reading(tmp_path) as reader:
        assert next(one for one in queries.all_devices(reader) if one["mac"] == PUMP.hex(":"))["posture"] == []


def test_a_cause_folds_over_taps_restarts_and_repeats(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    deliver(tap.finding(count=1), tap.finding(count=7))  # a tap counts since its run began
    tap.chain = tap.new_chain(tap.chain.run, tap.chain.seq)
    deliver(tap.finding(count=2))
    with reading(tmp_path) as reader:
        (finding,) = queries.findings(reader)
    assert finding["count"] == 9
    assert finding["first_ns"] < finding["last_ns"]


def test_a_graver_severity_stays_and_brings_its_sentence(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    deliver(
        tap.finding(sev="review", text="Mild."),
        tap.finding(sev="page", text="Grave."),
        tap.finding(sev="posture", text="Nothing."),
    )
    with reading(tmp_path) as reader:
        (finding,) = queries.findings(reader)
        assert queries.severities(reader) == {"page": 1, "review": 0, "health": 0, "posture": 0}
    assert (finding["severity"], finding["sentence"]) == ("page", "Grave.")


def test_the_gravest_finding_comes_first(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    deliver(*(tap.finding(sev=severity, cause=severity) for severity in ("posture", "page", "health", "review")))
    with reading(tmp_path) as reader:
        assert [item["severity"] for item in queries.findings(reader)] == ["page", "review", "health", "posture"]
        assert queries.devices(reader) == []


def test_octets_per_device_and_minute(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    deliver(tap.birth())
    with reading(tmp_path) as reader:
        assert queries.octets_per_device_minute(reader) is None
    rows = tuple(Row(number, 1, 1, 60, 60, 0, 0, 0, 0, 1) for number in range(50))
    sealed = tap.summary(cards=(), edges=(), rows=rows, interval=Interval(START_NS, START_NS + MINUTE_NS))
    deliver(sealed)
    with reading(tmp_path) as reader:
        assert queries.octets_per_device_minute(reader) == len(sealed[1]) / 50


def test_a_dump_names_every_record(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    deliver(tap.summary())
    with reading(tmp_path) as reader:
        (record,) = queries.dump(reader)
    assert record == {
        "agent": "tap-1",
        "site": "ward",
        "run": tap.chain.run.hex(),
        "stream": "sensor",
        "seq": 1,
        "sha256": tap.chain.prev.hex(),
        "type": "wardtap/summary.v2",
        "received": START_NS,
    }
