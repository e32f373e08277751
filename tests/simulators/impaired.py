"""A wire from a client to a broker that does what bad wires do: dribble, stall, cut in the middle, say things twice.

One thread moves octets for all links. What it does can be changed while links stand: `mode` holds for what comes next.
"""

import contextlib
import selectors
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Self

from tests.simulators.broker import free_port

MODES = ("whole", "dribble", "stall", "cut", "twice")
TICK_S = 0.01
CUT_AFTER = 7  # octets of a chunk: in the middle of any packet of ours
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST and without what waits
CHUNK_BYTES, WAITING_BYTES_MAX = 4096, 1 << 20


@dataclass(slots=True)
class _Way:
    """Octets on their way from one end to the other."""

    source: socket.socket
    sink: socket.socket
    up: bool
    waiting: bytearray = field(default_factory=bytearray)


class Impaired:
    """Listens in the broker's place. `pace` is how many octets a second a dribble is."""

    def __init__(self, port: int, pace: float = 1.0) -> None:
        self.mode, self.links, self.port = "whole", 0, free_port()
        self._to, self._pace, self._credit = port, pace, 0.0
        self._ends = threading.Event()
        self._select = selectors.DefaultSelector()
        self._ways: list[_Way] = []
        self._door = socket.create_server(("127.0.0.1", self.port))
        self._door.setblocking(False)
        self._thread = threading.Thread(target=self._work, name="impaired", daemon=True)

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"mqtt://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._select.register(self._door, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
        for way in list(self._ways):
            self._close(way)
        self._select.close()
        self._door.close()

    def _work(self) -> None:
        last_s = time.monotonic()
        while not self._ends.is_set():
            for key, _ in self._select.select(TICK_S):
                self._accept() if key.data is None else self._take(key.data)
            now_s = time.monotonic()
            self._credit = min(self._credit + (now_s - last_s) * self._pace, 64.0)
            last_s = now_s
            for way in list(self._ways):
                self._give(way)

    def _accept(self) -> None:
        near, _ = self._door.accept()
        try:
            far = socket.create_connection(("127.0.0.1", self._to), timeout=60)
        except OSError:
            near.close()
            return
        self.links += 1
        for source, sink, up in ((near, far, True), (far, near, False)):
            source.setblocking(False)
            way = _Way(source, sink, up)
            self._ways.append(way)
            self._select.register(source, selectors.EVENT_READ, way)

    def _take(self, way: _Way) -> None:
        """Read while there is room; an end that closes takes the other with it."""
        if len(way.waiting) > WAITING_BYTES_MAX:
            return
        try:
            octets = way.source.recv(CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            self._close(way)
            return
        way.waiting += octets * 2 if self.mode == "twice" and way.up else octets

    def _give(self, way: _Way) -> None:
        if not way.waiting or self.mode == "stall":
            return
        most = len(way.waiting)
        if self.mode == "dribble":
            most = min(most, int(self._credit))
            self._credit -= most
        if self.mode == "cut":
            most = min(most, CUT_AFTER)
        try:
            sent = way.sink.send(way.waiting[:most]) if most else 0
        except BlockingIOError:
            return
        except OSError:
            self._close(way)
            return
        del way.waiting[:sent]
        if self.mode == "cut" and most:
            self._close(way, reset=True)

    def _close(self, way: _Way, *, reset: bool = False) -> None:
        """Both directions of a link."""
        for each in [one for one in self._ways if one.source in {way.source, way.sink}]:
            self._ways.remove(each)
            with contextlib.suppress(KeyError, ValueError):
                self._select.unregister(each.source)
            if reset:
                with contextlib.suppress(OSError):
                    each.source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            each.source.close()
