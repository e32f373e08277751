import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.collector.store.writer import Store
from agent.collector.web.server import PageServer
from agent.ctl.page import ask
from agent.errors import InputError, LinkError
from tests.simulators.broker import free_port


@pytest.fixture
def page(tmp_path: Path) -> Iterator[str]:
    """A real, empty collector page."""
    Store.open(tmp_path).close()
    server = PageServer("127.0.0.1:0", tmp_path, SystemClock(), str)
    server.start()
    yield server.url.rstrip("/")
    server.stop()


def test_it_asks_the_real_page(page: str) -> None:
    assert ask(page, "/api/findings.json") == {"findings": []}
    assert ask(page, "/api/taps.json")["taps"] == []


def test_what_the_collector_does_not_know(page: str) -> None:
    with pytest.raises(InputError, match="does not know"):
        ask(page, "/api/devices/ward/00:00:00:00:00:01.json")


def test_nobody_there_and_bad_addresses() -> None:
    with pytest.raises(LinkError):
        ask(f"http://127.0.0.1:{free_port()}", "/")
    for url in ("ftp://x", "x", "http://"):
        with pytest.raises(InputError):
            ask(url, "/")


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], str]]:
    """A server that answers whatever it is told."""
    body: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body[0])))
            self.end_headers()
            self.wfile.write(body[0])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()

    def answer(octets: bytes) -> str:
        body[:] = [octets]
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield answer
    server.shutdown()
    thread.join(60)
    server.server_close()


@pytest.mark.parametrize("octets", [b"", b"<html>", b"[1]", b"\xff\xfe"])
def test_an_answer_that_is_none(answering: Callable[[bytes], str], octets: bytes) -> None:
    with pytest.raises(LinkError):
        ask(answering(octets), "/")
