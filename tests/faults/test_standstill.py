"""Row B10: programs that stand still, a broker that everybody knocks at, and two hundred taps that come back."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.clock import NS_PER_S, CaptureClock, SystemClock
from agent.uplink.records import LinkUp, SessionSettings, parse_broker
from agent.uplink.session import Session
from tests.faults.conftest import eventually
from tests.faults.matrix import FULL, count, tally
from tests.faults.site import Site
from tests.simulators.broker import Mosquitto

pytestmark = pytest.mark.broker
TAPS, SPREAD_S, AWAY_S, A_MOMENT_S = 200, 30.0, 600.0, 0.2
NEEDS_FULL = pytest.mark.skipif(not FULL, reason="the full form asks for WARDTAP_SLOW=1")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.end()


@contextmanager
def still(process_id: int) -> Iterator[None]:
    """A program of ours as on a machine that is stuck."""
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


def settle(site: Site, faults: int, note: str = "") -> None:
    """All of it arrives, once."""
    site.rest()
    found = site.delivered()
    tally("B10", sent=found.sent, faults=faults, lost=found.lost, duplicated=found.duplicated, note=note)
    assert (found.lost, found.duplicated) == (0, 0), site.said()[-1500:]


def test_broker_and_uplink_that_stand_still(site: Site) -> None:
    """In full the broker for four keepalives and the uplink for ten minutes; the sensor goes on meanwhile."""
    assert site.arrives()
    with site.broker.still():
        time.sleep(max(A_MOMENT_S, count("B10-broker")))
        if FULL:
            assert "no link to" in site.said(), f"nobody noticed within {count('B10-broker')} s"
    assert site.arrives()
    with still(site.uplink.pid):
        time.sleep(max(A_MOMENT_S, count("B10")))
    began_s = time.monotonic()
    assert site.arrives()
    settle(site, 2, f"what had waited was there {time.monotonic() - began_s:.0f} s after the uplink went on")


CONNECT = b"\x00\x04MQTT\x04\x02\x00\x3c"  # 3.1.1, clean session, a keepalive of 60 s


def knock(port: int, number: int) -> None:
    """One CONNECT; who knocks is gone before it is answered."""
    name = f"flood-{number}".encode()
    with socket.socket() as link:
        link.settimeout(60)
        link.connect(("127.0.0.1", port))
        packet = CONNECT + len(name).to_bytes(2) + name
        link.sendall(b"\x10" + bytes([len(packet)]) + packet)


def test_a_flood_of_connects(site: Site) -> None:
    """Ours has its link and keeps it, or comes back; in full a thousand a second for a minute, as fast as they go."""
    assert site.arrives()
    before, began_s = site.said().count("no link to"), time.monotonic()
    for number in range(count("B10-connects")):
        knock(site.broker.port, number)
    took_s = time.monotonic() - began_s
    assert site.arrives()
    lost_links = site.said().count("no link to") - before
    rate = count("B10-connects") / took_s
    settle(site, count("B10-connects"), f"{rate:.0f} CONNECTs a second; the uplink lost its link {lost_links} times")


def test_two_hundred_taps_do_not_come_back_at_once() -> None:
    """After ten minutes without a broker each tries at a moment of its own: real sessions on a simulated clock."""
    due_ns = []
    for number in range(TAPS):
        clock = CaptureClock(NS_PER_S)
        settings = SessionSettings(parse_broker("mqtt://127.0.0.1:1"), f"tap-{number}", ("x",))
        session = Session(settings, clock)
        failures = 0
        while clock.mono_ns() < AWAY_S * NS_PER_S:
            failures += 1
            clock.sleep(session.reconnect_delay_s(failures))
        due_ns.append(clock.mono_ns())
    spread_s = (max(due_ns) - min(due_ns)) / NS_PER_S
    busiest = max(sum(at <= each < at + NS_PER_S for each in due_ns) for at in due_ns)
    tally(
        "B10", sent=0, faults=TAPS, lost=0, duplicated=0, note=f"{TAPS} taps over {spread_s:.0f} s (bar {SPREAD_S:.0f})"
    )
    assert spread_s >= SPREAD_S
    assert busiest <= TAPS // 8


@NEEDS_FULL
def test_two_hundred_taps_after_a_broker_that_was_started_again(tmp_path: Path) -> None:
    """A restart of a second: all come within the same seconds, and one small broker takes them all."""
    broker = Mosquitto(tmp_path / "broker").start()
    sessions = [
        Session(SessionSettings(parse_broker(broker.url), f"tap-{number}", ("x",)), SystemClock())
        for number in range(TAPS)
    ]

    def step() -> list[Session]:
        """The links that came up in one round."""
        return [one for one in sessions if any(isinstance(event, LinkUp) for event in one.step(0.0))]

    def up() -> bool:
        step()
        return all(one.connected for one in sessions)

    try:
        assert eventually(up)
        broker.kill()
        assert eventually(lambda: not step() and not any(one.connected for one in sessions))
        broker.start()
        began_s = time.monotonic()
        assert eventually(up)
        note = f"{TAPS} links within {time.monotonic() - began_s:.0f} s of a restart"
        tally("B10", sent=0, faults=1, lost=0, duplicated=0, note=note)
    finally:
        for one in sessions:
            one.close()
        broker.kill()
