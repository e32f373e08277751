"""The ring on real interfaces that go down, vanish, come back, are renamed; and on legs that are heard together."""

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.config import TapConfig
from tests.faults.conftest import eventually
from tests.simulators.lateness import waited_s
from tests.simulators.listener import Listener, listening
from tests.simulators.namespace import Namespace, cable

BACK_S = 5.0  # a leg that is back is heard again within
HEAD = bytes([2, 0, 0, 0, 0, 1] * 2) + b"\x88\xb5"

pytestmark = pytest.mark.root


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    with cable() as made:
        yield made


@contextlib.contextmanager
def ring(namespace: Namespace, *legs: str, buffer_bytes: int = 8 << 20) -> Iterator[Listener]:
    """A listener with rings."""
    with listening(namespace, TapConfig(legs=legs or ("eth1",), backend="ring", buffer_bytes=buffer_bytes)) as made:
        yield made


def numbered(count: int) -> list[bytes]:
    """Frames that can be told apart."""
    return [HEAD + number.to_bytes(2) + bytes(44) for number in range(count)]


def clock_of(listener: Listener) -> float:
    """Seconds that go on while the machine lets the listener work, and us, who ask it."""
    return time.monotonic() - waited_s() - float(listener.ask("waited"))


def until_fault(listener: Listener, fault: str) -> None:
    """The leg says so within the time that is allowed."""
    began = clock_of(listener)
    assert eventually(lambda: listener.leg()["fault"] == fault), f"never {fault!r}: {listener.leg()}"
    assert clock_of(listener) - began < BACK_S


def hears(namespace: Namespace, listener: Listener, far: str = "ward") -> None:
    """Frames on the cable arrive."""
    namespace.put(numbered(5), far)
    assert len(listener.read(5)) == 5


def test_down_and_up(namespace: Namespace) -> None:
    with ring(namespace) as listener:
        hears(namespace, listener)
        namespace.link("eth1", "down")
        until_fault(listener, "down")
        namespace.link("eth1", "up")
        until_fault(listener, "")
        hears(namespace, listener)
        leg = listener.leg()
        assert (leg["frames"], leg["dropped"], leg["tx_packets"]) == (10, 0, 0)
        assert leg["blind_ns"] > 0


def test_a_cable_that_is_pulled(namespace: Namespace) -> None:
    with ring(namespace) as listener:
        namespace.link("ward", "down")
        until_fault(listener, "no carrier")
        namespace.link("ward", "up")
        until_fault(listener, "")
        hears(namespace, listener)


def test_gone_and_back_without_root(namespace: Namespace) -> None:
    """What the sensor is after it gave up its capabilities: no new socket, and the old one still finds its leg."""
    with ring(namespace) as listener:
        hears(namespace, listener)
        assert listener.ask("resign"), "new packet sockets are refused"
        for turn in (1, 2):
            namespace.run("ip", "link", "delete", "eth1")
            until_fault(listener, "gone")
            namespace.add_cable()
            until_fault(listener, "")
            assert namespace.promiscuity("eth1") == 1
            hears(namespace, listener)
            assert listener.leg()["frames"] == 5 * turn + 5
        assert namespace.transmitted("eth1") == 0


def test_what_the_new_interface_sends_counts(namespace: Namespace) -> None:
    with ring(namespace) as listener:
        namespace.put(numbered(2), "eth1")
        namespace.run("ip", "link", "delete", "eth1")
        until_fault(listener, "gone")
        namespace.add_cable()
        namespace.put(numbered(3), "eth1")
        until_fault(listener, "")
        assert eventually(lambda: listener.leg()["tx_packets"] >= 3), "what the first one sent last nobody can know"


def test_renamed_it_is_heard_and_another_under_the_name_takes_its_place(namespace: Namespace) -> None:
    with ring(namespace) as listener:
        namespace.link("eth1", "down")
        namespace.link("eth1", "name", "old1")
        namespace.link("old1", "up")
        until_fault(listener, "renamed")
        hears(namespace, listener)
        namespace.add_cable("eth1", "ward2")
        until_fault(listener, "")
        hears(namespace, listener, "ward2")
        assert (namespace.promiscuity("eth1"), namespace.promiscuity("old1")) == (1, 0)
        namespace.put(numbered(5), "ward")
        assert listener.read(5, seconds=1.0) == [], "the old one is no leg any more"


def test_renamed_and_back(namespace: Namespace) -> None:
    with ring(namespace) as listener:
        namespace.link("eth1", "down")
        namespace.link("eth1", "name", "old1")
        until_fault(listener, "down")
        namespace.link("old1", "name", "eth1")
        namespace.link("eth1", "up")
        until_fault(listener, "")
        hears(namespace, listener)


def test_one_leg_may_fail_while_the_other_hears(namespace: Namespace) -> None:
    namespace.add_cable("eth2", "ward2")
    with ring(namespace, "eth1", "eth2") as listener:
        namespace.link("eth2", "down")
        until_fault(listener, "")
        hears(namespace, listener)
        assert [leg["fault"] for leg in listener.ask("legs")] == ["", "down"]


def test_two_legs_come_in_order_of_time(namespace: Namespace) -> None:
    """A conversation whose halves pass two legs, over many blocks: nothing is heard before what it answers."""
    namespace.add_cable("eth2", "ward2")
    with ring(namespace, "eth1", "eth2", buffer_bytes=48 << 20) as listener:
        # Read while they come, as a tap does; a ring has a block for each frame of its leg if nobody can read.
        with ThreadPoolExecutor(1) as sender:
            sent = sender.submit(namespace.put, numbered(300), "ward", "ward2", gap_ms=3)
            heard = listener.read(300)
            sent.result()
        assert [leg["dropped"] for leg in listener.ask("legs")] == [0, 0]
    assert [int(frame["octets"][28:32], 16) for frame in heard] == list(range(300))
    assert [frame["leg"] for frame in heard] == [0, 1] * 150


def test_one_sided_traffic_is_not_kept_back(namespace: Namespace) -> None:
    namespace.add_cable("eth2", "ward2")
    with ring(namespace, "eth1", "eth2") as listener:
        namespace.put(numbered(10))
        began = clock_of(listener)
        assert len(listener.read(10)) == 10
        assert clock_of(listener) - began < 1.0


def test_a_deaf_ring_gives_what_it_held_and_no_more(namespace: Namespace) -> None:
    with ring(namespace) as listener:
        namespace.put(numbered(50))
        assert listener.ask("deafen")
        namespace.put(numbered(50))
        assert len(listener.read(100, seconds=1.0)) == 50
        leg = listener.leg()
        assert (leg["received"], leg["frames"], leg["dropped"]) == (50, 50, 0), "what came later was never received"
        assert leg["nic_received"] == 100


def test_a_burst_outlives_its_source(namespace: Namespace) -> None:
    with ring(namespace) as listener:
        namespace.put(numbered(50))
        assert eventually(lambda: 0 < listener.ask("keep", bursts=1) <= 50), "one block, early or late"
        assert listener.ask("close")
        assert listener.ask("kept")
