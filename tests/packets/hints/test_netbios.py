"""NetBIOS names: computers, never users."""

from agent.packets.hints import netbios
from agent.packets.hints.records import Signal
from tests.packets.hints.payloads import browser_announcement, netbios_registration

ADDRESS = b"\x0a\x29\x07\x48"


def test_a_registration_names_the_computer() -> None:
    assert netbios.read(netbios_registration("MDJR98", 0x00)) == [Signal("netbios.host", "MDJR98", None, ADDRESS)]


def test_the_messenger_name_is_the_users_and_is_not_read() -> None:
    assert netbios.read(netbios_registration("QUILLFEATHER", 0x03)) == []


def test_services_and_groups() -> None:
    controller = netbios.read(netbios_registration("WARD", 0x1C, group=True))
    assert controller == [Signal("netbios.service", "domain-controller"), Signal("netbios.group", "WARD")]


def test_a_browser_announcement_tells_the_version() -> None:
    assert netbios.read(browser_announcement("MDJR98", 4, 10)) == [
        Signal("netbios.host", "MDJR98", None, ADDRESS),
        Signal("netbios.os", "4.10"),
    ]


def test_a_question_tells_nothing() -> None:
    question = netbios_registration("MDJR98", 0)
    assert netbios.read(question[:2] + b"\x01\x10" + question[4:]) == []
