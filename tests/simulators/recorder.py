"""A cable between a client and a broker that keeps every octet that went over it."""

import contextlib
import selectors
import socket
import threading
from types import TracebackType
from typing import Self

STEP_S = 0.1


class Recorder:
    """Listens inside `with` on a port of its own and passes on to another one; `octets` is what went by, both ways."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self.port = int(self._server.getsockname()[1])
        self._kept: list[bytearray] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._server, selectors.EVENT_READ)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def url(self) -> str:
        """What goes into `uplink.broker`."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def octets(self) -> bytes:
        """Each direction of each connection, whole."""
        return b"\n".join(bytes(heard) for heard in self._kept)

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Cut what is open."""
        self._stop.set()
        self._thread.join(60)
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._selector.select(STEP_S):
                if key.data is None:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket):
                    self._pass_on(key.fileobj, *key.data)

    def _accept(self) -> None:
        near, _ = self._server.accept()
        far = socket.create_connection(self._target, 60)
        for one, other in ((near, far), (far, near)):
            heard = bytearray()
            self._kept.append(heard)
            self._selector.register(one, selectors.EVENT_READ, (other, heard))

    def _pass_on(self, source: socket.socket, target: socket.socket, heard: bytearray) -> None:
        with contextlib.suppress(OSError):
            if octets := source.recv(65536):
                heard += octets
                target.sendall(octets)
                return
        for end in (source, target):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(end)
            end.close()
