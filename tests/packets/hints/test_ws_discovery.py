"""WS-Discovery: types and schemes, never the bed."""

from agent.packets.hints import ws_discovery
from agent.packets.hints.records import Signal
from tests.packets.hints.payloads import HELLO


def test_a_device_offers_types_and_scope_schemes() -> None:
    signals = ws_discovery.read(HELLO % (b"Hello", b"Hello", b"Hello"))
    assert signals == [
        Signal("wsd.offers", "Device"),
        Signal("wsd.offers", "MedicalDevice"),
        Signal("wsd.scope", "sdc.ctxt.loc"),
        Signal("wsd.scope", "sdc.cdc.type:///70001"),
    ]
    assert not any("B07" in signal.value or "ICU3" in signal.value for signal in signals)


def test_a_probe_asks() -> None:
    signals = ws_discovery.read(HELLO % (b"Probe", b"Probe", b"Probe"))
    assert signals == [Signal("wsd.asks", "Device"), Signal("wsd.asks", "MedicalDevice")]


def test_a_goodbye_and_other_xml_are_silent() -> None:
    assert ws_discovery.read(HELLO % (b"Bye", b"Bye", b"Bye")) == []
    assert ws_discovery.read(b"<a:Types>x</a:Types>") == []


def test_elements_without_an_end_are_silent() -> None:
    assert ws_discovery.read(b"<a>/discovery/Hello</a><x:Types>y:MedicalDevice") == []
