"""Phones that join under addresses that their system draws, a pump and a server beside them."""

from agent.devices.view import Ward
from agent.packets.hints.records import Signal
from tests.devices.bench import Bench, hello, number, turn

PUMP = ("10.1.0.101", "00:d0:75:18:42:9b")
SERVER = ("10.1.0.10", "d4:ae:52:10:30:0a")
S = 1_000_000_000
FIRST, SECOND, THIRD = (
    ("10.1.0.201", "da:a1:19:00:00:01"),
    ("10.1.0.202", "ea:00:5e:00:00:02"),
    ("10.1.0.203", "be:11:22:33:44:55"),
)
DRAWN_HOST = [
    Signal("dhcp.host", "android-4f3a9c1be07d2265"),
    Signal("dhcp.options", "1,3,6,15"),
    Signal("dhcp.order", "53,55"),
]
HOST_NUMBER = [Signal("dhcp.client-id", "ff" + "00000001" + "0004" + "5b" * 16)]


def joins(bench: Bench, ward: Ward, end: tuple[str, str], second: int, said: list[Signal]) -> int:
    """A phone joins and says who it is; its slot."""
    turn(bench.hear([hello(end, second)]), ward)
    ward.hear(number(end[1]), 0, said, second * S)
    ward.refresh()
    return bench.slot(end[1])
