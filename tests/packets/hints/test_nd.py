"""Neighbour discovery."""

from pathlib import Path

import pytest

from agent.packets.hints import nd
from agent.packets.hints.records import Signal
from tests.devices.slow_ward import frames
from tests.packets.hints.samples import ROUTER, router_advertisement
from tests.packets.hints.tshark import fields


def test_what_a_router_gives() -> None:
    assert nd.read(router_advertisement()) == [
        Signal("nd.router", "default"),
        Signal("nd.configuration", "managed"),
        Signal("nd.mtu", "1500"),
        Signal("nd.prefix", "64", None, b"\x20\1\x0d\xb8" + bytes(12)),
        Signal("nd.dns", "router", None, ROUTER),
    ]
    assert nd.read(router_advertisement(0, 0)) == [
        Signal("nd.router", "no-default"),
        *nd.read(router_advertisement())[2:],
    ]


def test_whose_an_address_is() -> None:
    said = b"\x88\0\0\0%c\0\0\0" + ROUTER
    assert nd.read(said % 0x60) == [Signal("nd.says", "host", None, ROUTER)]
    assert nd.read(said % 0xE0) == [Signal("nd.says", "router", None, ROUTER)]


def test_a_question_for_a_router() -> None:
    assert nd.read(b"\x85" + bytes(7)) == [Signal("nd.asks", "router")]


def test_an_option_without_a_length_ends_the_walk() -> None:
    head = router_advertisement()[:16]
    assert nd.read(head + bytes(64)) == nd.read(head)
    assert len(nd.read(head + b"\5\1\0\0\0\0\5\xdc" * 500)) <= 3


@pytest.mark.captures
def test_tshark_says_the_same(captures: Path) -> None:
    path = captures / "threats" / "ipv6_kill_router_ra.pcap"
    wanted = ("icmpv6.nd.ra.router_lifetime", "icmpv6.opt.prefix.length", "icmpv6.opt.mtu")
    told = list(fields(path, "icmpv6.type==134", *wanted))
    read = [nd.read(frame[54:]) for _, frame in frames(path) if frame[12:14] == b"\x86\xdd" and frame[54:55] == b"\x86"]
    assert len(read) == len(told) > 0
    for signals, (lifetime, prefixes, sizes) in zip(read, told, strict=True):
        assert signals[0].value == ("default" if int(lifetime[0]) else "no-default")
        assert [signal.value for signal in signals if signal.kind == "nd.prefix"] == prefixes[:1]
        assert [signal.value for signal in signals if signal.kind == "nd.mtu"] == sizes
