"""What every live backend does, on real interface pairs: the ring and libpcap, the same tests."""

import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from agent.config import TapConfig
from agent.errors import InputError
from agent.packets.records import Verdict
from agent.tap.live import backend_of, open_legs
from agent.tap.records import BURSTS_AHEAD
from tests.conftest import ROOT
from tests.forge.ethernet import IPV4, VLAN, ethernet, tagged
from tests.forge.ipv4 import TCP, UDP, Ipv4
from tests.forge.udp import Udp
from tests.simulators.listener import NOBODY, Listener, listening
from tests.simulators.namespace import Namespace, cable

MIB = 1 << 20
HEAD = bytes([2, 0, 0, 0, 0, 1] * 2) + b"\x88\xb5"
A, B = ("10.0.0.1", "02:00:00:00:00:01"), ("10.0.0.2", "02:00:00:00:00:02")
SUPER_OCTETS = 3 * MIB
# One side of a TCP session. The one that hears is on the leg's own interface, so that its peer's offloads show.
HEARS = """
import socket
with socket.create_server(("10.9.0.1", 7)) as server:
    print("ready", flush=True)
    with server.accept()[0] as here:
        while here.recv(65536):
            pass
"""
SAYS = """
import socket, sys
with socket.create_connection(("10.9.0.1", 7)) as there:
    there.sendall(bytes(int(sys.argv[1])))
"""


def datagram(ident: int, port: int = 53, tags: Sequence[tuple[int, int]] = ()) -> bytes:
    """A question from A to B; no two are a mirror's duplicates."""
    inside = Ipv4(A[0], B[0], UDP, ident=ident).octets(Udp(40000, port).octets(A[0], B[0], b"?" * 30))
    return ethernet(B[1], A[1], *tagged(tags, IPV4, inside))


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    with cable() as made:
        yield made


@pytest.fixture(params=["ring", "pcapy"])
def backend(request: pytest.FixtureRequest) -> str:
    """Each of them."""
    return str(request.param)


def numbered(count: int, size: int = 60) -> list[bytes]:
    """Frames that can be told apart."""
    return [HEAD + struct.pack(">H", number) + b"x" * (size - 16) for number in range(count)]


def tap(backend: str, *legs: str, **more: object) -> TapConfig:
    """A configuration."""
    return TapConfig(legs=legs or ("eth1",), backend=backend, **more)  # type: ignore[arg-type]


@pytest.mark.root
def test_frames_arrive_as_they_are_and_none_is_sent(namespace: Namespace, backend: str) -> None:
    sent = [HEAD + number.to_bytes(2) + b"x" * (50 + number * 14) for number in range(100)]
    with listening(namespace, tap(backend)) as listener:
        namespace.put(sent)
        heard = listener.read(len(sent))
        leg = listener.leg()
    assert [frame["octets"] for frame in heard] == [frame.hex() for frame in sent]
    times = [frame["time_ns"] for frame in heard]
    assert times == sorted(times)
    assert all(frame["wirelen"] in {0, frame["caplen"]} for frame in heard), "0: the backend took the frame whole"
    assert {(frame["link"], frame["leg"]) for frame in heard} == {(1, 0)}
    assert (leg["name"], leg["frames"], leg["received"], leg["dropped"], leg["frozen"]) == ("eth1", 100, 100, 0, 0)
    assert (leg["tx_packets"], leg["fault"], leg["blind_ns"]) == (0, "", 0)
    assert namespace.transmitted("eth1") == 0


@pytest.mark.root
def test_a_silent_leg_gives_the_turn_back(namespace: Namespace, backend: str) -> None:
    with listening(namespace, tap(backend)) as listener:
        for count, seconds in listener.ask("silent", bursts=4):
            assert count == 0
            assert seconds < 0.5
        namespace.put(numbered(1))
        assert len(listener.read(1)) == 1, "and hears what comes after the silence"


@pytest.mark.root
def test_what_the_interface_sends_itself_is_not_heard_and_counted(namespace: Namespace, backend: str) -> None:
    with listening(namespace, tap(backend)) as listener:
        namespace.put(numbered(7), "eth1")
        namespace.put(numbered(3, size=100))
        heard = listener.read(20, seconds=2.0)
        assert [frame["caplen"] for frame in heard] == [100] * 3
        assert (listener.leg()["tx_packets"], listener.leg()["nic_received"]) == (7, 3)
    assert namespace.transmitted("eth1") == 7


@pytest.mark.root
def test_a_tag_counts_wherever_it_is_kept(namespace: Namespace, backend: str) -> None:
    """The kernel takes the tag out of the frame; libpcap puts it back."""
    sent = [datagram(1, tags=[(VLAN, 7)]), datagram(2, tags=[(VLAN, 0)]), datagram(3)]
    with listening(namespace, tap(backend)) as listener:
        namespace.put(sent)
        heard = listener.read(3)
    assert [frame["row_vlan"] for frame in heard] == [7, 0, 0]
    assert [frame["wire_octets"] for frame in heard] == [len(frame) for frame in sent]
    assert {frame["verdict"] for frame in heard} == {Verdict.METERED}
    assert {frame["l3_octets"] for frame in heard} == {58}


@pytest.mark.root
def test_legs_have_their_numbers(namespace: Namespace, backend: str) -> None:
    namespace.add_cable("eth2", "ward2")
    with listening(namespace, tap(backend, "eth1", "eth2")) as listener:
        namespace.put(numbered(10), "ward", "ward2")
        heard = listener.read(10)
        legs = listener.ask("legs")
    numbers = [[int(frame["octets"][28:32], 16) for frame in heard if frame["leg"] == leg] for leg in (0, 1)]
    assert dict(enumerate(numbers)) == {0: [0, 2, 4, 6, 8], 1: [1, 3, 5, 7, 9]}
    assert [(leg["name"], leg["frames"]) for leg in legs] == [("eth1", 5), ("eth2", 5)]


@pytest.mark.root
def test_a_filter_decides_what_comes_in(namespace: Namespace, backend: str) -> None:
    with listening(namespace, tap(backend, filter="udp port 53")) as listener:
        sent = [datagram(number, port) for number, port in enumerate((54, 53, 54, 53))]
        namespace.put([*sent, *numbered(3)])
        heard = listener.read(9, seconds=1.0)
        assert [frame["octets"] for frame in heard] == [sent[1].hex(), sent[3].hex()]
        assert listener.leg()["received"] == 2


@pytest.mark.root
def test_a_filter_that_is_none(namespace: Namespace, backend: str) -> None:
    listener = Listener(namespace, tap(backend, filter="udp prot 53"))
    listener.close()
    assert listener.began["error"] == "InputError"
    assert listener.began["text"].startswith("[tap] filter: no capture filter: ")


@pytest.mark.root
@pytest.mark.parametrize(("buffer_mib", "loses"), [(1, True), (32, False)])
def test_the_configured_buffer_decides_what_is_lost(
    namespace: Namespace, backend: str, buffer_mib: int, loses: bool
) -> None:
    with listening(namespace, tap(backend, buffer_bytes=buffer_mib * MIB)) as listener:
        namespace.put(numbered(5000, size=1000))  # five megabytes before anybody reads
        heard, leg = listener.count(), listener.leg()
    assert (leg["dropped"] > 0) == loses
    assert heard + leg["dropped"] == leg["received"] == 5000, "every frame was heard or counted as dropped"
    assert leg["frames"] == heard


@pytest.mark.root
def test_a_burst_stays_as_it_was_while_the_next_are_read(namespace: Namespace, backend: str) -> None:
    """The ring is overwritten several times meanwhile."""
    with listening(namespace, tap(backend, buffer_bytes=MIB)) as listener:
        for _ in range(3):
            namespace.put(numbered(3000, size=1000))
            assert listener.ask("keep", bursts=BURSTS_AHEAD - 1) > 0
            namespace.put(numbered(3000, size=1000))
            assert listener.ask("kept")
            listener.count()
            listener.ask("forget")


def carries_tcp(frame: dict[str, Any]) -> bool:
    """Whether a frame is IPv4 and TCP with a payload."""
    octets = bytes.fromhex(frame["octets"][:48])
    return octets[12:14] == b"\x08\x00" and octets[23] == TCP and frame["payload_octets"] > 0


@pytest.mark.root
def test_super_packets_of_offloads_do_not_confuse_lengths(namespace: Namespace, backend: str) -> None:
    """One TCP session whose sender leaves the cutting to a card that does not cut: packets of up to 64 KiB."""
    there = Namespace(namespace.name + "-far")
    namespace.run("ip", "netns", "add", there.name)
    try:
        namespace.link("ward", "netns", there.name)
        for end, device, address in ((namespace, "eth1", "10.9.0.1/24"), (there, "ward", "10.9.0.2/24")):
            end.run("ip", "addr", "add", address, "dev", device)
            end.link(device, "up")
        with listening(namespace, tap(backend)) as listener:
            command = namespace.command(sys.executable, "-c", HEARS)
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sink:
                assert sink.stdout is not None
                assert sink.stdout.readline() == "ready\n"
                there.run(sys.executable, "-c", SAYS, str(SUPER_OCTETS))
                assert sink.wait(60) == 0
            heard = [frame for frame in listener.read(5000, seconds=1.0) if carries_tcp(frame)]
    finally:
        namespace.run("ip", "netns", "delete", there.name)
    assert max(frame["caplen"] for frame in heard) > 20_000, "no super-packet came: the test shows nothing"
    for frame in heard:
        assert frame["wire_octets"] == frame["caplen"] == frame["l3_octets"] + 14
    sequence = [int(frame["octets"][76:84], 16) for frame in heard]  # a segment may be sent twice
    starts = [(number - sequence[0]) % 2**32 for number in sequence]
    end = 0
    for start, size in sorted(zip(starts, (frame["payload_octets"] for frame in heard), strict=True)):
        assert start <= end, "every octet was heard"
        end = max(end, start + size)
    assert end == SUPER_OCTETS, "what was said, no more and no less"


@pytest.mark.root
def test_a_leg_that_is_not_there(backend: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("without root the refusal is about permission")
    with pytest.raises(InputError) as refused:
        open_legs(tap(backend, "wardtap-none0"))
    assert "wardtap-none0" in str(refused.value)
    assert "ip -br link" in refused.value.todo


@pytest.mark.parametrize("legs", [(), ("a", "b", "c", "d", "e")])
def test_number_of_legs(backend: str, legs: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="legs named"):
        open_legs(TapConfig(legs=legs, backend=backend))


def test_no_packet_socket_without_permission(backend: str) -> None:
    """Whoever may not open one is told what is missing."""
    code = f"""
import os
import agent.tap.pcapy_live, agent.tap.ring  # nobody may read some folders
from agent.config import TapConfig
from agent.errors import PermissionNeeded
from agent.tap.live import open_legs
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
    os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
try:
    open_legs(TapConfig(legs=("lo",), backend="{backend}"))
except PermissionNeeded as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "lo: opening a packet socket is not permitted (run as root or with CAP_NET_RAW)\n"


@pytest.mark.parametrize(
    ("said", "platform", "meant"),
    [("auto", "linux", "ring"), ("auto", "darwin", "pcapy"), ("ring", "darwin", "ring"), ("pcapy", "linux", "pcapy")],
)
def test_the_ring_is_the_default_on_linux(said: str, platform: str, meant: str) -> None:
    assert backend_of(tap(said), platform) == meant
    assert TapConfig().backend == "auto"
