"""What the kernel says of interfaces: lo always, a virtual cable where root is, and answers that are none."""

import json
import struct
import sys
from collections.abc import Iterator

import pytest

from agent.errors import LinkError
from agent.tap import link
from agent.tap.link import Counters, Link, Links
from tests.simulators.namespace import Namespace, cable

LOOKER = """
import json, sys
from agent.tap.link import Links
links = Links()
for line in sys.stdin:
    found = links.named(line.strip()) if not line.strip().isdigit() else links.numbered(int(line))
    print(json.dumps(found), flush=True)
"""


@pytest.fixture
def links() -> Iterator[Links]:
    """An open socket."""
    made = Links()
    yield made
    made.close()


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    with cable() as made:
        yield made


def looked_up(namespace: Namespace, *asked: str | int) -> list[Link | None]:
    """Answers in the namespace."""
    lines = namespace.run(sys.executable, "-c", LOOKER, text="".join(f"{one}\n" for one in asked)).splitlines()
    answers = [json.loads(line) for line in lines]
    return [Link(*answer[:5], Counters(*answer[5])) if answer else None for answer in answers]


def test_the_loopback_is_always_there(links: Links) -> None:
    found = links.named("lo")
    assert found is not None
    assert (found.name, found.kind) == ("lo", 772)
    again = links.numbered(found.number)
    assert again is not None
    assert again[:3] == found[:3]
    assert again.counters.received >= found.counters.received


@pytest.mark.parametrize("name", ["wardtap-none", "x", "fifteen-letters", ""])
def test_no_such_name(links: Links, name: str) -> None:
    if name:
        assert links.named(name) is None
    assert links.numbered(2_000_000_000) is None


@pytest.mark.root
def test_up_and_carrier(namespace: Namespace) -> None:
    def state() -> tuple[bool, bool]:
        (found,) = looked_up(namespace, "eth1")
        assert found is not None
        return found.up, found.carrier

    assert state() == (True, True)
    namespace.link("ward", "down")
    assert state() == (True, False), "the other end is dead"
    namespace.link("eth1", "down")
    assert not state()[0]


@pytest.mark.root
def test_counters_are_those_of_the_interface(namespace: Namespace) -> None:
    namespace.put([bytes(60)] * 5)
    namespace.put([bytes(60)] * 3, "eth1")
    (found,) = looked_up(namespace, "eth1")
    assert found is not None
    assert found.counters == Counters(received=5, sent=3, errors=0, lost=0)


@pytest.mark.root
def test_a_name_may_move_and_a_number_stays(namespace: Namespace) -> None:
    (first,) = looked_up(namespace, "eth1")
    assert first is not None
    namespace.link("eth1", "down")
    namespace.link("eth1", "name", "other")
    gone, renamed = looked_up(namespace, "eth1", first.number)
    assert gone is None
    assert renamed is not None
    assert (renamed.name, renamed.number) == ("other", first.number)


class Said:
    """A socket that answers what a test wants."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)

    def sendall(self, _: bytes) -> None:
        pass

    def recv(self, _: int) -> bytes:
        return self._answers.pop(0) if self._answers else b""


def message(kind: int, body: bytes, turn: int = 1) -> bytes:
    """A netlink message."""
    return struct.pack("=IHHII", 16 + len(body), kind, 0, turn, 0) + body


def interface(*attributes: tuple[int, bytes]) -> bytes:
    """The body of RTM_NEWLINK: number 5, Ethernet, up."""
    packed = [struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4) for kind, value in attributes]
    return struct.pack("=BxHiII", 0, 1, 5, link.IFF_UP, 0) + b"".join(packed)


def asked(links: Links, *answers: bytes) -> Link | None:
    """What a lookup makes of these answers."""
    links._socket.close()
    links._socket = Said(*answers)  # type: ignore[assignment]
    try:
        return links.named("eth1")
    finally:
        links._socket = type("Closed", (), {"close": lambda _: None})()


def test_an_answer_without_counters_is_one_without_counts(links: Links) -> None:
    found = asked(links, message(link.RTM_NEWLINK, interface((link.IFLA_IFNAME, b"eth1\0"))))
    assert found == Link(5, "eth1", 1, True, True, Counters(0, 0, 0, 0))


def test_what_the_interface_lost_for_want_of_buffers(links: Links) -> None:
    numbers = list(range(100, 125))
    stats = struct.pack("=25Q", *numbers)
    found = asked(links, message(link.RTM_NEWLINK, interface((link.IFLA_STATS64, stats), (link.IFLA_CARRIER, b"\0"))))
    assert found is not None
    assert found.counters == Counters(received=100, sent=101, errors=104, lost=114 + 115)
    assert not found.carrier


def test_an_old_answer_is_not_taken_for_ours(links: Links) -> None:
    old = message(link.RTM_NEWLINK, interface((link.IFLA_IFNAME, b"old\0")), turn=0)
    new = message(link.RTM_NEWLINK, interface((link.IFLA_IFNAME, b"new\0")))
    found = asked(links, old, new)
    assert found is not None
    assert found.name == "new"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0" * 15,
        message(link.NLMSG_ERROR, struct.pack("=i", -1)),
        message(link.NLMSG_ERROR, b""),
        message(99, b""),
        message(link.RTM_NEWLINK, b"\0\0"),
        message(link.RTM_NEWLINK, interface((link.IFLA_STATS64, b"short"))),
    ],
)
def test_an_answer_that_is_none(links: Links, answer: bytes) -> None:
    with pytest.raises(LinkError, match="does not tell of its interfaces"):
        asked(links, answer)


@pytest.mark.parametrize("size", [0, 1, 3])
def test_an_attribute_that_has_no_length_ends_the_list(links: Links, size: int) -> None:
    found = asked(links, message(link.RTM_NEWLINK, interface() + struct.pack("=HH", size, 3) + b"eth1"))
    assert found is not None
    assert found.name == ""


def address(owner: int, *attributes: tuple[int, bytes], family: int = 2, prefix: int = 24) -> bytes:
    """RTM_NEWADDR."""
    packed = [struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4) for kind, value in attributes]
    return message(link.RTM_NEWADDR, struct.pack("=BBBBI", family, prefix, 0, 0, owner) + b"".join(packed))


DONE = message(link.NLMSG_DONE, bytes(4))


def told(links: Links, *answers: bytes) -> list[str]:
    """The addresses of interface 5 in these answers."""
    links._socket.close()
    links._socket = Said(*answers)  # type: ignore[assignment]
    try:
        return links.addresses(5)
    finally:
        links._socket = type("Closed", (), {"close": lambda _: None})()


def test_addresses_of_one_interface(links: Links) -> None:
    four = address(5, (link.IFA_ADDRESS, bytes([10, 0, 0, 1])), (link.IFA_LOCAL, bytes([10, 0, 0, 2])))
    six = address(5, (link.IFA_ADDRESS, bytes.fromhex("fe80" + "00" * 13 + "01")), family=10, prefix=64)
    other = address(6, (link.IFA_LOCAL, bytes([10, 0, 0, 9])))
    assert told(links, four + other, six, DONE) == ["10.0.0.2/24", "fe80::1/64"]


def test_no_more_addresses_than_a_line_holds(links: Links) -> None:
    assert len(told(links, *[address(5, (link.IFA_LOCAL, bytes([10, 0, 0, n]))) for n in range(200)], DONE)) == 64


@pytest.mark.parametrize(
    "answer",
    [b"", b"\0" * 8, message(link.NLMSG_ERROR, struct.pack("=i", -1)), address(5, (link.IFA_LOCAL, b"\1\2\3"))],
)
def test_addresses_that_are_none(links: Links, answer: bytes) -> None:
    with pytest.raises(LinkError, match="does not tell of its addresses"):
        told(links, answer)


ASKER = """
import json
from agent.tap.link import Links
links = Links()
found = links.named("eth1")
print(json.dumps([found.arp, found.mtu, found.promiscuity, links.addresses(found.number)]))
"""


@pytest.mark.root
def test_what_makes_a_leg_silent(namespace: Namespace) -> None:
    assert json.loads(namespace.run(sys.executable, "-c", ASKER)) == [True, 1500, 0, []]
    namespace.run("ip", "address", "add", "192.0.2.7/25", "dev", "eth1")
    namespace.run("ip", "address", "add", "192.0.2.8/25", "dev", "ward")
    namespace.link("eth1", "arp", "off", "promisc", "on", "mtu", "9000")
    assert json.loads(namespace.run(sys.executable, "-c", ASKER)) == [False, 9000, 1, ["192.0.2.7/25"]]
