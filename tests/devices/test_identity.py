"""Who a device is: reasons, stubbornness, bounds."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.devices import identity as room
from agent.devices.evidence import Name
from agent.devices.facts import EVIDENCE_SHOWN_MAX
from agent.devices.identity import Identifier, is_random, is_real_mac
from agent.devices.packs import Packs
from agent.devices.records import EdgeDirection
from agent.devices.roles import ROLES
from agent.packets.hints.records import KINDS, Signal
from agent.packets.records import Application

PUMP, MONITOR, SCANNER, DELL, LAIRD, BOARD = (
    0x00D07518429B, 0x0009FB2E6190, 0x444B5D0C217E, 0xD4AE52772011, 0x0025CA000001, 0xB827EB405417,
)  # fmt: skip
OFFERS, USES = EdgeDirection.RESPONDS, EdgeDirection.ORIGINATES
PACKS = Packs.load()


@pytest.fixture
def who() -> Identifier:
    return Identifier(PACKS)


def _edges(who: Identifier, mac: int, direction: EdgeDirection, *ports: int, protocol: int = 6) -> None:
    for port in ports:
        who.observe_edge(mac, direction, protocol, port, Application.UNKNOWN)


def test_a_quiet_pump_is_judged_from_minute_one(who: Identifier) -> None:
    assessed = who.assess(PUMP)
    assert assessed.role == "infusion-pump"
    assert assessed.confidence >= 0.6
    assert assessed.vendor == "Alaris Medical"
    assert [(e.signal, e.value, e.is_token) for e in assessed.evidence] == [("oui", "Alaris Medical", True)]
    assert len(who) == 0


def test_a_maker_of_many_things_names_nothing_alone(who: Identifier) -> None:
    for mac in (SCANNER, DELL, LAIRD, 0x000C297A110D):
        assert who.assess(mac).role == "unknown"
        assert who.assess(mac).confidence == 0.0


def test_a_scanner_by_maker_and_what_it_uses(who: Identifier) -> None:
    _edges(who, SCANNER, USES, 104)
    assessed = who.assess(SCANNER)
    assert assessed.role == "imaging-modality"
    assert assessed.confidence >= 0.6


def test_an_archive_by_what_it_offers_and_is_asked(who: Identifier) -> None:
    who.see(DELL)
    _edges(who, DELL, OFFERS, 104)
    who.observe_payload(SCANNER, DELL, [Signal("dicom.asked", "query-find", about_peer=True)], 0)
    assert who.assess(DELL).role == "pacs"
    assert who.assess(SCANNER).role == "unknown"


@pytest.mark.parametrize(
    ("ports", "protocol", "role"),
    [
        ((9100, 631), 6, "printer"),
        ((88, 389), 6, "hospital-server"),
        ((47808,), 17, "building-control"),
        ((554,), 6, "ip-camera"),
    ],
)
def test_roles_by_services_offered(who: Identifier, ports: tuple[int, ...], protocol: int, role: str) -> None:
    unlisted = 0x00B56D0608BA
    _edges(who, unlisted, OFFERS, *ports, protocol=protocol)
    assert who.assess(unlisted).role == role


def test_a_module_hides_its_maker_until_something_names_it(who: Identifier) -> None:
    assert who.assess(LAIRD).vendor == "Laird"
    who.observe(LAIRD, Signal("dhcp.vendor", "ALARIS-PCU-8015", LAIRD), 0)
    _edges(who, LAIRD, USES, 3613)
    assessed = who.assess(LAIRD)
    assert (assessed.role, assessed.vendor, assessed.model) == ("infusion-pump", "Alaris Medical", "Alaris PC Unit")
    assert assessed.confidence >= 0.6


def test_a_named_device_keeps_its_role_against_a_costume(who: Identifier) -> None:
    who.see(PUMP)
    for kind, value in (
        ("mdns.model", "Google Home Mini"), ("mdns.service", "_googlecast._tcp"), ("dhcp.vendor", "MSFT 5.0"),
        ("netbios.host", "DESK-7"), ("http.agent", "Mozilla/5.0 (Windows NT 10.0)"), ("ssdp.type", "x:dial:1"),
    ):  # fmt: skip
        who.observe(PUMP, Signal(kind, value), 0)
    _edges(who, PUMP, OFFERS, 8009, 445, 3389)
    assessed = who.assess(PUMP)
    assert assessed.role == "infusion-pump"
    assert assessed.confidence >= 0.6
    assert any("infusion-pump" in text for text in assessed.contradictions)


def test_a_hobby_board_that_plays_the_archive_is_a_contradiction(who: Identifier) -> None:
    who.see(BOARD)
    _edges(who, BOARD, OFFERS, 104)
    who.observe(BOARD, Signal("dicom.accepts", "association"), 0)
    assessed = who.assess(BOARD)
    assert assessed.role == "iot-other"
    assert assessed.contradictions


def test_a_weakly_named_device_gives_way_to_better_evidence(who: Identifier) -> None:
    _edges(who, DELL, OFFERS, 53, protocol=17)
    assert who.assess(DELL).role == "hospital-server"
    _edges(who, DELL, OFFERS, 104)
    for kind, value in (("dicom.asked", "query-move"), ("dicom.ae", "PACS_MAIN")):
        who.observe_payload(SCANNER, DELL, [Signal(kind, value, about_peer=True)], 0)
    who.observe(DELL, Signal("dicom.accepts", "association"), 0)
    assert who.assess(DELL).role == "pacs"


def test_a_gateway_is_network_gear_and_speaks_for_others(who: Identifier) -> None:
    gateway = 0x001B543A1001
    who.observe(gateway, Signal("dhcp.host", "someone-elses"), 0)
    who.observe_gateway(gateway)
    who.observe(gateway, Signal("http.agent", "iPhone"), 0)
    _edges(who, gateway, OFFERS, 104)
    assessed = who.assess(gateway)
    assert assessed.role == "network-gear"
    assert assessed.confidence > 0.9
    assert assessed.names == ()
    assert {e.signal for e in assessed.evidence} == {"oui", "gateway"}


def test_a_card_that_is_given_as_the_router_is_one_when_it_forwards(who: Identifier) -> None:
    who.observe_payload(DELL, PUMP, [Signal("http.server", "Microsoft-IIS/10.0")], 0)
    _edges(who, DELL, OFFERS, 443, 1494)
    assert who.assess(DELL).role == "hospital-server"
    who.observe_router(DELL, relays=True)
    assert who.assess(DELL).role == "network-gear"


def test_frames_from_many_addresses_do_not_take_a_pumps_role(who: Identifier) -> None:
    _edges(who, PUMP, USES, 3613)
    assert who.assess(PUMP).role == "infusion-pump"
    who.observe_gateway(PUMP)
    assert who.assess(PUMP).role == "infusion-pump"
    assert "evidence now leans to network-gear, named infusion-pump before" in who.assess(PUMP).contradictions


def test_a_forged_offer_does_not_silence_a_pump(who: Identifier) -> None:
    _edges(who, PUMP, USES, 3613)
    who.observe_router(PUMP, relays=False)
    assert who.assess(PUMP).role == "infusion-pump"
    assert who.assess(PUMP).contradictions == ("gateway says network-gear, not infusion-pump",)
    who.observe_router(0, relays=False)
    assert who.assess(0).role == "unknown"


def test_a_gateway_of_which_nothing_else_is_known(who: Identifier) -> None:
    who.observe_router(LAIRD, relays=False)
    assert who.assess(LAIRD).role == "network-gear"
    assert who.assess(LAIRD).evidence[0].value in who.packs


def test_who_left_the_table_is_known_again_by_what_it_said(who: Identifier) -> None:
    """The readers give each fact of a card once: forgotten, it would never be heard again."""
    who.observe(LAIRD, Signal("dhcp.vendor", "ALARIS-PCU-8015"), 0)
    _edges(who, LAIRD, USES, 3613)
    before = who.assess(LAIRD)
    who.see(DELL)
    who.left(LAIRD)
    who.left(DELL)
    who.left(SCANNER)
    assert len(who) == 1
    who.see(LAIRD, 5)
    assert who.assess(LAIRD) == before
    assert before.role == "infusion-pump"


DUID = "ff" + "00000001" + "000100012a3b4c5d00d07518429b"


def test_a_host_with_a_new_card_keeps_its_role(who: Identifier) -> None:
    """A pump's radio module is replaced: nothing names the new card but the number of its host."""
    who.observe(PUMP, Signal("dhcp.client-id", DUID), 0)
    who.see(LAIRD)
    assert who.assess(LAIRD).role == "unknown"
    who.observe(LAIRD, Signal("dhcp.client-id", DUID), 0)
    assessed = who.assess(LAIRD)
    assert assessed.role == "infusion-pump"
    assert assessed.confidence < 0.6, "on a copied number alone nothing may page"
    assert assessed.evidence[0].value in who.packs
    assert (who.former(LAIRD), who.former(PUMP), who.former(DELL)) == (PUMP, 0, 0)
    _edges(who, LAIRD, USES, 3613)
    assert who.assess(LAIRD).confidence >= 0.6


def test_a_host_with_a_new_card_and_address_keeps_its_role_by_dhcpv6(who: Identifier) -> None:
    """The DUID was made of the old card; what sends it now is another one."""
    who.observe(PUMP, Signal("dhcp.client-id", DUID), 0)
    solicit = [Signal("dhcpv6.message", "solicit", PUMP), Signal("dhcpv6.duid", DUID[10:])]
    who.observe_payload(LAIRD, 0x333300010002, solicit, 0)
    assert (who.assess(LAIRD).role, who.former(LAIRD)) == ("infusion-pump", PUMP)
    assert who.assess(LAIRD).confidence < 0.6
    assert "dhcpv6.duid" not in {fact.signal for fact in who.assess(LAIRD).evidence}


def test_a_board_with_a_pumps_number_is_no_pump(who: Identifier) -> None:
    who.observe(PUMP, Signal("dhcp.client-id", DUID), 0)
    who.observe(BOARD, Signal("dhcp.client-id", DUID), 0)
    assert who.assess(BOARD).role == "iot-other"
    assert "continuity says infusion-pump, not iot-other" in who.assess(BOARD).contradictions
    assert who.assess(PUMP).role == "infusion-pump"


def test_the_number_of_a_host_that_was_nobody_says_nothing(who: Identifier) -> None:
    who.observe(LAIRD, Signal("dhcp.client-id", DUID), 0)
    who.observe(DELL, Signal("dhcp.client-id", DUID), 0)
    assert who.assess(DELL).role == "unknown"
    assert who.former(DELL) == 0


def test_another_address_is_the_same_device(who: Identifier) -> None:
    who.observe(MONITOR, Signal("dhcp.lease", "ack", None, bytes([10, 1, 0, 5])), 0)
    before = who.assess(MONITOR)
    who.observe(MONITOR, Signal("dhcp.lease", "ack", None, bytes([10, 2, 0, 9])), 60)
    assert who.assess(MONITOR) == before


def test_a_vms_card_contradicts_nothing(who: Identifier) -> None:
    who.see(0x000C297A110D)
    assert who.assess(0x000C297A110D).contradictions == ()


def test_a_signal_about_another_goes_to_the_other(who: Identifier) -> None:
    relay = 0x001B543A1001
    who.see(PUMP)
    who.see(relay)
    who.observe(relay, Signal("dhcp.host", "PCU-13408871", PUMP), 0)
    assert who.assess(PUMP).names == (Name("PCU-13408871", "dhcp.host"),)
    assert who.assess(relay).names == ()


def test_forged_subjects_and_unknown_peers_take_no_room(who: Identifier) -> None:
    who.see(PUMP)
    for number in range(500):
        who.observe(PUMP, Signal("dhcp.host", "x", 0x001B54000000 + number), 0)
        who.observe_payload(PUMP, 0x001B54000000 + number, [Signal("dicom.ae", "X", about_peer=True)], 0)
    assert len(who) == 1


def test_what_others_say_waits_for_the_cards_first_frame(who: Identifier) -> None:
    who.observe_payload(SCANNER, DELL, [Signal("dicom.ae", "PACS_MAIN", about_peer=True)], 0)
    assert who.assess(DELL).names == ()
    who.see(DELL)
    assert who.assess(DELL).names == (Name("PACS_MAIN", "dicom.ae"),)
    for number in range(3 * room.WAITING_MAX):
        for text in range(50):
            who.observe_payload(SCANNER, 0x001B54000000 + number, [Signal("dicom.ae", str(text), about_peer=True)], 0)
    assert len(who._waiting) == room.WAITING_MAX
    assert max(len(held) for held in who._waiting.values()) == 16


def test_signals_about_the_peer_are_not_the_senders(who: Identifier) -> None:
    who.observe(PUMP, Signal("dicom.ae", "PACS", about_peer=True), 0)
    assert who.assess(PUMP).names == ()


def test_changed_tells_each_change_once(who: Identifier) -> None:
    who.see(PUMP)
    who.see(SCANNER)
    assert who.changed() == [PUMP, SCANNER]
    assert who.changed() == []
    who.observe(PUMP, Signal("dns.code", "refused"), 0)
    assert who.changed() == []
    _edges(who, SCANNER, USES, 104)
    assert who.changed() == [SCANNER]
    who.forget(SCANNER)
    assert who.changed() == []


def test_random_addresses_have_their_own_room(who: Identifier) -> None:
    who.see(PUMP)
    for number in range(3 * room.RANDOM_MAX):
        who.see(0x02_0000_000000 + number)
    assert len(who) == room.RANDOM_MAX + 1
    assert who.refused == 0
    assert who.assess(0x02_0000_000001).role == "unknown"


def test_a_full_room_drops_the_silent_and_keeps_what_was_learned() -> None:
    who = Identifier(PACKS, devices_max=4)
    for number in range(4):
        who.see(0x001B54000000 + number)
    who.observe(0x001B54000000, Signal("ssh.software", "Cisco-1.25"), 0)
    who.see(PUMP)
    assert len(who) == 4
    assert who.assess(0x001B54000000).evidence[1].signal == "ssh.software"
    for number in range(8):
        who.observe(0x001B54000000 + number, Signal("ssh.software", "Cisco-1.25"), 0)
    assert who.refused > 0
    assert who.assess(PUMP).role == "infusion-pump"
    assert len(who) == 4


def test_group_addresses_and_zero_are_nobody(who: Identifier) -> None:
    for mac in (0, 0xFFFFFFFFFFFF, 0x01005E000001):
        who.see(mac)
        who.observe(mac, Signal("dhcp.host", "x"), 0)
    assert len(who) == 0
    assert not is_real_mac(0x01005E000001)
    assert is_random(0x0255AA000001)
    assert not is_random(1 << 63 | 1 << 41)


def test_a_maker_of_many_things_contradicts_nothing(who: Identifier) -> None:
    server = 0x941882440C12
    _edges(who, server, OFFERS, 104)
    for kind, value in (("dicom.asked", "query-find"), ("dicom.ae", "PACS_MAIN")):
        who.observe_payload(SCANNER, server, [Signal(kind, value, about_peer=True)], 0)
    assert who.assess(server).role == "pacs"
    assert who.assess(server).contradictions == ()


def test_several_systems_behind_one_address(who: Identifier) -> None:
    who.observe(DELL, Signal("dhcp.vendor", "MSFT 5.0"), 0)
    who.observe(DELL, Signal("dhcp.vendor", "udhcp 1.30"), 0)
    assert who.assess(DELL).contradictions == ("several operating systems: Linux, Windows",)


def test_two_makers_of_dicom_behind_one_address(who: Identifier) -> None:
    who.observe(SCANNER, Signal("dicom.implementation", "1.2.276.0.7230010.3.0.3.6.7"), 0)
    assert who.assess(SCANNER).contradictions == ()
    who.observe(SCANNER, Signal("dicom.implementation", "1.2.826.0.1.3680043.9.3811"), 0)
    assert who.assess(SCANNER).contradictions == ("2 makers' DICOM implementations behind one address",)


def test_evidence_is_of_pack_words_only(who: Identifier) -> None:
    who.observe(DELL, Signal("tls.sni", "ehr.quillfeather.example"), 0)
    who.observe(DELL, Signal("dhcp.vendor", "MSFT 5.0 Quillfeather"), 0)
    assessed = who.assess(DELL)
    assert all(evidence.is_token for evidence in assessed.evidence)
    assert "quillfeather" not in repr(assessed).lower()


KIND = st.sampled_from(sorted(KINDS))
MAC = st.sampled_from([PUMP, MONITOR, SCANNER, DELL, LAIRD, BOARD, 0x02AA00000001, 1 << 63 | 7, 0])
WORDS = st.one_of(
    st.text(max_size=128),
    st.sampled_from([word for rules in PACKS.rules.values() for rule in rules for word in rule.words]),
)
STEP = st.one_of(
    st.tuples(st.just("signal"), MAC, st.builds(Signal, KIND, WORDS)),
    st.tuples(st.just("edge"), MAC, st.tuples(st.integers(0, 1), st.sampled_from([6, 17, 1]), st.integers(0, 65535))),
    st.tuples(st.sampled_from(["gateway", "forget", "changed", "assess"]), MAC, st.none()),
)


@given(st.lists(STEP, max_size=60))
@settings(max_examples=80, deadline=None)
def test_any_sequence_keeps_the_promises(steps: list[tuple[str, int, object]]) -> None:
    who = Identifier(PACKS)
    for what, mac, value in steps:
        if isinstance(value, Signal):
            who.observe(mac, value, 0)
        elif isinstance(value, tuple):
            who.observe_edge(mac, value[0], value[1], value[2], Application.UNKNOWN)
        else:
            {"gateway": who.observe_gateway, "forget": who.forget, "assess": who.assess}.get(
                what, lambda _: who.changed()
            )(mac)
    for mac in {mac for _, mac, _ in steps}:
        assessed = who.assess(mac)
        assert assessed.role in ROLES
        assert 0.0 <= assessed.confidence <= 0.99
        assert len(assessed.evidence) <= EVIDENCE_SHOWN_MAX
        assert len(assessed.names) <= room.NAMES_MAX
        assert who.assess(mac) is assessed or len(who) == 0 or who._known(mac) is None


def test_a_flood_of_names_is_bounded(who: Identifier) -> None:
    for number in range(5000):
        who.observe(PUMP, Signal("dhcp.host", f"host-{number}"), 0)
    assert len(who.assess(PUMP).names) == room.NAMES_MAX
    assert who.refused == 5000 - room.SIGNALS_SEEN_MAX


def test_the_room_needs_no_compiler(root: Path) -> None:
    code = "import sys, agent.devices.identity, agent.packets.hints as h, agent.summaries.privacy as p"
    code += "; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
