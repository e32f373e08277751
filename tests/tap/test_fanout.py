"""The program that shares out frames: run step by step, against the hash by its rule; symmetric for all that flows."""

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from agent.tap import fanout
from agent.tap.fanout import number_program, share_program
from agent.tap.packet_socket import NOTHING
from tests.forge import icmp
from tests.forge.arp import request
from tests.forge.ethernet import IPV4, IPV6, MPLS, QINQ, QINQ_OLD, VLAN, ethernet, mpls, stp, tagged
from tests.forge.ipv4 import ICMP, TCP, UDP, Ipv4
from tests.forge.ipv6 import FRAGMENT, ICMPV6, Ipv6, fragments
from tests.forge.tcp import Tcp
from tests.forge.udp import Udp
from tests.simulators.bpf import ETHERNET, number_of, run

KEY = 0xC0FFEE42
MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02")
V4, V6 = ("10.1.0.7", "192.168.40.9"), ("2001:db8::17", "fd00:1:2:3::9")
TAG_STACKS = ((), ((VLAN, 5),), ((VLAN, 5), (VLAN, 9)), ((QINQ, 5), (VLAN, 9)), ((QINQ, 1), (QINQ_OLD, 2), (VLAN, 3)))


def packets(ends: tuple[str, str]) -> Iterator[tuple[int, bytes]]:
    """(Ethernet type, packet) of everything that one end may send to the other."""
    source, target = ends
    segment, datagram = Tcp(40000, 443, 7).octets(*ends, b"x"), Udp(40000, 53).octets(*ends, bytes(1000))
    if ":" in source:
        echo = icmp.icmpv6(*ends, 128, 0, b"\0\1\0\1ping")
        yield from ((IPV6, Ipv6(*ends, kind).octets(body)) for kind, body in ((TCP, segment), (ICMPV6, echo)))
        yield from ((IPV6, Ipv6(*ends, FRAGMENT).octets(part)) for part in fragments(UDP, datagram, 400))
        return
    error = icmp.unreachable(3, Ipv4(target, source, UDP).octets(datagram))
    for kind, body in ((TCP, segment), (UDP, datagram), (ICMP, icmp.echo(1, 1)), (ICMP, error)):
        yield IPV4, Ipv4(*ends, kind).octets(body)
    yield IPV4, Ipv4(*ends, TCP, options=b"\x94\x04\0\0").octets(segment)
    yield from ((IPV4, part) for part in Ipv4(*ends, UDP, ident=9).fragments(datagram, 400))


def frames(ends: tuple[str, str], macs: tuple[str, str]) -> Iterator[bytes]:
    """All of them under all stacks of tags."""
    for stack in TAG_STACKS:
        for kind, packet in packets(ends):
            yield ethernet(macs[1], macs[0], *tagged(stack, kind, packet))


def numbers(program: fanout.BpfProgram, ends: tuple[str, str], macs: tuple[str, str] = MACS) -> set[int]:
    """What the program answers about everything one end sends."""
    return {run(program, frame, ETHERNET) for frame in frames(ends, macs)}


@pytest.mark.parametrize("ends", [V4, V6])
def test_all_that_is_said_between_two_addresses_has_one_number(ends: tuple[str, str]) -> None:
    program = number_program(KEY)
    there, back = numbers(program, ends), numbers(program, ends[::-1], MACS[::-1])
    assert there == back == {number_of(ends, KEY)}


def test_random_addresses_by_the_rule() -> None:
    rng, program = Random(8), number_program(KEY)
    for _ in range(200):
        v4 = ".".join(str(rng.randrange(256)) for _ in range(4)), "10.0.0.1"
        v6 = ":".join(f"{rng.getrandbits(16):x}" for _ in range(8)), "fe80::1"
        for ends, kind, packet in ((v4, IPV4, Ipv4(*v4, UDP).octets()), (v6, IPV6, Ipv6(*v6, UDP).octets())):
            assert run(program, ethernet(*MACS, kind, packet), ETHERNET) == number_of(ends, KEY)


def test_what_is_not_ip_or_too_short_is_the_first_workers() -> None:
    whole = ethernet(*MACS, IPV4, Ipv4(*V4, UDP).octets(bytes(20)))
    deep = ethernet(*MACS, *tagged([(VLAN, n) for n in range(4)], IPV4, Ipv4(*V4, UDP).octets(bytes(20))))
    labels = ethernet(*MACS, MPLS, mpls([7], Ipv4(*V4, UDP).octets()))
    cut = [whole[:size] for size in range(14, 34)]
    for frame in (request((MACS[0], V4[0]), V4[1]), stp(MACS[0], MACS[0]), labels, deep, *cut):
        assert run(number_program(KEY), frame, ETHERNET) == 0


def test_another_key_shares_out_otherwise() -> None:
    pairs = [(f"10.0.{n >> 8}.{n & 255}", "10.9.9.9") for n in range(256)]
    one, other = ([number_of(pair, key) % 2 for pair in pairs] for key in (KEY, KEY + 1))
    assert one != other


@pytest.mark.parametrize("workers", [2, 3, 4])
def test_shares_are_even(workers: int) -> None:
    """A ward of one server, and one of many pairs: no worker has more than half again its share."""
    star = [(f"10.0.{n >> 8}.{n & 255}", "10.9.9.9") for n in range(1000)]
    mesh = [(f"10.0.0.{n % 40}", f"10.0.0.{100 + n % 37}") for n in range(1000)]
    six = [(f"fd00::{n:x}", "fd00::ffff") for n in range(1000)]
    for pairs in (star, mesh, six):
        counts = Counter(number_of(pair, KEY) % workers for pair in pairs)
        assert len(counts) == workers
        assert max(counts.values()) < 1.5 * len(pairs) / workers


@pytest.mark.parametrize("workers", [2, 3, 4])
def test_filters_share_out_as_the_group_does(workers: int) -> None:
    """Where no group can be had: every frame passes exactly one of them, the same one."""
    for ends in (V4, V6, V4[::-1]):
        for frame in (*frames(ends, MACS), request((MACS[0], V4[0]), V4[1])):
            wanted = run(number_program(KEY), frame, ETHERNET) % workers
            answers = [run(share_program(KEY, worker, workers, ETHERNET), frame, 0) for worker in range(workers)]
            assert [bool(answer) for answer in answers] == [worker == wanted for worker in range(workers)]


def test_a_filter_decides_after_the_share() -> None:
    frame = next(frames(V4, MACS))
    mine = run(number_program(KEY), frame, ETHERNET) % 2
    assert run(share_program(KEY, mine, 2, ETHERNET, NOTHING), frame, 0) == 0
    assert run(share_program(KEY, mine, 2, ETHERNET, ((6, 0, 0, 77),)), frame, 0) == 77


def test_programs_are_what_the_kernel_takes() -> None:
    """sk_chk_filter: at most 4096 steps, jumps forward and inside, an answer at the end."""
    for program in (number_program(KEY), share_program(KEY, 3, 4, ETHERNET)):
        assert len(program) <= 128
        assert program[-1][0] in {fanout.ANSWER, fanout.ANSWER_A}
        for place, (code, then, otherwise, constant) in enumerate(program):
            ahead = constant if code == fanout.GO else max(then, otherwise)
            assert 0 <= then < 256
            assert place + ahead + 1 < len(program) or code not in {fanout.GO, fanout.IF_EQUAL}
