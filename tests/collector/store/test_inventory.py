from pathlib import Path

from agent.collector import queries, taps
from agent.collector.store.inventory import OTHER_REASON, REASONS_MAX
from agent.collector.store.reader import reading
from agent.wire.summary import Card, Leg, Row
from tests.collector.conftest import Deliver
from tests.simulators.reporter import MINUTE_NS, PUMP, START_NS, Reporter


def card(role: str, last_ns: int) -> tuple[Card, ...]:
    return (Card(1, PUMP, 1, role, 900, first_ns=last_ns - 1, last_ns=last_ns),)


def role_of_pump(state: Path) -> str:
    with reading(state) as reader:
        return str(queries.devices(reader)[0]["role"])


def test_invented_reasons_cannot_grow_the_table(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    for start in range(0, 200, 10):
        deliver(tap.summary(ignored={f"reason-{number}": 1 for number in range(start, start + 10)}))
    with reading(tmp_path) as reader:
        reasons = taps.tap(reader, "ward", "tap-1")["ignored_reasons"]
    assert len(reasons) == REASONS_MAX + 1
    assert sum(reasons.values()) == 200
    assert reasons[OTHER_REASON] == 200 - REASONS_MAX


def test_a_card_of_an_older_run_does_not_hide_a_newer_one(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    old = tap.summary(cards=card("unknown", START_NS))
    tap.chain = tap.new_chain(tap.chain.run, tap.chain.seq)
    deliver(tap.summary(cards=card("infusion-pump", START_NS + MINUTE_NS)))
    deliver(old)  # sent late from the spool
    assert role_of_pump(tmp_path) == "infusion-pump"
    deliver(tap.summary(cards=card("patient-monitor", START_NS + MINUTE_NS)))
    assert role_of_pump(tmp_path) == "patient-monitor"


def test_two_taps_that_see_one_device_make_one_device(deliver: Deliver, tap: Reporter, tmp_path: Path) -> None:
    deliver(tap.summary())
    tap.chain = tap.new_chain()  # another run gives another number to the same device
    deliver(tap.summary(cards=(Card(40, PUMP, 20, "infusion-pump", 930, last_ns=START_NS),), rows=(Row(40, *[1] * 9),)))
    with reading(tmp_path) as reader:
        pumps = [item for item in queries.devices(reader) if item["mac"] == PUMP.hex(":")]
    assert [pump["packets"] for pump in pumps] == [192]


def test_transmissions_before_a_restart_are_not_forgotten(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    deliver(tap.summary(legs=(Leg("eth1", 1, 60, 0, 0, 2),)))
    tap.chain = tap.new_chain(tap.chain.run, tap.chain.seq)
    deliver(tap.summary())
    with reading(tmp_path) as reader:
        assert taps.tap(reader, "ward", "tap-1")["tx_packets"] == 2


def test_a_summary_of_a_silent_minute_is_kept_too(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    deliver(tap.summary(legs=(), ignored={}, processed=0, flows_exported=0, cards=(), rows=(), edges=()))
    with reading(tmp_path) as reader:
        found = taps.tap(reader, "ward", "tap-1")
    assert (found["summaries"], found["frames"], found["ignored_reasons"]) == (1, 0, {})
