"""Slots of devices and edges, and scopes of addresses."""

import numpy as np
import pytest

from agent.devices import placing
from agent.devices.records import DEVICE, EDGE, NO_SLOT, EdgeGate, Scope
from agent.devices.table import site_rows
from tests.devices.bench import OUT, Bench, hello
from tests.flows.talks import Talk
from tests.forge.octets import ip
from tests.simulators.bursts import HASHES

pytestmark = HASHES
KEY = np.array([7, 11], np.uint64)
SLOTS = 64
NONE = site_rows(())
PC, GATEWAY = ("10.1.0.1", "00:d0:75:00:00:01"), "00:00:5e:00:01:01"


SCOPES = [
    ("10.0.0.0", 1), ("10.255.255.255", 1), ("9.255.255.255", 2), ("11.0.0.0", 2), ("172.15.255.255", 2),
    ("172.16.0.0", 1), ("172.31.255.255", 1), ("172.32.0.0", 2), ("192.167.255.255", 2), ("192.168.0.0", 1),
    ("192.168.255.255", 1), ("192.169.0.0", 2), ("100.63.255.255", 2), ("100.64.0.0", 1), ("100.127.255.255", 1),
    ("100.128.0.0", 2), ("169.254.0.1", 0), ("127.0.0.1", 0), ("224.0.0.1", 3), ("239.255.255.255", 3),
    ("255.255.255.255", 4), ("0.0.0.0", 4), ("8.8.8.8", 2), ("fe80::1", 0), ("febf::1", 0), ("fec0::1", 2),
    ("fc00::1", 1), ("fdff::1", 1), ("fe00::1", 2), ("ff02::1", 3), ("::1", 0), ("::", 0), ("2001:db8::1", 2),
]  # fmt: skip


@pytest.mark.parametrize(("address", "scope"), SCOPES)
def test_scope_of_an_address(address: str, scope: int) -> None:
    hi, lo = halves(address)
    assert placing.scope_of(hi, lo, NONE) == scope


def halves(address: str) -> tuple[np.uint64, np.uint64]:
    """As rows hold it."""
    raw = ip(address)
    raw = bytes(10) + b"\xff\xff" + raw if len(raw) == 4 else raw
    return np.uint64(int.from_bytes(raw[:8])), np.uint64(int.from_bytes(raw[8:]))


@pytest.mark.parametrize(
    ("address", "inside"),
    [("203.0.113.1", True), ("203.0.114.1", False), ("2001:db8:5::1", True), ("2001:db8:6::1", False), ("::1", False)],
)
def test_the_site_s_own_networks(address: str, *, inside: bool) -> None:
    sites = site_rows(("203.0.113.0/24", "2001:db8:5::/48", "198.51.100.7/32"))
    assert (placing.scope_of(*halves(address), sites) == Scope.SITE) == inside
    assert placing.scope_of(*halves("198.51.100.7"), sites) == Scope.SITE
    assert placing.scope_of(*halves("198.51.100.8"), sites) == Scope.INTERNET


def test_an_edge_has_the_scope_of_its_peer() -> None:
    talk = Talk((PC, ("203.0.113.9", GATEWAY)))
    talk.tcp(0, 2)
    (edge,) = Bench().hear([hello(PC), *talk.frames]).edges(PC[1], OUT)
    assert edge["scope"] == Scope.INTERNET


def known(*macs: int) -> placing.Known:
    """A table in which these addresses have the slots of their sets, each with one address: its number."""
    table = np.zeros(SLOTS, np.uint64)
    devices = np.zeros(SLOTS, DEVICE)
    found = placing.Known(table, devices, np.zeros(placing.MEMO, np.int64), KEY)
    for mac in macs:
        slot, base = placing.slot_of(table, KEY, np.uint64(mac))
        assert slot == -1
        free = base + int(np.flatnonzero(table[base : base + placing.WAYS] == 0)[0])
        table[free], devices[free]["mac"] = mac, mac
        devices[free]["address_lo"][0], devices[free]["address_count"] = mac, 1
    return found


def test_a_device_is_found_by_its_mac_and_only_with_its_own_address() -> None:
    table = known(5, 6, 7)
    for mac in (5, 6, 7):
        slot = placing.device_of(*table, np.uint64(mac), (np.uint64(0), np.uint64(mac)))
        assert table.macs[slot] == mac
        assert placing.device_of(*table, np.uint64(mac), (np.uint64(0), np.uint64(99))) == NO_SLOT
        assert placing.device_of(*table, np.uint64(mac), (np.uint64(1), np.uint64(mac))) == NO_SLOT
    assert placing.device_of(*table, np.uint64(8), (np.uint64(0), np.uint64(8))) == NO_SLOT
    assert placing.device_of(*table, np.uint64(0), (np.uint64(0), np.uint64(0))) == NO_SLOT, "a free slot is nobody"


def test_the_memo_is_a_shortcut_and_never_believed() -> None:
    table = known(5, 6)
    table.memo[:] = placing.recall(table.macs, KEY, table.memo, np.uint64(6))[0]  # every place says: it is 6
    slot, base = placing.recall(table.macs, KEY, table.memo, np.uint64(5))
    assert table.macs[slot] == 5
    assert base == slot - slot % placing.WAYS
    assert placing.recall(table.macs, KEY, table.memo, np.uint64(9))[0] == -1


def edges(slots: int = SLOTS) -> placing.Edges:
    """No edges."""
    lists = np.zeros((2, slots + 1), np.int64)
    return placing.Edges(
        np.zeros(slots, EDGE), np.zeros(slots, np.uint16), np.zeros(slots, np.uint64), lists[0], lists[1]
    )


def place(table: placing.Edges, counts: np.ndarray, peer: int, digest: int, last_ns: int = 0) -> tuple[int, bool]:  # type: ignore[type-arg]
    """The slot of device 3's TCP edge to port 104 of a peer, filled when it is new."""
    kind, named = np.uint64(6 << 16 | 104), np.uint64(digest)
    slot = placing.find_edge(table.rows, table.tags, 3, (np.uint64(0), np.uint64(peer)), kind, named)
    if slot >= 0:
        return int(slot), False
    slot = placing.edge_room(table.tags, table.ranks, named)
    placing.place_edge(table.tags, counts, slot, named)
    row = table.rows[slot]
    row["device"], row["peer_lo"], row["protocol"], row["port"], row["last_ns"] = 3, peer, 6, 104, last_ns
    rank(table, slot, 0)
    return int(slot), True


def rank(table: placing.Edges, slot: int, gates: int) -> None:
    """As the kernel ranks an edge after each event."""
    table.rows[slot]["gates"] = gates
    table.ranks[slot] = placing.edge_rank(np.int64(table.rows[slot]["last_ns"]), gates)


def test_edges_of_one_digest_are_told_apart() -> None:
    table, counts = edges(), np.zeros(6, np.int64)
    first, second = place(table, counts, 1, 0x1234), place(table, counts, 2, 0x1234)
    assert first[1]
    assert second[1]
    assert first[0] != second[0]
    assert place(table, counts, 1, 0x1234) == (first[0], False)
    assert place(table, counts, 2, 0x1234) == (second[0], False)
    assert counts.tolist()[:2] == [2, 0]


def test_a_full_set_gives_up_a_try_before_a_contact_that_was_answered() -> None:
    table, counts = edges(8), np.zeros(6, np.int64)
    for peer in range(1, 9):
        slot, _ = place(table, counts, peer, peer << 50, 100 - peer)
        rank(table, slot, EdgeGate.ANSWERED if peer > 2 else EdgeGate.REFUSED)
    assert place(table, counts, 9, 9 << 50, 200) == (1, True)
    rank(table, 1, EdgeGate.ANSWERED)
    assert place(table, counts, 10, 10 << 50, 201) == (0, True)
    assert counts.tolist()[:2] == [8, 2]


def test_a_full_set_gives_up_its_longest_silent_edge() -> None:
    table, counts = edges(8), np.zeros(6, np.int64)
    times = [50, 40, 30, 20, 10, 60, 70, 80]
    for peer, last_ns in enumerate(times, start=1):
        assert place(table, counts, peer, peer << 50, last_ns) == (peer - 1, True)
    assert place(table, counts, 9, 9 << 50, 90) == (4, True)
    assert counts.tolist()[:2] == [8, 1]
    assert place(table, counts, 5, 5 << 50, 95) == (3, True), "what was given up is new again"


def test_a_freed_slot_is_used_before_any_is_given_up() -> None:
    table, counts = edges(8), np.zeros(6, np.int64)
    for peer in range(1, 9):
        place(table, counts, peer, peer << 50, 100 - peer)
    table.tags[2], table.rows["protocol"][2] = 0, 0
    assert place(table, counts, 9, 9 << 50) == (2, True)
    assert counts[placing.EDGES_EVICTED] == 0


def test_where_an_edge_is_or_will_be() -> None:
    table, counts = edges(), np.zeros(6, np.int64)
    digest = 77 << 48 | 3
    slot, _ = place(table, counts, 1, digest)
    assert placing.edge_tagged(table.tags, np.uint64(digest)) == slot
    other = np.uint64(79 << 48 | 3)
    assert placing.edge_tagged(table.tags, other) == -1
    assert placing.edge_room(table.tags, table.ranks, other) == slot + 1, "the next free slot of its set"


@pytest.mark.parametrize("last_ns", [0, 1, 1_793_606_400_000_000_000, (1 << 63) - 1])
def test_an_answered_edge_ranks_above_every_try(last_ns: int) -> None:
    answered, tried = placing.edge_rank(0, EdgeGate.ANSWERED), placing.edge_rank(last_ns, EdgeGate.REFUSED)
    assert answered > tried
    assert placing.edge_rank(last_ns, 0) == tried == last_ns
