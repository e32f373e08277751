"""Three brokers as one (Debian's nats-server): one is killed, the tap goes to another, nothing acknowledged is lost.

Only with `WARDTAP_SLOW=1`: three servers need seconds to agree, and seconds again when their leader is gone.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.uplink.records import Arrived, LinkDown, LinkUp, Published, SessionSettings, parse_brokers
from agent.uplink.session import Session
from tests.simulators.broker import NatsCluster
from tests.uplink.test_session import has, until

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(not os.environ.get("WARDTAP_SLOW"), reason="10 to 40 seconds: WARDTAP_SLOW=1"),
]
UP = "wardtap/1/ward/tap-1/up/summary"
RECORDS, AGREE_S = 200, 120.0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    made = NatsCluster(tmp_path / "cluster").start()
    yield made
    made.kill()


def session(cluster: NatsCluster, name: str, first: int, *topics: str) -> Session:
    """Connected to the cluster, to its member `first` if that one takes it."""
    brokers = parse_brokers(cluster.url)
    order = brokers[first:] + brokers[:first]
    settings = SessionSettings(
        broker=order[0], spares=order[1:], client_id=name, subscriptions=topics or ("wardtap/1/none",),
        reconnect_min_s=0.1, reconnect_max_s=1.0,
    )  # fmt: skip
    made = Session(settings, SystemClock())
    until(made, has(LinkUp), AGREE_S)
    return made


def test_a_member_is_killed_and_nothing_acknowledged_is_lost(cluster: NatsCluster) -> None:
    tap, far = session(cluster, "tap-1", 0), session(cluster, "far", 1, UP)
    try:
        _carry(tap, far, cluster)
    finally:
        tap.close()
        far.close()


def _carry(tap: Session, far: Session, cluster: NatsCluster) -> None:
    """Publish as the courier does: what was not acknowledged goes again. The tap's member dies in the middle."""
    waiting, flying, acknowledged = (
        [str(number).encode() for number in range(RECORDS)],
        dict[int, bytes](),
        set[bytes](),
    )
    arrived, downs, killed = set[bytes](), 0, 0
    clock = SystemClock()
    until_ns = clock.mono_ns() + int(AGREE_S * 10**9)
    while len(arrived) < RECORDS or len(acknowledged) < RECORDS:
        assert clock.mono_ns() < until_ns, f"{len(acknowledged)} acknowledged, {len(arrived)} arrived, {downs} losses"
        if not killed and len(acknowledged) > RECORDS // 3:
            killed = tap.broker.port
            cluster.kill(killed)
        while waiting and (token := tap.publish(UP, waiting[-1])) is not None:
            flying[token] = waiting.pop()
        for event in tap.step(0.01):
            match event:
                case Published(token, refused) if token in flying and not refused:
                    acknowledged.add(flying.pop(token))
                case LinkDown():
                    downs += 1
                    waiting += [*flying.values()]
                    flying.clear()
        arrived |= {event.payload for event in far.step(0.01) if isinstance(event, Arrived)}
    assert downs >= 1
    assert tap.broker.port != killed
