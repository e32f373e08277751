"""Community ids of the published vectors (corelight/community-id-spec, baseline of its Python implementation)."""

from ipaddress import ip_address
from random import Random

import pytest

from agent.flows.community import PAIRS, WITH_PORTS, community_id
from tests.simulators.bursts import THIN

VECTORS = [
    (6, "128.232.110.120", "66.35.250.204", (34855, 80), "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (6, "66.35.250.204", "128.232.110.120", (80, 34855), "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (17, "192.168.1.52", "8.8.8.8", (54585, 53), "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    (17, "8.8.8.8", "192.168.1.52", (53, 54585), "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    (132, "192.168.170.8", "192.168.170.56", (7, 80), "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="),
    (1, "192.168.0.89", "192.168.0.1", (8, 0), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
    (1, "192.168.0.1", "192.168.0.89", (0, 0), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
    (1, "192.168.0.89", "192.168.0.1", (20, 0), "1:3o2RFccXzUgjl7zDpqmY7yJi8rI="),
    (58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", (135, 0), "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="),
    (58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", (136, 0), "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="),
    (58, "3ffe:507:0:1:260:97ff:fe07:69ea", "3ffe:507:0:1:200:86ff:fe05:80da", (3, 0),
     "1:NdobDX8PQNJbAyfkWxhtL2Pqp5w="),
]  # fmt: skip


@pytest.mark.parametrize(("protocol", "source", "destination", "ports", "wanted"), VECTORS)
def test_published(protocol: int, source: str, destination: str, ports: tuple[int, int], wanted: str) -> None:
    assert community_id(protocol, ip_address(source).packed, ip_address(destination).packed, ports) == wanted


def test_both_directions_of_a_flow_are_one_id() -> None:
    a, b = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
    for protocol in (6, 17, 132):
        for ports in ((1, 2), (2, 1), (5, 5)):
            assert community_id(protocol, a, b, ports) == community_id(protocol, b, a, ports[::-1])
    for protocol in (47, 50, 2):
        assert community_id(protocol, a, b, (0, 0)) == community_id(protocol, b, a, (0, 0))
        assert community_id(protocol, a, b, (0, 0)) == community_id(protocol, a, b, None)
    assert community_id(6, a, a, (1, 2)) == community_id(6, a, a, (2, 1))


def test_every_pair_is_one_id() -> None:
    a, b = bytes(15) + b"\1", bytes(15) + b"\2"
    for protocol, pairs in PAIRS.items():
        for kind, answer in pairs.items():
            assert pairs[answer] == kind
            assert community_id(protocol, a, b, (kind, 0)) == community_id(protocol, b, a, (answer, 0))
    assert community_id(1, a, b, (3, 1)) != community_id(1, b, a, (3, 1)), "an error has a direction"


def test_fragments_have_no_ports() -> None:
    a, b = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
    assert community_id(17, a, b, None) == community_id(17, b, a, None) != community_id(17, a, b, (0, 0))


@pytest.mark.parametrize("protocol", [1, 2, 6, 17, 33, 47, 50, 51, 58, 89, 132, 136])
@pytest.mark.parametrize("size", [4, 16])
def test_against_the_reference(protocol: int, size: int) -> None:
    """The library of those who specified it, on flows of every kind, each way, between few addresses."""
    reference = pytest.importorskip("communityid", reason="the reference library is not installed: extra `dev`")
    dice = Random(protocol * size)
    for _ in range(300 // THIN):
        source, destination = (bytes(size - 1) + bytes([dice.randrange(4)]) for _ in "ab")
        ports = (dice.randrange(256), dice.randrange(256)) if protocol in {1, 58} else (dice.randrange(65536), 80)
        given = ports if protocol in WITH_PORTS else None
        flow = reference.FlowTuple(protocol, source, destination, *(given or ()))
        assert community_id(protocol, source, destination, given) == reference.CommunityID().calc(flow)
