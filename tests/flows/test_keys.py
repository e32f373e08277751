"""The direction-free key of a packet."""

import numpy as np
import pytest

from agent.flows import keys
from agent.flows.keys import ICMP, ICMPV6
from agent.packets.records import PACKET, PacketFlag

MAPPED = 0xFFFF << 32


@pytest.mark.parametrize(
    ("protocol", "given", "asked"),
    [
        (ICMP, 0x0000, 0x0800),  # RFC 792: echo reply
        (ICMP, 0x0E00, 0x0D00),  # timestamp reply
        (ICMP, 0x0301, 0x0301),  # unreachable has no request
        (ICMPV6, 0x8100, 0x8000),  # RFC 4443: echo reply
        (ICMPV6, 0x8800, 0x8700),  # RFC 4861: neighbour advertisement
        (ICMPV6, 0x8600, 0x8500),  # router advertisement
    ],
)
def test_replies_are_filed_under_their_requests(protocol: int, given: int, asked: int) -> None:
    assert keys.request_type(protocol, given) == asked


def row(source: tuple[int, int, int], destination: tuple[int, int, int], **fields: int) -> np.void:
    """A decoded packet between two (upper address, lower address, port) ends."""
    made = np.zeros(1, PACKET)[0]
    made["src_hi"], made["src_lo"], made["src_port"] = source
    made["dst_hi"], made["dst_lo"], made["dst_port"] = destination
    made["flags"] = PacketFlag.PORTS
    for name, value in fields.items():
        made[name] = value
    return made  # type: ignore[no-any-return]


A, B = (0, MAPPED | 0x0A010005, 40000), (0, MAPPED | 0x0A010009, 104)


@pytest.mark.parametrize(
    ("one", "two"),
    [(A, B), (B, A), ((5, 1, 1), (4, 9, 9)), ((4, 1, 80), (4, 1, 8080)), ((1 << 63, 0, 1), (1, 0, 1))],
)
def test_both_directions_have_one_key(one: tuple[int, int, int], two: tuple[int, int, int]) -> None:
    there, back = keys.key_of(row(one, two), 6), keys.key_of(row(two, one), 6)
    assert there[1] == back[1]
    assert there[0] != back[0]
    low, high, (lo_hi, lo_lo, hi_hi, hi_lo, ports) = min(one, two), max(one, two), there[1]
    assert (lo_hi, lo_lo, int(ports) >> 48) == low
    assert (hi_hi, hi_lo, int(ports) >> 32 & 0xFFFF) == high


@pytest.mark.parametrize("other", [{"vlan": 7}, {"vlan_inner": 7}])
def test_a_vlan_is_another_flow(other: dict[str, int]) -> None:
    assert keys.key_of(row(A, B), 6)[1] != keys.key_of(row(A, B, **other), 6)[1]
    assert keys.key_of(row(A, B), 6)[1] != keys.key_of(row(A, B), 17)[1]


def test_which_keys_are_ipv4() -> None:
    words = [np.uint64(word) for word in (0, MAPPED | 1, 0, MAPPED | 2)]
    assert keys.is_ipv4(*words)
    for place, word in ((0, 1), (1, 1), (2, 1), (3, 1 << 48)):
        other = [*words[:place], np.uint64(word), *words[place + 1 :]]
        assert not keys.is_ipv4(*other)
