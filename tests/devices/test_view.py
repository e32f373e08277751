"""Table and identity joined: numbers, roles by slot, who is forgotten, what is told once."""

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from agent.devices.identity import Identifier
from agent.devices.packs import SPEAKS_FOR_OTHERS, Packs
from agent.devices.records import EDGE
from agent.devices.roles import ROLE_INDEX, UNKNOWN
from agent.devices.view import GRANTS_MAX, ROUTERS_MAX, SMB1_MAX, Ward, mac_text
from agent.packets.hints import READERS
from agent.packets.hints.records import Signal
from agent.packets.records import HintKind, application_name
from tests.devices.bench import GATEWAY, Bench, hello, number, session, small, turn
from tests.flows.talks import HOSTS
from tests.forge import dhcp
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.ipv4 import UDP, Ipv4
from tests.forge.pcap import Frame
from tests.forge.udp import Udp
from tests.simulators.bursts import HASHES

pytestmark = HASHES
PACKS = Packs.load()
PUMP = ("10.1.0.101", "00:d0:75:18:42:9b")
SERVER = ("10.1.0.10", "d4:ae:52:10:30:0a")
S = 1_000_000_000
DAY_S = 24 * 3600


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A small table."""
    return Bench(small(devices=64))


@pytest.fixture
def ward(bench: Bench) -> Ward:
    """Its ward."""
    return Ward(bench.table, Identifier(PACKS))


@pytest.mark.parametrize(
    ("mac", "text"),
    [(0x00D07518429B, "00:d0:75:18:42:9b"), (0, "00:00:00:00:00:00"), (1 << 63 | 0xABCDEF0123, "address-cdef0123")],
)
def test_names_of_macs(mac: int, text: str) -> None:
    assert mac_text(mac) == text


def test_devices_get_numbers_in_order_and_keep_them(bench: Bench, ward: Ward) -> None:
    turn(bench.hear([hello(PUMP), hello(SERVER, 1)]), ward)
    assert [ward.number(bench.slot(end[1])) for end in (PUMP, SERVER)] == [0, 1]
    turn(bench.hear([hello(HOSTS[0], 2)]), ward)
    assert ward.number(bench.slot(HOSTS[0][1])) == 2
    assert ward.mac(bench.slot(PUMP[1])) == number(PUMP[1])
    assert ward.first_ns(bench.slot(SERVER[1])) - ward.first_ns(bench.slot(PUMP[1])) == S
    assert ward.number(next(slot for slot in range(64) if ward.mac(slot) == 0)) == -1


def test_an_answer_of_identity_reaches_the_roles(bench: Bench, ward: Ward) -> None:
    turn(bench.hear([hello(PUMP)]), ward)
    slot = bench.slot(PUMP[1])
    before = ward.roles()[slot]
    ward.hear(number(PUMP[1]), 0, [Signal("dhcp.host", "PCU-13408871")], 1)
    assert ward.refresh()
    assert ward.role(slot) == "infusion-pump"
    assert ward.roles()[slot] == ROLE_INDEX["infusion-pump"]
    assert 0.5 < ward.confidence(slot) <= 1
    assert ward.label(slot).startswith("infusion pump 00:d0:75:18:42:9b (")
    assert before in {ROLE_INDEX[UNKNOWN], ROLE_INDEX["infusion-pump"]}


def test_what_was_heard_before_the_promotion_counts(bench: Bench, ward: Ward) -> None:
    ward.hear(number(PUMP[1]), 0, [Signal("dhcp.host", "PCU-13408871")], 1)
    turn(bench.hear([hello(PUMP)]), ward)
    assert ward.roles()[bench.slot(PUMP[1])] == ROLE_INDEX["infusion-pump"]


def test_what_was_claimed_and_when_it_was_heard(bench: Bench, ward: Ward) -> None:
    before = ward.arps()
    turn(bench.hear([hello(PUMP), hello(SERVER, 1)]), ward)
    pump, server = (bench.slot(end[1]) for end in (PUMP, SERVER))
    claims = ward.claims()
    assert claims[pump].tolist() == [0x0A010065, 0, 0, 0]
    assert claims[server].tolist() == [0x0A01000A, 0, 0, 0]
    assert claims.sum() == 0x0A010065 + 0x0A01000A, "nobody else"
    assert ward.arps() == before + 2
    assert int(ward.lasts_ns()[server] - ward.lasts_ns()[pump]) == S
    assert ward.macs()[pump] == number(PUMP[1])


def test_grants_are_taken_once_and_bounded(bench: Bench, ward: Ward) -> None:
    lease = [Signal("dhcp.message", "ack"), Signal("dhcp.lease", "ack", number(PUMP[1]), bytes([10, 1, 0, 101]))]
    for _ in range(GRANTS_MAX + 5):
        ward.hear(number(SERVER[1]), number(PUMP[1]), lease, 7)
    grants = ward.take_grants()
    assert len(grants) == GRANTS_MAX
    assert (grants[0].server, grants[0].client, grants[0].address) == (number(SERVER[1]), number(PUMP[1]), 0x0A010065)
    assert ward.take_grants() == []
    assert bench.table is not None


def test_who_speaks_smb1_itself(bench: Bench, ward: Ward) -> None:
    turn(bench.hear([hello(PUMP), hello(SERVER)]), ward)
    ward.hear(number(SERVER[1]), number(PUMP[1]), [Signal("smb.dialect", "1")], 1)
    ward.hear(number(PUMP[1]), number(SERVER[1]), [Signal("smb.dialect", "3.1.1")], 1)
    assert ward.speaks_smb1(bench.slot(SERVER[1]))
    assert not ward.speaks_smb1(bench.slot(PUMP[1]))
    for other in range(SMB1_MAX + 1):
        ward.hear(other, 0, [Signal("smb.dialect", "1")], 1)
    assert not ward.speaks_smb1(bench.slot(SERVER[1])), "the oldest is forgotten"


def test_contradictions_are_the_cards(bench: Bench, ward: Ward) -> None:
    turn(bench.hear([hello(PUMP)]), ward)
    assert ward.contradictions(bench.slot(PUMP[1])) == ward.identity(bench.slot(PUMP[1])).contradictions


def test_a_card_is_changed_once(bench: Bench, ward: Ward) -> None:
    turn(bench.hear([hello(PUMP), hello(SERVER)]), ward)
    assert sorted(ward.take_changed()) == sorted([bench.slot(PUMP[1]), bench.slot(SERVER[1])])
    assert ward.take_changed() == []
    ward.hear(number(PUMP[1]), 0, [Signal("dhcp.host", "PCU-13408871")], 1)
    ward.refresh()
    assert ward.take_changed() == [bench.slot(PUMP[1])]


def test_a_card_is_changed_once_when_its_device_stands_otherwise(bench: Bench, ward: Ward) -> None:
    turn(bench.hear([hello(PUMP), hello(SERVER)]), ward)
    ward.take_changed()
    for times in range(2):  # heard again it is no news
        ward.hear(number(PUMP[1]), 0, [Signal("tls.version", "1.0")], 1)
        ward.refresh()
        slot = bench.slot(PUMP[1])
        assert ward.posture(slot).tls_asks == ("1.0",)
        assert ward.take_changed() == ([] if times else [slot])


def test_gateway(bench: Bench, ward: Ward) -> None:
    frames = [hello(GATEWAY)]
    for n in range(1, 9):
        packet = Ipv4(f"203.0.113.{n}", PUMP[0], UDP).octets(Udp(443, 5).octets(f"203.0.113.{n}", PUMP[0], b"x"))
        frames.append(Frame(frames[0].time_ns, ethernet(PUMP[1], GATEWAY[1], IPV4, packet)))
    turn(bench.hear(frames), ward)
    slot = bench.slot(GATEWAY[1])
    assert ward.is_gateway(slot)
    assert ward.role(slot) == "network-gear"


def _grant(router: str) -> list[Signal]:
    """What a DHCP server's answer says."""
    router_octets = bytes(map(int, router.split(".")))
    lease = Signal("dhcp.lease", "ack", number(PUMP[1]), bytes([10, 1, 0, 101]))
    return [Signal("dhcp.message", "ack"), lease, Signal("dhcp.router", "ack", None, router_octets)]


def test_the_card_of_the_router_that_dhcp_gives_is_found_by_arp(bench: Bench, ward: Ward) -> None:
    packet = Ipv4("10.9.0.20", PUMP[0], UDP).octets(Udp(443, 5).octets("10.9.0.20", PUMP[0], b"x"))
    far = Frame(hello(PUMP, 1).time_ns, ethernet(PUMP[1], GATEWAY[1], IPV4, packet))
    turn(bench.hear([hello(PUMP), hello(GATEWAY), hello(SERVER), far]), ward)
    slot = bench.slot(GATEWAY[1])
    assert not ward.is_gateway(slot), "one far address is not enough for the table"
    ward.hear(number(SERVER[1]), number(PUMP[1]), _grant(GATEWAY[0]), 1)
    turn(bench.hear([hello(SERVER, 2)]), ward)
    assert ward.role(slot) == "network-gear"
    assert ward.identity(slot).evidence[0].value == SPEAKS_FOR_OTHERS
    assert ward.role(bench.slot(PUMP[1])) == "infusion-pump"


def test_on_its_own_word_a_card_is_no_router(bench: Bench, ward: Ward) -> None:
    board = ("10.1.0.66", "b8:27:eb:91:4f:3d")
    packet = Ipv4("10.9.0.20", PUMP[0], UDP).octets(Udp(443, 5).octets("10.9.0.20", PUMP[0], b"x"))
    far = Frame(hello(PUMP, 1).time_ns, ethernet(PUMP[1], board[1], IPV4, packet))
    turn(bench.hear([hello(board), far]), ward)
    ward.hear(number(board[1]), number(PUMP[1]), _grant(board[0]), 1)
    turn(bench.hear([hello(SERVER, 2)]), ward)
    assert ward.role(bench.slot(board[1])) == "iot-other"


def test_a_forged_router_does_not_make_a_pump_one(bench: Bench, ward: Ward) -> None:
    turn(bench.hear([hello(PUMP), hello(SERVER)]), ward)
    for _ in range(ROUTERS_MAX + 3):
        ward.hear(number(SERVER[1]), number(PUMP[1]), _grant(PUMP[0]), 1)
    turn(bench.hear([hello(SERVER, 2)]), ward)
    assert ward.role(bench.slot(PUMP[1])) == "infusion-pump"
    assert ward.contradictions(bench.slot(PUMP[1])) == ("gateway says network-gear, not infusion-pump",)


def test_who_comes_back_after_losing_its_slot_is_who_it_was(bench: Bench, ward: Ward) -> None:
    laird = ("10.1.0.120", "00:25:ca:00:00:01")
    turn(bench.hear([hello(laird)]), ward)
    ward.hear(number(laird[1]), 0, [Signal("dhcp.vendor", "ALARIS-PCU-8015")], 1)
    turn(bench.hear(session((laird, SERVER), 1)), ward)
    assert ward.role(bench.slot(laird[1])) == "infusion-pump"
    crowd = [(f"10.3.0.{n}", f"00:1b:78:00:00:{n:02x}") for n in range(200)]
    turn(bench.hear([hello(end, DAY_S + 3600) for end in crowd]), ward)
    assert bench.slot(laird[1]) == -1
    turn(bench.hear([hello(laird, 2 * DAY_S + 7200)]), ward)
    assert ward.role(bench.slot(laird[1])) == "infusion-pump"


def test_who_loses_its_slot_is_forgotten(bench: Bench, ward: Ward) -> None:
    turn(bench.hear([hello(PUMP)]), ward)
    ward.hear(number(PUMP[1]), 0, [Signal("dhcp.host", "PCU-13408871")], 1)
    ward.refresh()
    slot = bench.slot(PUMP[1])
    crowd = [(f"10.3.0.{n}", f"00:1b:78:00:00:{n:02x}") for n in range(200)]
    turn(bench.hear([hello(end, DAY_S + 3600) for end in crowd]), ward)
    assert bench.slot(PUMP[1]) == -1
    assert ward.mac(slot) != number(PUMP[1])
    assert ward.role(slot) != "infusion-pump"
    assert ward.roles()[slot] == ROLE_INDEX[ward.role(slot)]
    assert not ward.is_gateway(slot)
    assert slot in ward.take_changed()


def test_numbers_are_never_given_twice_and_the_book_forgets(bench: Bench, ward: Ward) -> None:
    crowds = [[(f"10.3.{m}.{n}", f"00:1b:78:00:{m:02x}:{n:02x}") for n in range(200)] for m in range(5)]
    given: set[int] = set()
    for at_h, crowd in enumerate(crowds):
        turn(bench.hear([hello(end, at_h * (DAY_S + 3600)) for end in crowd]), ward)
        here = {ward.number(slot) for slot in bench.table.occupied().tolist()}
        assert not here & given
        given |= here
    assert len(given) == 5 * 64
    assert len(ward._numbers) == len(ward._slots) == 64
    ward.take_changed()
    assert len(ward._stood) <= 64


def test_names_of_cards_without_a_place_take_no_room_for_long(bench: Bench) -> None:
    ward = Ward(bench.table, Identifier(PACKS, devices_max=100))
    turn(bench.hear([hello(PUMP)]), ward)
    for n in range(300):
        ward.hear(0x001B78000000 + n, 0, [Signal("dhcp.host", f"thief{n}")], 1)
    turn(bench.hear([hello(SERVER, 1)]), ward)
    ward.take_changed()
    assert len(ward._identifier) <= 2
    turn(bench.hear([hello(("10.1.0.102", "00:d0:75:18:42:9c"), 2)]), ward)
    assert ward.role(bench.slot("00:d0:75:18:42:9c")) == "infusion-pump"


def test_services_are_told_once(bench: Bench, ward: Ward) -> None:
    told = []

    class Counting(Identifier):
        """The real identifier, which also writes down what it was told."""

        def observe_edge(self, mac: int, direction: int, protocol: int, port: int, application: int) -> None:
            told.append((mac, direction, protocol, port, application))
            super().observe_edge(mac, direction, protocol, port, application)

    ward = Ward(bench.table, Counting(PACKS))
    frames = [hello(PUMP), hello(SERVER)]
    for attempt in range(3):
        frames += session((PUMP, SERVER), attempt, (50000 + attempt, 3613))
        turn(bench.hear(frames), ward)
        frames = []
    assert sorted(told) == sorted([(number(PUMP[1]), 0, 6, 3613, 0), (number(SERVER[1]), 1, 6, 3613, 0)])


def test_the_same_services_are_told_as_edge_by_edge(bench: Bench) -> None:
    """A slow twin over random edges: what is new, in which order, and never again."""
    told: list[tuple[int, ...]] = []

    class Listening(Identifier):
        """Writes down what it is told."""

        def observe_edge(self, mac: int, direction: int, protocol: int, port: int, application: int) -> None:
            told.append((mac, direction, protocol, port, application))

    random = Random(20_261_102)
    bench.table.devices["mac"] = np.arange(64) + 1000
    ward, known = Ward(bench.table, Listening(PACKS)), set[tuple[int, int, str]]()
    for _ in range(10):
        edges = np.zeros(random.choice([0, 1, 400]), EDGE)
        for edge in edges:
            edge["device"], edge["direction"] = random.randrange(20), random.randrange(2)
            edge["protocol"], edge["gates"] = random.choice([6, 17, 1]), random.choice([32, 36, 31])
            edge["port"], edge["application"] = random.choice([80, 104, 3613, 53, 40000]), random.choice([0, 1, 3, 24])
        expected: dict[tuple[int, int, str], tuple[int, ...]] = {}
        for slot, way, protocol, port, application, gates in zip(
            *(edges[name].tolist() for name in ("device", "direction", "protocol", "port", "application", "gates")),
            strict=True,
        ):
            named = f"{ {6: 'tcp', 17: 'udp'}.get(protocol, '') }/{port}"
            service = named if named in PACKS.services else application_name(application)
            if gates & 32 and service in PACKS.services and (slot, way, service) not in known:
                expected.setdefault((slot, way, service), (slot + 1000, way, protocol, port, application))
        told.clear()
        ward.hear_edges(edges)
        assert told == [expected[key] for key in sorted(expected)]
        known |= expected.keys()
    assert len(known) > 50


def test_the_real_reader_s_signals_reach_the_ward(bench: Bench, ward: Ward) -> None:
    payload = dhcp.Dhcp(dhcp.DISCOVER, PUMP[1], 5).octets()
    turn(bench.hear([hello(PUMP)]), ward)
    signals = READERS[HintKind.DHCP](payload)
    ward.hear(number(PUMP[1]), 0xFFFFFFFFFFFF, signals, 5)
    ward.refresh()
    assert ward.identity(bench.slot(PUMP[1])).vendor


def test_an_answer_names_an_address_and_says_nothing_of_the_server(ward: Ward) -> None:
    address = b"\x0a\x29\x07\x0a"
    ward.hear(number(SERVER[1]), 0, [Signal("dns.answer", "ehr.example", None, address)], 1)
    ward.hear(number(SERVER[1]), 0, [], 2)
    assert ward.names.name(address) == "ehr.example"
    assert len(ward._identifier) == 0
    assert (ward.hints_read, ward.hints_silent) == (2, 1)
