"""new-device: after settling, at the end of the interval, randomised addresses only counted."""

import numpy as np
import numpy.typing as npt

from agent.findings.peers import Peers
from agent.findings.records import Severity
from tests.findings.bench import Bench, S, ids

LOCAL = 0x02 << 40


def slots(*numbers: int) -> npt.NDArray[np.uint32]:
    return np.array(numbers, dtype=np.uint32)


def test_a_device_that_was_brought_in(bench: Bench) -> None:
    slot = bench.add("unknown", label="device 00:d0:75:18:00:00")
    assert not bench.judge(new_devices=slots(slot))
    bench.devices[slot].role, bench.devices[slot].label = "infusion-pump", "infusion pump 00:d0:75:18:00:00 (Maker)"
    (found,) = bench.judge(interval_closed=True)
    assert (found.id, found.severity) == ("new-device", Severity.REVIEW)
    assert found.sentence == (
        "Infusion pump 00:d0:75:18:00:00 (Maker) appeared on the ward's network for the first time; it looks like an "
        "infusion pump."
    )
    assert not bench.judge(interval_closed=True)


def test_nothing_before_the_tap_has_settled(bench: Bench) -> None:
    assert not bench.judge(new_devices=slots(bench.add("unknown")), settled=False, interval_closed=True)


def test_a_device_that_was_known_before_a_restart_is_not_new(bench: Bench) -> None:
    slot, before = bench.add("unknown"), Peers()
    before.meet([bench.mac(slot)], bench.now_ns // S)
    before.settle()
    bench.engine.peers.resume(before.kept(), bench.now_ns // S)
    assert not bench.judge(new_devices=slots(slot), interval_closed=True)


def test_a_gateway_is_not_a_device(bench: Bench) -> None:
    assert not bench.judge(new_devices=slots(bench.add("unknown", gateway=True)), interval_closed=True)


def test_a_link_without_macs_has_no_new_devices(bench: Bench) -> None:
    assert not bench.judge(new_devices=slots(bench.add("unknown", 1 << 63 | 7)), interval_closed=True)


def test_randomised_addresses_are_counted_in_one_digest(bench: Bench) -> None:
    phones = [bench.add("phone", LOCAL | n) for n in range(1, 301)]
    (found,) = bench.judge(new_devices=slots(*phones), interval_closed=True)
    assert found.sentence == "300 new devices with a randomised address appeared on the ward's network."
    assert (found.mac, found.count) == (0, 300)
    more = [bench.add("phone", LOCAL | n) for n in range(1000, 1010)]
    assert not bench.judge(new_devices=slots(*more), interval_closed=True)


def test_where_phones_come_and_go_each_day_only_an_unusual_day_is_told(bench: Bench) -> None:
    said = []
    for day in range(12):
        for n in range(20 if day != 10 else 60):
            phone = bench.add("phone", LOCAL | 1000 * day + n + 1)
            said += [(day, f) for f in bench.judge(new_devices=slots(phone), interval_closed=True)]
        bench.now_ns += 24 * 3600 * S
    assert [day for day, _ in said] == [0, 10]
    assert said[1][1].sentence == "43 new devices with a randomised address appeared on the ward's network."


def test_where_none_ever_comes_one_is_told(bench: Bench) -> None:
    assert not bench.judge(interval_closed=True)
    bench.now_ns += 30 * 24 * 3600 * S
    assert ids(bench.judge(new_devices=slots(bench.add("phone", LOCAL | 7)), interval_closed=True)) == ["new-device"]


def test_a_flood_names_ten_and_counts_the_rest(bench: Bench) -> None:
    flood = [bench.add("unknown") for _ in range(500)]
    said = bench.judge(new_devices=slots(*flood), interval_closed=True)
    assert ids(said) == ["new-device"] * 11
    assert said[-1].sentence == "490 more new devices appeared on the ward's network."


def test_a_slot_that_changed_hands_before_the_interval_closed_is_skipped(bench: Bench) -> None:
    slot = bench.add("unknown")
    assert not bench.judge(new_devices=slots(slot))
    bench.devices[slot].mac = 0x00D075FF0000
    assert not bench.judge(interval_closed=True)
