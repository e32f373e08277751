"""Fingerprints of TCP stacks."""

import struct
from pathlib import Path

import pytest

from agent.packets.hints import tcp_syn
from agent.packets.hints.records import Signal
from tests.forge.tcp import ACK, SYN, timestamps
from tests.packets.hints.samples import LINUX_OPTIONS, WINDOWS_OPTIONS, syn
from tests.packets.hints.tshark import fields


def told(octets: bytes) -> str:
    """The one value."""
    return tcp_syn.read(octets)[0].value


def test_systems_as_they_are_met() -> None:
    assert told(syn(LINUX_OPTIONS, window=29200)) == "64:m20:1460:7:MSTNW"
    assert told(syn(WINDOWS_OPTIONS, left=128)) == "128:m44:1460:8:MNWNNS"
    assert told(syn(b"")) == "64:64240:-:-:-"


def test_the_class_of_the_time_to_live() -> None:
    assert [told(syn(b"", left=left)).partition(":")[0] for left in (32, 64, 128, 255)] == ["32", "64", "128", "255"]


@pytest.mark.parametrize("left", [0, 1, 30, 62, 117, 126, 253])
def test_a_packet_that_was_passed_on_is_silent(left: int) -> None:
    assert tcp_syn.read(syn(LINUX_OPTIONS, left=left)) == []


@pytest.mark.parametrize("left", [31, 63, 127, 254])
def test_one_that_was_passed_on_once_is_told_apart(left: int) -> None:
    """It says nothing of the card that sent it, but that the way has become longer."""
    assert tcp_syn.read(syn(b"", left=left)) == [Signal("tcp.passed-syn", f"{left}:64240:-:-:-")]
    assert tcp_syn.read(syn(b"", left=left, flags=SYN | ACK)) == [Signal("tcp.passed-syn-ack", f"{left}:64240:-:-:-")]


def test_an_answer_is_another_kind() -> None:
    assert tcp_syn.read(syn(b"", flags=SYN | ACK)) == [Signal("tcp.syn-ack", "64:64240:-:-:-")]
    assert tcp_syn.read(syn(b"", flags=ACK)) == []


def test_what_is_new_each_time_is_not_in_it() -> None:
    assert told(syn(timestamps(1, 2))) == told(syn(timestamps(77777, 0)))


@pytest.mark.parametrize(
    ("options", "letters"),
    [
        (b"\2\4\5\xb4\0\0\0\0", "ME"),
        (b"\2\0\0\0", "x"),  # a length of nothing would never end
        (b"\2\1\0\0", "x"),
        (b"\1\1\1\x08", "NNNx"),
        (b"\x08\x28\0\0", "x"),
        (b"\xfe\4\0\0", "?"),
        (b"\x22\2\1\1", "FNN"),
        (b"\1" * 40, "N" * 40),
    ],
)
def test_options_of_every_kind_of_damage(options: bytes, letters: str) -> None:
    assert told(syn(options)).rpartition(":")[2] == letters


def test_a_header_that_lies_about_its_length_is_silent() -> None:
    whole = syn(LINUX_OPTIONS)
    assert tcp_syn.read(whole[:13] + b"\x40" + whole[14:]) == []
    assert tcp_syn.read(whole[:13] + b"\xf0" + whole[14:]) == []


LETTERS = {0: "E", 1: "N", 2: "M", 3: "W", 4: "S", 5: "K", 8: "T", 34: "F"}


@pytest.mark.captures
@pytest.mark.parametrize("name", ["identity/passive_os_fp", "identity/tls_top100_fingerprints", "identity/alexa_app"])
def test_tshark_says_the_same(captures: Path, name: str) -> None:
    path = next(captures.glob(f"{name}.pcap*"))
    wanted = (
        "ip.ttl",
        "tcp.srcport",
        "tcp.window_size_value",
        "tcp.options",
        "tcp.options.mss_val",
        "tcp.flags",
        "tcp.option_kind",
    )
    same = 0
    for left, _, window, options, segment, flags, kinds in fields(path, "tcp.flags.syn==1 && ip && !icmp", *wanted):
        raw = bytes.fromhex("".join(options).replace(":", ""))
        head = struct.pack(
            ">HHIIBBHHH", 1, 2, 3, 4, 5 + len(raw) // 4 << 4, int(flags[0], 0) & 255, int(window[0]), 0, 0
        )
        signals = tcp_syn.read(bytes([int(left[0])]) + head + raw)
        assert bool(signals) == (left[0] in {"32", "64", "128", "255"})
        if not signals:
            continue
        text = signals[0].value
        _, said, size, _, letters = text.split(":")
        assert size == (segment[0] if segment else "-")
        assert int(window[0]) == (int(said[1:]) * int(size) if said[0] == "m" else int(said))
        assert letters == ("".join(LETTERS[int(kind)] for kind in kinds) or "-")
        same += 1
    assert same
