"""What does not fit together, and whose words count for maker and system."""

from agent.devices.identity import Identifier
from agent.devices.known import Known, contradictions, maker, system
from agent.devices.packs import Packs, VendorEntry
from agent.devices.records import EdgeDirection
from agent.devices.roles import UNKNOWN
from agent.packets.hints.records import Signal
from agent.packets.records import Application

LAIRD, DELL = 0x0025CA000001, 0xD4AE52772011


def _known(name: str, kind: str) -> Known:
    return Known(VendorEntry(name, name, 24, kind, {}), None, 0)


def test_a_module_or_a_virtual_card_gives_way_to_a_stated_maker() -> None:
    for kind, told in (("module", "Philips"), ("virtual", "Philips"), ("maker", "Laird"), ("general", "Laird")):
        device = _known("Laird", kind)
        device.makers["Philips"] = "dhcp.vendor"
        assert maker(device) == told
    assert maker(Known(None, None, 0)) == ""
    assert maker(_known("Laird", "module")) == "Laird"


def test_the_system_heard_first_in_its_fullest_words() -> None:
    device = Known(None, None, 0)
    assert system(device) == ""
    device.systems = {"Windows": "tcp.syn", "Linux": "dhcp.vendor", "Windows 7": "smb.os"}
    assert system(device) == "Windows 7"
    assert contradictions(device, UNKNOWN, UNKNOWN, ()) == ("several operating systems: Linux, Windows, Windows 7",)
    device.is_gateway = True
    assert contradictions(device, UNKNOWN, UNKNOWN, ()) == ()


def test_a_role_that_was_never_named_is_not_contradicted_by_a_better_one() -> None:
    device = _known("VMware", "virtual")
    assert contradictions(device, "hospital-server", UNKNOWN, ()) == ()
    told = contradictions(device, "hospital-server", "pacs", (("oui", "hospital-server"), ("asks", "phone")))
    assert told == ("asks says phone, not pacs", "evidence now leans to hospital-server, named pacs before")


def test_a_card_of_another_maker_than_stated() -> None:
    device = _known("Hobby board", "hobby-board")
    device.makers["Philips"] = "hl7.sender"
    assert contradictions(device, UNKNOWN, UNKNOWN, ()) == ("hl7.sender says Philips, the card is Hobby board",)


def test_two_makers_implementations() -> None:
    device = Known(None, None, 0)
    device.implementations = {"1.2.840.113619.6.408": None, "1.2.840.113619.6.500": None}
    assert contradictions(device, UNKNOWN, UNKNOWN, ()) == ()
    device.implementations["1.2.276.0.7230010.3.0.3.6.7"] = None
    assert contradictions(device, UNKNOWN, UNKNOWN, ()) == ("2 makers' DICOM implementations behind one address",)


def test_an_analyser_by_what_it_says_at_the_point_of_care() -> None:
    """Behind a card that says nothing; its data manager is a server, and an acknowledgement says nothing of either."""
    who = Identifier(Packs.load())
    for name in ("HEL.R01", "DST.R01", "OBS.R01"):
        who.observe(LAIRD, Signal("poct1a.says", name), 0)
    who.observe(LAIRD, Signal("poct1a.maker", "NOVABIO"), 0)
    who.observe(LAIRD, Signal("poct1a.model", "StatStrip"), 0)
    who.observe_edge(LAIRD, EdgeDirection.ORIGINATES, 6, 4545, Application.POCT1A)
    meter = who.assess(LAIRD)
    assert (meter.role, meter.vendor, meter.model) == ("lab-analyser", "Nova Biomedical", "StatStrip")
    assert meter.confidence >= 0.85
    who.observe(DELL, Signal("poct1a.says", "ACK.R01"), 0)
    assert who.assess(DELL).role == "unknown"
    who.observe(DELL, Signal("poct1a.says", "REQ.R01"), 0)
    who.observe_edge(DELL, EdgeDirection.RESPONDS, 6, 4545, Application.POCT1A)
    assert who.assess(DELL).role == "hospital-server"
