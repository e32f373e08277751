"""How a device stands, of what was heard."""

import pytest

from agent.devices.identity import Identifier
from agent.devices.packs import Packs
from agent.devices.records import SMB_DIALECTS, TLS_VERSIONS, EdgeDirection, Posture
from agent.packets.hints import smb, tls
from agent.packets.hints.records import Signal
from agent.packets.records import Application

PUMP, DELL, SCANNER, LAIRD = 0x00D07518429B, 0xD4AE52772011, 0x444B5D0C217E, 0x0025CA000001
XP_SYN = Signal("tcp.syn", "128:65535:1460:-:MNNS")
XP_AGENT = Signal("http.agent", "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 5.1)")


@pytest.fixture
def who() -> Identifier:
    return Identifier(Packs.load())


def test_of_nobody_and_of_a_silent_one(who: Identifier) -> None:
    assert who.posture(DELL) == Posture()
    who.see(DELL)
    assert who.posture(DELL) == Posture()


def test_versions_in_order_and_nothing_else(who: Identifier) -> None:
    for kind, value in (("tls.chosen", "1.2"), ("tls.chosen", "1.0"), ("tls.version", "1.3"), ("smb.dialect", "3.1.1"),
                        ("smb.dialect", "1"), ("tls.chosen", "strange")):  # fmt: skip
        who.observe(DELL, Signal(kind, value), 0)
    stands = who.posture(DELL)
    assert (stands.tls_answers, stands.tls_asks, stands.smb) == (("1.0", "1.2"), ("1.3",), ("1", "3.1.1"))


def test_the_words_are_the_readers() -> None:
    assert set(tls._VERSIONS.values()) == set(TLS_VERSIONS)
    assert set(smb._DIALECT_2.values()) | {"1", "1-old"} == set(SMB_DIALECTS)


@pytest.mark.parametrize(
    ("signals", "system", "ended"),
    [
        ([Signal("netbios.os", "5.1")], "Windows XP/2003", "2015-07-14"),
        ([Signal("smb.os", "Windows 7 Enterprise 7601 Service Pack 1")], "Windows 7", "2020-01-14"),
        ([Signal("smb.os", "Windows Server 2008 R2 Standard 7601")], "Windows 7/2008 R2", "2020-01-14"),
        ([Signal("smb.os-version", "6.0.6001")], "Windows Vista/2008", "2020-01-14"),
        ([Signal("smb.os-version", "6.3.9600")], "Windows 8/2012", "2023-10-10"),
        ([Signal("smb.os-version", "10.0.19045")], "Windows 10 or later", ""),
        ([Signal("smb.os-version", "6.1.0")], "", ""),  # Samba says so
        ([XP_SYN, XP_AGENT], "Windows XP/2003", "2015-07-14"),
        ([XP_SYN], "Windows XP/2003", ""),
        ([XP_AGENT], "Windows XP/2003", ""),
        ([XP_AGENT, Signal("smb.os-version", "10.0.19045")], "Windows 10 or later", ""),
    ],
)
def test_an_old_system_needs_a_word_of_its_own_or_two_hints(
    who: Identifier, signals: list[Signal], system: str, ended: str
) -> None:
    for signal in signals:
        who.observe(DELL, signal, 0)
    stands = who.posture(DELL)
    assert (stands.system, stands.ended) == (system, ended)
    assert bool(stands.said_by) == bool(system)


def test_services_of_old_and_log_ins_in_clear(who: Identifier) -> None:
    for port in (21, 23, 443):
        who.observe_edge(PUMP, EdgeDirection.RESPONDS, 6, port, Application.UNKNOWN)
    who.observe(PUMP, Signal("credentials.clear", "telnet"), 0)
    assert who.posture(PUMP).services == ("ftp", "telnet")
    assert who.posture(PUMP).log_ins == ("telnet",)


def test_advisories_by_maker_then_by_product_as_more_is_heard(who: Identifier) -> None:
    who.see(PUMP)
    assert who.posture(PUMP).advisories == (), "a card alone, which anybody can invent"
    who.observe_edge(PUMP, EdgeDirection.ORIGINATES, 6, 3613, Application.UNKNOWN)
    before = who.posture(PUMP)
    assert {advisory.match for advisory in before.advisories} == {"maker"}
    who.observe(PUMP, Signal("dhcp.vendor", "ALARIS-PCU-8015"), 0)
    after = who.posture(PUMP)
    assert "product" in {advisory.match for advisory in after.advisories}
    assert {a.id for a in after.advisories} == {a.id for a in before.advisories}
    assert who.posture(PUMP) is after, "worked out once"


def test_a_guess_matches_no_advisory(who: Identifier) -> None:
    who.see(SCANNER)
    assert who.posture(SCANNER).advisories == ()
    who.observe_edge(SCANNER, EdgeDirection.ORIGINATES, 6, 104, Application.DICOM)
    assert who.assess(SCANNER).confidence >= 0.6
    assert "ICSMA-18-037-02" in {advisory.id for advisory in who.posture(SCANNER).advisories}


def test_a_gateway_has_none(who: Identifier) -> None:
    who.observe(LAIRD, Signal("netbios.os", "5.1"), 0)
    who.observe_gateway(LAIRD)
    assert who.posture(LAIRD) == Posture()
