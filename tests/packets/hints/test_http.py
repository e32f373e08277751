"""HTTP: product tokens and a boolean."""

from agent.packets.hints import http
from agent.packets.hints.records import Signal


def test_agent_and_that_there_were_credentials() -> None:
    request = b"POST /p HTTP/1.1\r\nAuthorization: Basic cm9vdDp4eHg=\r\nuser-agent: curl/7.88\r\n\r\nQuillfeather"
    assert http.read_request(request) == [Signal("http.agent", "curl/7.88"), Signal("http.credentials", "basic")]


def test_a_bearer_token_is_not_basic() -> None:
    assert http.read_request(b"GET / HTTP/1.1\r\nAuthorization: Bearer x\r\n\r\n") == []


def test_a_header_that_is_cut_is_not_used() -> None:
    assert http.read_request(b"GET / HTTP/1.1\r\nUser-Agent: Mozi") == []


def test_the_server() -> None:
    assert http.read_response(b"HTTP/1.0 200 OK\r\nServer: x/1\r\n\r\n") == [Signal("http.server", "x/1")]
    assert http.read_response(b"GET / HTTP/1.0\r\nServer: x/1\r\n\r\n") == []
