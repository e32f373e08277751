"""What is usual: pooled by role, ended by the Good-Turing estimate, not poisoned by one device, bounded."""

import numpy as np
import pytest

from agent.devices import baseline as b
from agent.devices.baseline import DAY_NS, HOUR_NS, Baseline, Order, Phase
from agent.devices.records import EDGE, NO_SLOT, Scope
from agent.devices.roles import ROLES

PUMP = ROLES.index("infusion-pump")
NOW = 1_793_606_400 * 10**9
MACS = [0x00D075180000 + n for n in range(64)]
PUMPS = np.full(64, PUMP, np.int16)


def edge(slot: int = 0, port: int = 3613, **fields: int) -> np.ndarray:
    """One edge of a pump to a server of the site."""
    row = np.zeros(1, EDGE)
    row["device"], row["port"], row["protocol"], row["peer_device"] = slot, port, 6, NO_SLOT
    row["scope"] = Scope.SITE
    for name, value in fields.items():
        row[name] = value
    return row


def sight(base: Baseline, slot: int, port: int, hour: int = 0) -> None:
    """A pump's contact in some hour."""
    keys = base.keys(edge(slot, port), PUMPS)
    base.observe(np.array([slot], np.uint32), keys, np.array(MACS, np.uint64), NOW + hour * HOUR_NS)


def is_new(base: Baseline, slot: int, port: int) -> bool:
    """Whether this contact would be said."""
    return base.unknown(base.keys(edge(slot, port), PUMPS), [MACS[slot]], NOW)[0]


def settled(ports: tuple[int, ...] = (3613,), pumps: int = 4) -> Baseline:
    """Some pumps that were heard for three days."""
    base = Baseline(ROLES)
    for hour in range(3):
        for slot in range(pumps):
            for port in ports:
                sight(base, slot, port, hour)
    base.hear(3 * DAY_NS)
    return base


def test_a_kind_tells_apart_what_a_contract_would() -> None:
    base = Baseline(ROLES)
    rows = np.concatenate(
        [
            edge(),
            edge(port=443),
            edge(direction=1),
            edge(protocol=17),
            edge(scope=Scope.INTERNET),
            edge(peer_device=1),
            edge(7),
        ]
    )
    roles = PUMPS.copy()
    roles[1], roles[7] = ROLES.index("pacs"), ROLES.index("printer")
    assert len(set(base.keys(rows, roles).tolist())) == len(rows)


def test_dynamic_ports_are_one_kind_and_a_ping_is_known_by_its_type() -> None:
    base = Baseline(ROLES)
    rows = np.concatenate(
        [edge(port=49152), edge(port=65000), edge(protocol=1, port=0x0800), edge(protocol=1, port=0x0801)]
    )
    keys = base.keys(rows, PUMPS).tolist()
    assert keys[0] == keys[1]
    assert keys[2] == keys[3]


def test_slots_that_do_not_exist_belong_to_no_role() -> None:
    base = Baseline(ROLES)
    (key,) = base.keys(edge(9, peer_device=70), PUMPS[:4]).tolist()
    assert key >> b.ROLE_BIT == len(ROLES) - 1


def test_a_new_pool_learns_and_says_nothing() -> None:
    base = Baseline(ROLES)
    sight(base, 0, 3613)
    assert not is_new(base, 0, 9999)
    assert base.learned("infusion-pump").phase is Phase.LEARNING
    assert not is_new(Baseline(ROLES), 0, 9999)


def test_it_settles_when_little_new_is_to_be_expected() -> None:
    base = settled()
    assert base.learned("infusion-pump") == (Phase.SETTLED, 1.0, 1, 12, 3 * DAY_NS)
    assert is_new(base, 0, 9999)
    assert not is_new(base, 0, 3613)
    assert not is_new(base, 9, 3613), "a pump that came later is judged by all of them"


def test_kinds_that_were_seen_once_keep_it_learning() -> None:
    base = Baseline(ROLES)
    for hour in range(3):
        sight(base, 0, 3613, hour)
    sight(base, 0, 700, 0)
    base.hear(3 * DAY_NS)
    far = base.learned("infusion-pump")
    assert far.phase is Phase.LEARNING
    assert far.confidence == pytest.approx(0.75)
    base.hear(3 * DAY_NS)
    assert base.learned("infusion-pump").phase is Phase.SETTLED, "one kind in six days is less than one in five"


def test_one_sighting_counts_for_a_device_and_hour() -> None:
    base = Baseline(ROLES)
    for _ in range(50):
        sight(base, 0, 3613)
    assert base.learned("infusion-pump").observations == 1
    sight(base, 0, 3613, 1)
    assert base.learned("infusion-pump").observations == 2


def test_what_came_once_while_it_learned_is_new_when_it_comes_again() -> None:
    base = Baseline(ROLES)
    sight(base, 1, 4444)
    base.order_role(Order.FREEZE, "infusion-pump")
    assert is_new(base, 1, 4444)


def test_one_device_alone_teaches_only_itself() -> None:
    base = settled((3613, 443))
    base.order_role(Order.START, "infusion-pump")
    for hour in range(9):
        sight(base, 2, 4444, 10 + hour)
    base.order_role(Order.FREEZE, "infusion-pump")
    assert not is_new(base, 2, 4444)
    assert is_new(base, 1, 4444)


def test_one_device_cannot_fill_its_roles_part() -> None:
    base = Baseline(ROLES)
    for port in range(b.KEYS_A_DEVICE_MAX + 10):
        sight(base, 0, 1000 + port)
    assert len(base.pools[PUMP].kinds) == b.KEYS_A_DEVICE_MAX
    assert base.refused == 10


def test_the_least_useful_kinds_age_out_and_are_counted() -> None:
    base = Baseline(ROLES)
    for hour in range(2):
        sight(base, 0, 3613, hour)
    for number in range(b.KEYS_A_ROLE_MAX + 5):
        sight(base, 1 + number // b.KEYS_A_DEVICE_MAX, 1000 + number, 2)
    pool = base.pools[PUMP]
    assert len(pool.kinds) == b.KEYS_A_ROLE_MAX
    assert pool.aged == 6
    assert not base.unknown(base.keys(edge(0, 3613), PUMPS), [MACS[0]], NOW)[0]


def test_a_frozen_pool_learns_nothing() -> None:
    base = settled()
    sight(base, 0, 9999, 5)
    sight(base, 1, 9999, 6)
    assert is_new(base, 0, 9999)


def test_reset_forgets_a_role() -> None:
    base = settled()
    base.order_role(Order.RESET, "infusion-pump")
    assert base.learned("infusion-pump") == (Phase.LEARNING, 0.0, 0, 0, 0)


def test_approving_a_role_excuses_all_its_devices() -> None:
    base = settled()
    (key,) = base.keys(edge(0, 9999), PUMPS).tolist()
    base.said(MACS[0], key)
    base.order_role(Order.APPROVE, "infusion-pump")
    assert not is_new(base, 0, 9999)
    assert not is_new(base, 3, 9999)


def test_approving_a_device_excuses_only_it() -> None:
    base = settled()
    (key,) = base.keys(edge(0, 9999), PUMPS).tolist()
    base.said(MACS[0], key)
    base.order_device(Order.APPROVE, MACS[0], NOW)
    assert not is_new(base, 0, 9999)
    assert is_new(base, 3, 9999)


def test_a_device_may_learn_by_itself_for_a_week() -> None:
    base = settled()
    base.order_device(Order.START, MACS[0], NOW)
    assert not is_new(base, 0, 9999)
    sight(base, 0, 9999, 1)
    base.order_device(Order.RESET, MACS[1], NOW)
    later = NOW + b.DEVICE_LEARNS_NS
    assert base.unknown(base.keys(edge(0, 7777), PUMPS), [MACS[0]], later)[0]
    assert not base.unknown(base.keys(edge(0, 9999), PUMPS), [MACS[0]], later)[0]


def test_a_frozen_device_teaches_nobody() -> None:
    base = Baseline(ROLES)
    base.order_device(Order.FREEZE, MACS[0], NOW)
    sight(base, 0, 4444)
    assert not base.learned("infusion-pump").observations
    assert not base.pools.get(PUMP, b.Pool()).kinds
    base.order_device(Order.RESET, MACS[0], NOW)
    sight(base, 0, 4444, 1)
    assert base.learned("infusion-pump").observations == 1
    base.order_device(Order.RESET, MACS[0], NOW)
    assert not base.pools[PUMP].kinds


def test_settings_of_devices_and_what_may_be_approved_are_bounded() -> None:
    base = Baseline(ROLES)
    for mac in range(1, b.DEVICES_MAX + 50):
        base.order_device(Order.FREEZE, mac, NOW)
    assert len(base.devices) == b.DEVICES_MAX
    for mac in range(b.PENDING_MAX + 50):
        base.said(mac, PUMP << b.ROLE_BIT | 80)
    base.order_role(Order.APPROVE, "infusion-pump")
    assert len(base.pools[PUMP].kinds) == 1


def test_a_flood_of_kinds_costs_a_bounded_number_of_looks() -> None:
    base = Baseline(ROLES)
    rows = np.repeat(edge(), 5000)
    rows["device"], rows["port"] = np.arange(5000) % 64, 1 + np.arange(5000)
    base.observe(rows["device"], base.keys(rows, PUMPS), np.array(MACS, np.uint64), NOW)
    assert base.pools[PUMP].observations <= b.SIGHTINGS_MAX
    assert base.late == 5000 - b.SIGHTINGS_MAX
