import socket
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.collector.web.server import PageServer, split_listen
from agent.errors import InputError, StateError


@pytest.mark.parametrize(
    ("text", "place"),
    [("127.0.0.1:8080", ("127.0.0.1", 8080)), ("[::1]:0", ("::1", 0)), ("localhost:1", ("localhost", 1))],
)
def test_addresses(text: str, place: tuple[str, int]) -> None:
    assert split_listen(text) == place


@pytest.mark.parametrize("text", ["8080", ":8080", "x:", "x:y", "x:70000", ""])
def test_no_addresses(text: str) -> None:
    with pytest.raises(InputError):
        split_listen(text)


def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(StateError, match="cannot listen"):
        PageServer(f"127.0.0.1:{taken.getsockname()[1]}", tmp_path, SystemClock(), str)


def test_it_answers_only_on_the_address_it_was_given(tmp_path: Path) -> None:
    server = PageServer("127.0.0.1:0", tmp_path, SystemClock(), str)
    server.start()
    try:
        assert server.url == f"http://127.0.0.1:{server.port}/"
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.2", server.port), 1).close()
    finally:
        server.stop()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", server.port), 1).close()


def test_it_can_be_stopped_before_it_started(tmp_path: Path) -> None:
    PageServer("127.0.0.1:0", tmp_path, SystemClock(), str).stop()
