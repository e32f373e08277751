"""How rings are cut, how filters are handed over; and that nothing in the room can send."""

import ast
import socket
import struct
from pathlib import Path
from typing import Any

import pytest

from agent.errors import InputError, PermissionNeeded
from agent.tap import packet_socket as ps
from agent.tap.link import Counters, Link
from tests.house.tree import python_files, syntax

MIB = 1 << 20


@pytest.mark.parametrize(
    ("buffer_bytes", "block", "blocks"),
    [
        (MIB, 128 << 10, 8),
        (2 * MIB, 128 << 10, 16),
        (8 * MIB, 256 << 10, 32),
        (32 * MIB, 256 << 10, 128),
        (32 * MIB + 1, 256 << 10, 128),
        (1024 * MIB, 256 << 10, 4096),
    ],
)
def test_geometry(buffer_bytes: int, block: int, blocks: int) -> None:
    shape = ps.geometry(buffer_bytes)
    assert shape == (block, blocks)
    assert shape.ring_bytes <= buffer_bytes
    assert block % ps.FRAME_BYTES == 0, "the kernel asks for it"
    assert block > 0xFFFF + 256, "a super-packet of 64 KiB fits"


def test_a_quiet_leg_is_patient_with_a_slow_reader() -> None:
    """On a quiet leg each block holds a frame or two: their number times the timeout is how long nobody may read."""
    assert ps.geometry(32 * MIB).blocks * ps.BLOCK_TIMEOUT_MS >= 5000
    assert ps.BLOCK_TIMEOUT_MS <= 100


@pytest.mark.parametrize(("kind", "told"), [(1, 1), (772, 1), (65534, 101), (801, None), (0, None)])
def test_kinds_of_interfaces(kind: int, told: int | None) -> None:
    assert ps.link_type(Link(1, "x", kind, True, True, Counters(0, 0, 0, 0))) == told


class Heard:
    """A socket that remembers what was set."""

    def __init__(self, refuse: dict[int, int] | None = None) -> None:
        self.options: list[tuple[int, int, Any]] = []
        self.bound: tuple[str, int] | None = None
        self._refuse = refuse or {}

    def setsockopt(self, level: int, option: int, value: object) -> None:
        if option in self._refuse:
            raise OSError(self._refuse[option], "refused")
        self.options.append((level, option, value))

    def bind(self, place: tuple[str, int]) -> None:
        if self._refuse.get(-1):
            raise OSError(self._refuse[-1], "refused")
        self.bound = place


def made(**refuse: int) -> Any:
    """A ring on such a socket."""
    heard = Heard({getattr(ps, name): code for name, code in refuse.items()})
    ps.make_ring(heard, "eth1", ps.geometry(32 * MIB))  # type: ignore[arg-type]
    return heard


def test_the_ring_that_is_asked_for() -> None:
    heard = made()
    assert [option for _, option, _ in heard.options] == [ps.VERSION, ps.RX_RING, ps.IGNORE_OUTGOING]
    assert {level for level, _, _ in heard.options} == {ps.SOL_PACKET}
    assert heard.options[0][2] == ps.TPACKET_V3
    assert struct.unpack("=7I", heard.options[1][2]) == (256 << 10, 128, 2048, 16384, 40, 0, 0)
    assert heard.bound is None, "nothing is heard yet"


def test_no_memory_for_the_ring() -> None:
    with pytest.raises(InputError, match="no 32 MiB for the ring") as refused:
        made(RX_RING=12)
    assert "buffer_bytes" in refused.value.todo


def test_no_ring_at_all() -> None:
    with pytest.raises(InputError, match="gives no ring") as refused:
        made(VERSION=22)
    assert "pcapy" in refused.value.todo


def test_a_kernel_that_does_not_leave_out_what_it_sends() -> None:
    assert made(IGNORE_OUTGOING=92).options
    with pytest.raises(OSError, match="refused"):
        made(IGNORE_OUTGOING=5)


def test_attached_and_not() -> None:
    link = Link(7, "eth1", 1, True, True, Counters(0, 0, 0, 0))
    heard = Heard()
    ps.attach(heard, link)  # type: ignore[arg-type]
    assert heard.bound == ("eth1", ps.ETH_P_ALL)
    assert [(option, struct.unpack("=iHH8x", value)) for _, option, value in heard.options] == [
        (ps.ADD_MEMBERSHIP, (7, ps.MR_PROMISC, 0))
    ]
    gone = Heard({-1: 19})
    with pytest.raises(OSError, match="refused"):
        ps.attach(gone, link)  # type: ignore[arg-type]
    assert [option for _, option, _ in gone.options] == [ps.ADD_MEMBERSHIP, ps.DROP_MEMBERSHIP], "nothing is left set"


def test_an_interface_that_is_gone_has_nothing_to_leave() -> None:
    ps.leave(Heard({ps.DROP_MEMBERSHIP: 99}), 7)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="refused"):
        ps.leave(Heard({ps.DROP_MEMBERSHIP: 5}), 7)  # type: ignore[arg-type]


def test_a_filter_is_handed_over_as_the_kernel_wants_it() -> None:
    """A socket pair takes classic filters too: what passes, passes; NOTHING passes nothing."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        here.settimeout(0.2)
        first_octet_is_a = [(0x30, 0, 0, 0), (0x15, 0, 1, ord("a")), (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0)]
        ps.set_filter(here, first_octet_is_a)
        for text in (b"abc", b"xyz", b"a"):
            there.send(text)
        assert [here.recv(9), here.recv(9)] == [b"abc", b"a"]
        ps.set_filter(here, ps.NOTHING)
        there.send(b"abc")
        with pytest.raises(TimeoutError):
            here.recv(9)
        ps.clear_filter(here)
        ps.clear_filter(here)
        there.send(b"xyz")
        assert here.recv(9) == b"xyz"


def test_no_socket_without_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(ps.socket, "socket", refused)
    with pytest.raises(PermissionNeeded, match="CAP_NET_RAW"):
        ps.open_socket("eth1")


def test_nothing_on_the_way_from_a_leg_can_send() -> None:
    """The one `sendall` of the room asks the kernel over netlink; injecting is not even named."""
    sending = {"send", "sendall", "sendto", "sendmsg", "sendfile", "sendpacket", "inject", "sendmmsg", "write"}
    found = [
        (path.name, node.attr)
        for path in python_files("agent")
        if path.parts[1] == "tap"
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Attribute) and node.attr in sending
    ]
    assert found == [("link.py", "sendall")]
    sockets = [
        ast.unparse(node.args[0])
        for node in ast.walk(syntax(Path("agent/tap/link.py")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "socket.socket"
    ]
    assert sockets == ["socket.AF_NETLINK"], "what the other one sends goes to the kernel too"
