"""TLS ClientHello."""

from agent.packets.hints import tls
from agent.packets.hints.records import Signal
from tests.packets.hints.payloads import client_hello


def test_name_and_highest_version_without_grease() -> None:
    assert tls.read(client_hello("EHR.StMargaret.example")) == [
        Signal("tls.sni", "ehr.stmargaret.example"),
        Signal("tls.version", "1.3"),
    ]


def test_an_old_client() -> None:
    assert tls.read(client_hello("x.example", versions=(), legacy=0x0301))[1] == Signal("tls.version", "1.0")


def test_a_name_with_other_letters_is_left_out() -> None:
    assert [signal.kind for signal in tls.read(client_hello("a b<c>"))] == ["tls.version"]


def test_a_server_is_silent() -> None:
    hello = client_hello("x.example")
    assert tls.read(hello[:5] + b"\2" + hello[6:]) == []
