"""HTTP: product tokens and a boolean."""

from pathlib import Path

import pytest

from agent.packets.hints import http
from agent.packets.hints.records import Signal
from tests.packets.hints.tshark import fields


def test_agent_and_that_there_were_credentials() -> None:
    head = b"POST /p HTTP/1.1\r\nHost: EHR.example:8080\r\nAuthorization: Basic cm9vdDp4eHg=\r\nuser-agent: curl/7.88"
    assert http.read_request(head + b"\r\n\r\nQuillfeather") == [
        Signal("http.host", "ehr.example"),
        Signal("http.agent", "curl/7.88"),
        Signal("credentials.clear", "http"),
    ]


DESCRIPTION = (
    b"HTTP/1.1 200 OK\r\nServer: x/1\r\n\r\n<root xmlns='urn:schemas-upnp-org:device-1-0'>"
    b"<friendlyName>Orsola</friendlyName>"
    b"<manufacturer>Signify</manufacturer><modelName>Philips hue bridge 2015</modelName><serialNumber>77</serialNumber>"
)


def test_a_upnp_description_says_who_made_what() -> None:
    assert http.read_response(DESCRIPTION) == [
        Signal("http.server", "x/1"),
        Signal("upnp.maker", "Signify"),
        Signal("upnp.model", "Philips hue bridge 2015"),
    ]
    assert len(http.read_response(DESCRIPTION.replace(b"device-1-0", b"else"))) == 1, "no other body is looked at"


def test_a_bearer_token_is_not_basic() -> None:
    assert http.read_request(b"GET / HTTP/1.1\r\nAuthorization: Bearer x\r\n\r\n") == []


def test_a_header_that_is_cut_is_not_used() -> None:
    assert http.read_request(b"GET / HTTP/1.1\r\nUser-Agent: Mozi") == []


def test_the_server() -> None:
    assert http.read_response(b"HTTP/1.0 200 OK\r\nServer: x/1\r\n\r\n") == [Signal("http.server", "x/1")]
    assert http.read_response(b"GET / HTTP/1.0\r\nServer: x/1\r\n\r\n") == []


@pytest.mark.captures
def test_tshark_says_the_same(captures: Path) -> None:
    requests = responses = 0
    names = ("tcp.payload", "http.request.method", "http.host", "http.user_agent", "http.server", "http.authbasic")
    for group in ("identity", "cleartext", "benign"):
        for path in sorted((captures / group).glob("*.pcap*")):
            for payload, method, host, agent, server, basic in fields(path, "http && tcp.payload", *names):
                raw = bytes.fromhex(payload[0])
                if b"\r\n\r\n" not in raw[:4096] or not raw.startswith((*METHODS, b"HTTP/")):
                    continue  # its head is in several segments, of which tshark tells with the last
                if method:
                    found = {signal.kind: signal.value for signal in http.read_request(raw)}
                    assert found.get("http.host", "") in {"", host[0].partition(":")[0].lower() if host else ""}
                    assert found.get("http.agent", "") == (agent[0].strip()[:128].strip() if agent else "")
                    assert ("credentials.clear" in found) == bool(basic)
                    requests += 1
                elif raw.startswith(b"HTTP/"):
                    found = {signal.kind: signal.value for signal in http.read_response(raw)}
                    assert found.get("http.server", "") == (server[0].strip()[:128].strip() if server else "")
                    responses += 1
    assert requests > 20
    assert responses > 20


METHODS = (b"GET ", b"POST ", b"HEAD ", b"PUT ")
