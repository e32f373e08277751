"""mDNS and DNS-SD: types and models, never a friendly name."""

from agent.packets.hints import mdns
from agent.packets.hints.records import Signal
from agent.packets.records import HintKind
from tests.packets.hints.payloads import PAYLOADS, dns, txt

ANNOUNCED, ASKED = PAYLOADS[HintKind.MDNS]


def test_model_first_then_service_then_host() -> None:
    assert mdns.read(ANNOUNCED) == [
        Signal("mdns.model", "Google Home Mini"),
        Signal("mdns.service", "_googlecast._tcp"),
        Signal("mdns.host", "mini", None, b"\x0a\x29\x07\x5a"),
    ]


def test_no_friendly_name_and_no_instance_name() -> None:
    text = " ".join(signal.value for signal in mdns.read(ANNOUNCED))
    assert "Quillfeather" not in text
    assert "Mini-1" not in text


def test_a_question_says_what_is_sought_and_its_known_answers_nothing() -> None:
    assert mdns.read(ASKED) == [Signal("mdns.asks", "_googlecast._tcp")]
    known = dns(0, [("_ipp._tcp.local", 12)], [("x._googlecast._tcp.local", 16, txt("md=Chromecast"))])
    assert mdns.read(known) == [Signal("mdns.asks", "_ipp._tcp")]


def test_service_types() -> None:
    assert mdns.service_type("Bed 7._HAP._tcp.local") == "_hap._tcp"
    assert mdns.service_type("_services._dns-sd._udp.local") == ""
    assert mdns.service_type("host.local") == ""
    assert mdns.service_type("_" + "x" * 40 + "._tcp.local") == ""
    assert mdns.service_type("_hap<script>._tcp.local") == ""
