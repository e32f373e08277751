"""The live backend on a real interface pair: frames arrive, silence gives empty bursts, nothing is ever sent."""

import json
import os
import socket
import sys
from collections.abc import Iterator

import pytest

from agent.errors import InputError, PermissionNeeded
from agent.tap.pcapy_live import PcapyLive
from tests.simulators.namespace import Namespace, cable

# Listens on eth1 inside the namespace while frames are put on the other end; prints what it heard.
LISTENER = """
import json, socket, sys
from agent.tap.pcapy_live import PcapyLive
from agent.errors import WardtapError
source = PcapyLive(["eth1"])
silent = [source.next_burst().count for _ in range(3)]
cable = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
cable.bind(("ward", 0))
head = bytes([2, 0, 0, 0, 0, 1] * 2) + b"\\x88\\xb5"
sent = [head + number.to_bytes(2, "big") + b"x" * (50 + number * 14) for number in range(100)]
for frame in sent:
    cable.send(frame)
heard, times = [], []
for _ in range(50):
    burst = source.next_burst()
    for row in burst.frames[: burst.count]:
        at = int(row["offset"])
        heard.append(burst.octets[at : at + int(row["caplen"])].tobytes().hex())
        times.append(int(row["time_ns"]))
        assert (int(row["wirelen"]), int(row["link"]), int(row["leg"])) == (0, 1, 0)
        assert burst.octets.flags.writeable
    if len(heard) >= len(sent):
        break
legs = [list(leg) for leg in source.legs()]
cable.close()
source.close()
print(json.dumps({"silent": silent, "same": heard == [frame.hex() for frame in sent], "heard": len(heard),
                  "ordered": times == sorted(times), "legs": legs, "faults": [str(fault) for fault in source.faults]}))
"""
BREAKER = """
import json, subprocess
from agent.tap.pcapy_live import PcapyLive
source = PcapyLive(["eth1"])
subprocess.run(["ip", "link", "set", "eth1", "down"], check=True)
ended = [source.next_burst() is None for _ in range(20)]
source.close()
print(json.dumps({"ended": any(ended), "faults": [str(fault) for fault in source.faults]}))
"""

# Five megabytes arrive before anybody reads: what the kernel's buffer cannot hold is dropped, and counted.
BUFFERED = """
import json, socket, sys
from agent.tap.pcapy_live import PcapyLive
source = PcapyLive(["eth1"], int(sys.argv[1]))
cable = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
cable.bind(("ward", 0))
for _ in range(5000):
    cable.send(bytes([2, 0, 0, 0, 0, 1] * 2) + b"\\x88\\xb5" + bytes(986))
heard = 0
while (count := source.next_burst().count) > 0:
    heard += count
(leg,) = source.legs()
cable.close()
source.close()
print(json.dumps({"heard": heard, "dropped": leg.dropped}))
"""


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    with cable() as made:
        yield made


@pytest.mark.root
def test_frames_arrive_and_none_is_sent(namespace: Namespace) -> None:
    before = namespace.transmitted("eth1")
    told = json.loads(namespace.run(sys.executable, "-c", LISTENER))
    assert told["silent"] == [0, 0, 0], "a silent leg gives the turn back"
    assert told["same"], told["heard"]
    assert told["ordered"]
    assert told["legs"] == [["eth1", 100, 0, 0, 0]]
    assert told["faults"] == []
    assert namespace.transmitted("eth1") == before == 0


@pytest.mark.root
@pytest.mark.parametrize(("buffer_mib", "loses"), [(1, True), (32, False)])
def test_the_configured_buffer_decides_what_is_lost(namespace: Namespace, buffer_mib: int, loses: bool) -> None:
    told = json.loads(namespace.run(sys.executable, "-c", BUFFERED, str(buffer_mib << 20)))
    assert (told["dropped"] > 0) == loses
    assert told["heard"] + told["dropped"] == 5000, "every frame was heard or counted as dropped"


@pytest.mark.root
def test_a_leg_that_goes_down_ends_the_source_with_a_reason(namespace: Namespace) -> None:
    told = json.loads(namespace.run(sys.executable, "-c", BREAKER))
    assert told["ended"]
    assert told["faults"][0].startswith("eth1: the leg stopped: ")


@pytest.mark.root
def test_a_leg_that_is_not_there() -> None:
    if os.geteuid() != 0:
        pytest.skip("without root the refusal is about permission")
    with pytest.raises(InputError) as refused:
        PcapyLive(["wardtap-none0"])
    assert "wardtap-none0" in str(refused.value)
    assert "ip -br link" in refused.value.todo


@pytest.mark.parametrize("legs", [[], ["a", "b", "c", "d", "e"]])
def test_number_of_legs(legs: list[str]) -> None:
    with pytest.raises(InputError, match="legs"):
        PcapyLive(legs)


def test_no_packet_socket_without_permission() -> None:
    """Whoever may not open one is told what is missing."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    except PermissionError:
        with pytest.raises(PermissionNeeded, match="CAP_NET_RAW"):
            PcapyLive(["lo"])
        return
    pytest.skip("this process may open packet sockets")
