"""Summaries as differences: each tells of its own interval, cards pass the last gate, edges name devices by number."""

from dataclasses import replace

import numpy as np
import pytest

from agent.devices.folding import ONE_HOST
from agent.devices.identity import Identifier
from agent.devices.packs import Packs
from agent.devices.records import DEVICE, EDGE, NO_SLOT
from agent.devices.view import Ward
from agent.packets.hints.records import Signal
from agent.summaries.builder import ROW_COLUMNS, Contents, Coverage, SummaryBuilder, address_octets
from agent.wire.summary import Interval, Leg, Row
from tests.devices.bench import Bench, hello, number, session, turn
from tests.devices.phones import FIRST as FIRST_DRAWN
from tests.devices.phones import HOST_NUMBER, PUMP, SERVER, joins
from tests.devices.phones import SECOND as SECOND_DRAWN
from tests.service.bench import parts
from tests.simulators.bursts import HASHES

pytestmark = HASHES
NOTHING = Coverage((Leg("eth1", 1, 60, 0, 0, 0),), {"malformed": 2}, 3, 4, 5, 6, 7, {"memory_bytes": 8})
FIRST = Interval(0, 60)


class Made:
    """A table, its view, and a builder over both."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.ward = Ward(self.bench.table, Identifier(Packs.load()))
        self.builder = SummaryBuilder(self.ward, parts().pseudonyms, len(self.bench.table.devices))

    def contents(self, *, most: int = 100) -> Contents:
        """As the pipeline takes them."""
        table = self.bench.table
        edges, _ = table.take_counts(most)
        return Contents(table.devices, table.occupied(), self.ward.take_changed(), edges)

    def rows(self) -> dict[int, Row]:
        """The next summary's rows by device number."""
        return {row.number: row for row in self.builder.build(FIRST, NOTHING, self.contents()).rows}


@pytest.fixture
def made() -> Made:
    """Two devices that greeted."""
    fresh = Made()
    turn(fresh.bench.hear([hello(PUMP), hello(SERVER)]), fresh.ward)
    return fresh


def test_addresses_as_octets() -> None:
    assert address_octets(0, 0xFFFF_0A01_0001) == bytes([10, 1, 0, 1])
    assert address_octets(0xFE80 << 48, 1) == bytes.fromhex("fe80000000000000" + "0000000000000001")
    assert address_octets(0, 1) == bytes(15) + b"\1"


def test_coverage_is_handed_on(made: Made) -> None:
    summary = made.builder.build(FIRST, NOTHING, made.contents())
    assert (summary.interval, summary.legs, summary.ignored) == (FIRST, NOTHING.legs, {"malformed": 2})
    assert (summary.duplicates, summary.truncated, summary.processed) == (3, 4, 5)
    assert (summary.flows_exported, summary.flows_evicted, summary.health) == (6, 7, {"memory_bytes": 8})


def test_rows_are_differences(made: Made) -> None:
    first = made.rows()
    assert {n: (row.tx_packets, row.tx_octets) for n, row in first.items()} == {0: (1, 60), 1: (1, 60)}
    assert made.rows() == {}, "who did nothing is left out"
    made.bench.hear(session((PUMP, SERVER), 1)).wait(10)
    rows = made.rows()
    assert (rows[0].tx_packets, rows[0].rx_packets, rows[0].started, rows[0].answered, rows[0].peers) == (5, 4, 1, 1, 1)
    assert (rows[1].tx_packets, rows[1].rx_packets, rows[1].accepted, rows[1].started) == (4, 5, 1, 0)
    assert made.rows() == {}


def test_a_slot_s_new_owner_starts_at_zero() -> None:
    devices = np.zeros(64, DEVICE)
    made = Made()
    builder = SummaryBuilder(made.ward, parts().pseudonyms, 64)
    slots = np.array([3])
    devices[3]["mac"], devices[3]["tx_packets"], devices[3]["tx_octets"] = 5, 100, 1000
    (row,) = builder._rows(devices, slots, {3: 1})
    assert row.tx_packets == 100
    devices[3]["mac"], devices[3]["tx_packets"], devices[3]["tx_octets"] = 6, 7, 70
    (row,) = builder._rows(devices, slots, {3: 1})
    assert (row.tx_packets, row.tx_octets) == (7, 70)


def test_cards_hold_pseudonyms(made: Made) -> None:
    made.ward.hear(number(PUMP[1]), 0, [Signal("dhcp.host", "PCU-13408871")], 1)
    made.ward.refresh()
    cards = {card.number: card for card in made.builder.build(FIRST, NOTHING, made.contents()).cards}
    card = cards[0]
    assert (card.mac, card.role, list(card.addresses)) == (
        bytes.fromhex("00d07518429b"),
        "infusion-pump",
        [bytes([10, 1, 0, 101])],
    )
    assert list(card.names) == [parts().pseudonyms.name("PCU-13408871")]
    assert "PCU-13408871" not in repr(cards)
    assert 0 < card.confidence_permille <= 1000
    assert all(isinstance(weight, int) for _, _, weight in card.evidence)


def test_cards_say_how_a_device_stands(made: Made) -> None:
    made.builder.build(FIRST, NOTHING, made.contents())
    made.ward.hear(number(PUMP[1]), 0, [Signal("tls.version", "1.0"), Signal("smb.dialect", "1")], 1)
    made.ward.refresh()
    (card,) = made.builder.build(FIRST, NOTHING, made.contents()).cards
    assert list(card.posture) == [("smb", "1"), ("tls-asks", "1.0")]
    assert list(made.builder.build(FIRST, NOTHING, made.contents()).cards) == [], "once, not with each interval"


def test_edges_name_devices_by_number(made: Made) -> None:
    far = ("203.0.113.9", SERVER[1])
    made.bench.hear([*session((PUMP, SERVER), 1), *session((PUMP, far), 2, (50001, 443))]).wait(10)
    edges = {
        (edge.number, edge.direction, edge.port): edge
        for edge in made.builder.build(FIRST, NOTHING, made.contents()).edges
    }
    inside, outside = edges[0, 0, 3613], edges[0, 0, 443]
    assert (inside.peer_number, inside.peer_address, inside.flows) == (1, b"", 1)
    assert (outside.peer_number, outside.peer_address) == (-1, bytes([203, 0, 113, 9]))
    assert (inside.packets_out, inside.packets_in) == (5, 4)
    assert edges[1, 1, 3613].peer_number == 0


def test_edges_leave_by_device_number(made: Made) -> None:
    made.bench.hear(
        [line for port in range(3) for line in session((SERVER, PUMP), port + 1, (50000 + port, 80 + port))]
    ).wait(10)
    edges = made.builder.build(FIRST, NOTHING, made.contents()).edges
    assert [edge.number for edge in edges] == [0, 0, 0, 1, 1, 1]
    assert sorted(edge.port for edge in edges[:3]) == [80, 81, 82]


def test_edges_of_devices_without_a_number_are_left_out() -> None:
    made = Made()
    edge = np.zeros(1, EDGE)
    edge["device"], edge["peer_device"], edge["protocol"] = 5, NO_SLOT, 6
    contents = Contents(made.bench.table.devices, np.zeros(0, np.int64), [], edge)
    assert made.builder.build(FIRST, NOTHING, contents).edges == []


def test_columns_are_those_of_the_wire() -> None:
    assert len(ROW_COLUMNS) == len(Row._fields) - 1
    assert set(ROW_COLUMNS) <= set(DEVICE.names or ())
    assert replace(NOTHING, processed=0).processed == 0


def test_a_phone_that_changed_its_address_within_an_interval_has_one_row() -> None:
    """Counts of both addresses together; neither frames nor octets are lost, and the cards name one of them."""
    made = Made()
    joins(made.bench, made.ward, FIRST_DRAWN, 1, HOST_NUMBER)
    joins(made.bench, made.ward, SECOND_DRAWN, 30, HOST_NUMBER)
    contents = made.contents()
    summary = made.builder.build(FIRST, NOTHING, contents)
    held = contents.devices[contents.slots]
    assert len(held) == 2
    (row,) = summary.rows
    (card,) = summary.cards
    assert row.number == card.number == 0
    assert (row.tx_packets, row.tx_octets) == (held["tx_packets"].sum(), held["tx_octets"].sum())
    assert card.mac == bytes.fromhex(SECOND_DRAWN[1].replace(":", ""))
    assert ("continuity", ONE_HOST, 0) in card.evidence
