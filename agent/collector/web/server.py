"""Serving the page in a thread beside the ingest loop; bound to this machine unless told otherwise."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import uvicorn

from agent.clock import Clock
from agent.collector.web.app import build_app
from agent.errors import InputError, StateError

BACKLOG = 64
CONNECTIONS_MAX = 64  # a page for a few people
START_S = 10.0


def split_listen(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:8080` or `[::1]:8080`; port 0 lets the system choose. InputError otherwise."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise InputError("not host:port", where=text, todo="for example 127.0.0.1:8080")
    return host.strip("[]"), int(port)


class PageServer:
    """One listening socket and the thread that answers on it."""

    def __init__(self, listen: str, state: Path, clock: Clock, trouble: Callable[[], str]) -> None:
        host, port = split_listen(listen)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            raise StateError(f"cannot listen: {error.strerror or error}", where=listen) from error
        self.port = int(self._socket.getsockname()[1])
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.port}/"
        hosts = ["localhost", "127.0.0.1", "[::1]", shown] if host not in {"0.0.0.0", "::"} else ["*"]  # noqa: S104
        settings = uvicorn.Config(
            build_app(state, clock, trouble, hosts),
            log_config=None,
            access_log=False,
            ws="none",
            lifespan="off",
            server_header=False,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=3,
        )
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="page", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what is under way, then close."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(START_S)
        self._socket.close()
