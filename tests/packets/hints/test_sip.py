"""SIP: method and product, never a caller."""

from agent.packets.hints import sip
from agent.packets.hints.records import Signal
from tests.forge.bedside import sip_ok, sip_register


def test_a_handset_says_what_it_is() -> None:
    assert sip.read(sip_register("quillfeather", "pbx.example", "10.1.0.5", 7)) == [
        Signal("sip.asks", "register"),
        Signal("sip.agent", "Ascom d83"),
    ]


def test_a_server_says_what_it_is() -> None:
    assert sip.read(b"SIP/2.0 200 OK\r\nServer: Asterisk 16\r\n\r\n") == [Signal("sip.server", "Asterisk 16")]
    assert sip.read(sip_ok("quillfeather", "pbx.example", "10.1.0.5", 7)) == []


def test_what_is_not_sip_is_silent() -> None:
    assert sip.read(b"REGISTER sip:x HTTP/1.1\r\nUser-Agent: x\r\n\r\n") == []
    assert sip.read(b"DANCE sip:x SIP/2.0\r\nUser-Agent: x\r\n\r\n") == []
