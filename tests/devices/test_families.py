"""Families of signals."""

from agent.devices.families import MANY_VALUES, NAME_KINDS, family_of
from agent.devices.identity import Identifier
from agent.devices.packs import Packs
from agent.packets.hints.records import KINDS, Signal
from agent.summaries.privacy import GATE, Form

PRINTER = 0x001279806960


def test_kinds_that_say_the_same_are_one_family() -> None:
    assert family_of("lldp.name") == family_of("stp.says") == "link"
    assert family_of("dhcp.vendor") == family_of("dhcpv6.vendor") == "dhcp"
    assert family_of("http.host") == family_of("tls.sni") != family_of("http.agent")
    assert family_of("modbus.speaks") == "modbus"


def test_every_listed_kind_exists_and_every_name_leaves_as_a_name() -> None:
    assert set(KINDS) >= NAME_KINDS | MANY_VALUES
    assert {GATE[kind] for kind in NAME_KINDS} == {Form.NAME}


def test_a_thousand_names_leave_room_for_what_the_machine_says_of_itself() -> None:
    who = Identifier(Packs.load())
    for number in range(1000):
        for kind in MANY_VALUES:
            who.observe(PRINTER, Signal(kind, f"n{number}.invalid"), 0)
    who.observe(PRINTER, Signal("dhcp.host", "NPI806960"), 0)
    assert who.refused == 0
    assert [name.value for name in who.assess(PRINTER).names] == ["NPI806960"]
