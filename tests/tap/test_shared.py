"""Legs shared out on real interfaces: whose frames come where, what happens when an interface goes, what is counted."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from agent.config import TapConfig
from agent.errors import InputError
from agent.tap.live import open_shared
from tests.faults.conftest import eventually
from tests.forge.arp import request
from tests.simulators.listener import Listener, listening
from tests.simulators.namespace import Namespace, cable
from tests.tap.test_fanout import MACS, TAG_STACKS, V4, V6, frames
from tests.tap.test_ring import numbered, until_fault

pytestmark = pytest.mark.root
PAIRS = [(f"10.3.0.{n}", "10.3.9.9") for n in range(1, 21)]


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    with cable() as made:
        yield made


def tap(*legs: str, workers: int = 2, **more: object) -> TapConfig:
    """A configuration."""
    fields: dict[str, Any] = {"buffer_bytes": 8 << 20, "backend": "ring"} | more
    return TapConfig(legs=legs or ("eth1",), workers=workers, **fields)


def shared(namespace: Namespace, *legs: str, workers: int = 2) -> contextlib.AbstractContextManager[Listener]:
    """A listener whose legs are shared out."""
    return listening(namespace, tap(*legs, workers=workers))


def ways(ends: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    """Everything that is said between two addresses, and the same the other way."""
    return list(zip(frames(ends, MACS), frames(ends[::-1], MACS[::-1]), strict=True))


def workers_of(heard: list[dict[str, Any]]) -> set[int]:
    """Who heard them."""
    return {frame["worker"] for frame in heard}


@pytest.mark.parametrize("ends", [V4, V6])
def test_both_directions_come_to_one_worker(namespace: Namespace, ends: tuple[str, str]) -> None:
    """TCP, UDP, ICMP, its errors, every fragment, options; untagged and under up to three tags."""
    there, back = zip(*ways(ends), strict=True)
    with shared(namespace, workers=4) as listener:
        assert listener.ask("grouped") == [True]
        namespace.put([*there, *back])
        heard = listener.read(2 * len(there))
    assert len(heard) == 2 * len(there) >= 10 * len(TAG_STACKS)
    assert len(workers_of(heard)) == 1


def test_both_legs_of_a_link_bring_a_flow_to_one_worker(namespace: Namespace) -> None:
    """A full-duplex tap: one direction on each leg. In order of time within each worker, over many pairs."""
    namespace.add_cable("eth2", "ward2")
    told = []
    with shared(namespace, "eth1", "eth2") as listener:
        assert listener.ask("grouped") == [True, True]
        for pair in PAIRS:
            (there, back), *_ = ways(pair)
            namespace.put([there, back] * 2, "ward", "ward2")
            heard = listener.read(4)
            assert len(workers_of(heard)) == 1
            assert sorted(frame["leg"] for frame in heard) == [0, 0, 1, 1]
            assert [frame["leg"] for frame in heard] == [0, 1, 0, 1]
            told += heard
        assert workers_of(told) == {0, 1}, "everybody has a share"
        legs = listener.ask("legs")
    assert [(leg["frames"], leg["received"], leg["dropped"]) for leg in legs] == [(40, 40, 0), (40, 40, 0)]


def test_what_has_no_addresses_is_the_first_workers(namespace: Namespace) -> None:
    with shared(namespace) as listener:
        namespace.put([request((MACS[0], f"10.0.0.{n}"), "10.0.0.99") for n in range(20)])
        assert workers_of(listener.read(20)) == {0}


def spread(namespace: Namespace, listener: Listener, *fars: str) -> dict[str, int]:
    """Who hears each pair; every frame arrives."""
    sent = [way for pair in PAIRS for way in ways(pair)[0]]
    namespace.put(sent, *(fars or ("ward",)))
    heard = listener.read(len(sent))
    assert len(heard) == len(sent)
    told: dict[str, int] = {}
    for frame in heard:
        addresses = frozenset((frame["octets"][52:60], frame["octets"][60:68]))
        assert told.setdefault("-".join(sorted(addresses)), frame["worker"]) == frame["worker"]
    assert set(told.values()) == {0, 1}
    return told


def test_what_this_machine_sends_is_not_heard(namespace: Namespace) -> None:
    with shared(namespace) as listener:
        namespace.put([way for pair in PAIRS for way in ways(pair)[0]], "eth1")
        assert listener.read(9, seconds=1.0) == []
        assert listener.leg()["received"] == 0
        spread(namespace, listener)


def test_down_and_up_changes_no_share(namespace: Namespace) -> None:
    with shared(namespace) as listener:
        before = spread(namespace, listener)
        namespace.link("eth1", "down")
        until_fault(listener, "down")
        namespace.link("eth1", "up")
        until_fault(listener, "")
        assert spread(namespace, listener) == before
        assert listener.ask("grouped") == [True]


def test_gone_and_back_without_root(namespace: Namespace) -> None:
    """A group cannot be bound anew: spare rings take over, and give the same shares. As often as need be."""
    namespace.add_cable("eth2", "ward2")
    with shared(namespace, "eth1", "eth2") as listener:
        before = spread(namespace, listener, "ward", "ward2")
        assert listener.ask("resign"), "new packet sockets are refused"
        for turn in (1, 2, 3):
            namespace.run("ip", "link", "delete", "eth1")
            until_fault(listener, "gone")
            namespace.add_cable()
            until_fault(listener, "")
            assert namespace.promiscuity("eth1") == 2
            assert spread(namespace, listener, "ward", "ward2") == before
            assert listener.ask("grouped") == [False, True]
            assert listener.leg()["frames"] == 20 * turn + 20
            assert listener.leg(1)["frames"] == 20 * turn + 20
        assert namespace.transmitted("eth1") == 0


def test_a_leg_that_is_down_at_first(namespace: Namespace) -> None:
    """Old kernels give no group then; either way it is shared out when it comes up."""
    namespace.link("eth1", "down")
    with shared(namespace) as listener:
        until_fault(listener, "down")
        namespace.link("eth1", "up")
        until_fault(listener, "")
        spread(namespace, listener)


def test_a_filter_decides_what_comes_in(namespace: Namespace) -> None:
    with listening(namespace, tap(filter="udp port 53")) as listener:
        sent = [way for pair in PAIRS for way in ways(pair)[1]]  # UDP, its first fragment
        namespace.put([*sent, *(ways(PAIRS[0])[0])])
        assert len(listener.read(99, seconds=1.0)) == len(sent)
        assert listener.leg()["received"] == len(sent)


def test_a_deaf_tap_gives_what_it_held_and_no_more(namespace: Namespace) -> None:
    with shared(namespace) as listener:
        sent = [way for pair in PAIRS for way in ways(pair)[0]]
        namespace.put(sent)
        assert listener.ask("deafen")
        namespace.put(sent)
        assert len(listener.read(100, seconds=1.0)) == len(sent)
        leg = listener.leg()
        assert (leg["received"], leg["frames"], leg["dropped"]) == (40, 40, 0)


def test_a_worker_that_falls_behind_loses_in_its_own_ring_and_that_is_counted(namespace: Namespace) -> None:
    """All of one pair goes to one worker: its share of the buffer overflows, and every frame is heard or dropped."""
    flood, other = ways(PAIRS[0])[0][0].ljust(1000, b"x"), [way for pair in PAIRS for way in ways(pair)[0]]
    with listening(namespace, tap(buffer_bytes=2 << 20)) as listener:
        namespace.put([flood] * 5000)
        namespace.put(other)
        heard, leg = listener.count(), listener.leg()
    assert leg["dropped"] > 0
    assert heard + leg["dropped"] == leg["received"] == 5040
    assert leg["frames"] == heard


def test_a_burst_outlives_its_source(namespace: Namespace) -> None:
    with shared(namespace) as listener:
        namespace.put(numbered(50))
        assert eventually(lambda: 0 < listener.ask("keep", bursts=2) <= 50)
        assert listener.ask("close")
        assert listener.ask("kept")


def test_other_backends_cannot_share_out() -> None:
    with pytest.raises(InputError, match="only rings can be shared out"):
        open_shared(tap(backend="pcapy"))
