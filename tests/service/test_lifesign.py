"""Signs of life: only where somebody waits for them, from the loops that do the work, and never in the way."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.clock import NS_PER_S, CaptureClock, SystemClock, boot_id
from agent.commands.requests import Request
from agent.service import lifesign, pause
from agent.service.sensor import _EachSecond, _listen
from agent.service.uplink import Uplink
from agent.spool.records import Identity
from agent.spool.writer import SpoolWriter
from tests.service.bench import Sensor, small
from tests.service.test_sensor import Drowning, Ticking
from tests.simulators.broker import free_port
from tests.simulators.kit import Kit

Waits = tuple[socket.socket, dict[str, str]]


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Waits]:
    """What listens in a service manager, and what it tells a service."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        place, own = str(tmp_path / "notify"), str(os.getpid())
        yield listening, {"NOTIFY_SOCKET": place, "WATCHDOG_USEC": "300000000", "WATCHDOG_PID": own}


def heard(listening: socket.socket) -> list[bytes]:
    """All that came until now; a datagram to a socket on this machine lies there when it was sent."""
    found = []
    while True:
        try:
            found.append(listening.recv(4096))
        except BlockingIOError:
            return found


def test_a_sign_says_that_it_lives_and_when_the_next_one_comes(waiting: Waits) -> None:
    listening, told = waiting
    lifesign.give(60, told)
    lifesign.give(60, told)
    assert heard(listening) == [b"WATCHDOG_USEC=60000000\nWATCHDOG=1"] * 2


@pytest.mark.parametrize("without", ["NOTIFY_SOCKET", "WATCHDOG_USEC"])
def test_where_nobody_waits_none_is_given(waiting: Waits, without: str) -> None:
    listening, told = waiting
    lifesign.give(60, {name: value for name, value in told.items() if name != without})
    assert heard(listening) == []


def test_a_child_gives_no_sign_for_its_parent(waiting: Waits) -> None:
    listening, told = waiting
    lifesign.give(60, told | {"WATCHDOG_PID": "1"})
    assert heard(listening) == []


def test_an_abstract_address_is_taken() -> None:
    name = f"wardtap-{os.urandom(8).hex()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.setblocking(False)
        lifesign.give(5, {"NOTIFY_SOCKET": f"@{name}", "WATCHDOG_USEC": "1"})
        assert heard(listening) == [b"WATCHDOG_USEC=5000000\nWATCHDOG=1"]


def test_a_manager_that_does_not_listen_stops_nothing(waiting: Waits, tmp_path: Path) -> None:
    listening, told = waiting
    lifesign.give(60, told | {"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    for _ in range(10_000):  # more than a socket holds: it must not wait until somebody reads
        lifesign.give(60, told)
    assert 0 < len(heard(listening)) < 10_000


@pytest.fixture
def waited(waiting: Waits, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    """A manager that waits for this process."""
    listening, told = waiting
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    return listening


def test_a_sensor_that_is_quiet_because_it_was_asked_to_lives(waited: socket.socket, tmp_path: Path) -> None:
    clock = CaptureClock(NS_PER_S)
    pause.begin(tmp_path, Request(bytes(16), "quiesce", {"seconds": 60}, bytes(16), 0), bytes(16), clock.now_ns)
    assert pause.wait(tmp_path, bytes(16), clock, threading.Event()) is not None
    assert len(heard(waited)) > 10


def test_a_sensor_that_works_lives(waited: socket.socket, tmp_path: Path) -> None:
    clock, stop = Ticking(), threading.Event()
    source, bench = Drowning(clock, stop, drowns_s=0, ends_s=9), Sensor(small(interval_s=10))
    identity, now = Identity("tap-1", "ward", "sensor", boot_id()), SystemClock()
    with contextlib.closing(SpoolWriter.open(tmp_path / "spool", identity, now)) as writer:
        each_second = _EachSecond(small(), tmp_path, writer, now, lambda _: None)
        _listen(source, bench.pipeline, clock, stop, each_second)  # type: ignore[arg-type]
        each_second.close()
    assert len(heard(waited)) >= 9


def test_an_uplink_that_works_lives_without_a_link_too(waited: socket.socket, tmp_path: Path) -> None:
    kit, clock = Kit(tmp_path).lay(), CaptureClock(NS_PER_S)
    uplink = Uplink(kit.config(), tmp_path, f"mqtt://127.0.0.1:{free_port()}", clock, lambda _: None)
    for _ in range(5):
        clock.advance(clock.now_ns + NS_PER_S)
        uplink.turn(0)
    uplink.close()
    assert heard(waited) == [b"WATCHDOG_USEC=180000000\nWATCHDOG=1"] * 5
