"""The sieve before the client: in whatever pieces octets come, it takes out the refused packets and nothing else."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collector.sieve import NO_END, READ_BYTES, READS_MAX, Sieve, measure

GOOD, BAD = b"wardtap/1/ward/tap-1/up/summary", b"wardtap/1/ward/tap-2/up/summary"


def packet(first: int, rest: bytes) -> bytes:
    """A control packet: type and flags, remaining length, the rest."""
    length, left = b"", len(rest)
    while left > 127:
        length, left = length + bytes([left % 128 | 128]), left // 128
    return bytes([first]) + length + bytes([left]) + rest


def publish(topic: bytes, payload: bytes, qos: int = 0, retain: int = 0) -> bytes:
    """As MQTT 5 has it: a topic, a packet identifier above QoS 0, no properties."""
    identifier = b"\x00\x07" if qos else b""
    return packet(0x30 | qos << 1 | retain, len(topic).to_bytes(2, "big") + topic + identifier + b"\x00" + payload)


class Line:
    """A socket that gives these pieces, then nothing, then its end."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces, self.reads, self.closed = list(pieces), 0, False

    def recv(self, size: int, /) -> bytes:
        self.reads += 1
        if not self.pieces:
            raise BlockingIOError
        piece, rest = self.pieces[0][:size], self.pieces[0][size:]
        self.pieces[0:1] = [rest] if rest else []
        return piece

    def send(self, octets: bytes | bytearray, /) -> int:
        return len(octets)

    def fileno(self) -> int:
        return 5

    def setblocking(self, flag: bool, /) -> None:
        """It never waits."""

    def close(self) -> None:
        self.closed = True


def wanted(topic: bytes, _: int) -> bool:
    return topic != BAD


def seen(line: Line, most: int = 4096, want: Callable[[bytes, int], bool] = wanted) -> bytes:
    """All that a client reads, whatever it asks for at once."""
    sieve, found = Sieve(line, want), b""
    while True:
        try:
            octets = sieve.recv(most)
        except BlockingIOError:
            if not line.pieces:
                return found
            continue
        assert 0 < len(octets) <= most
        found += octets


PACKETS = st.one_of(
    st.builds(publish, st.sampled_from([GOOD, BAD, b"", b"x"]), st.binary(max_size=300), st.integers(0, 2)),
    st.builds(packet, st.sampled_from([0x20, 0x40, 0x62, 0x90, 0xD0, 0xE0, 0xF0]), st.binary(max_size=200)),
)


@given(st.lists(PACKETS, max_size=12), st.lists(st.integers(1, 90), max_size=60), st.integers(1, 500))
def test_in_any_pieces_the_refused_ones_are_gone_and_nothing_else(
    packets: list[bytes], cuts: list[int], most: int
) -> None:
    stream, pieces = b"".join(packets), []
    for cut in cuts:
        pieces.append(stream[:cut])
        stream = stream[cut:]
    line = Line(*(piece for piece in [*pieces, stream] if piece))
    refused = publish(BAD, b"")[:1]
    kept = [each for each in packets if each[:1] != refused or BAD not in each[: 5 + 2 + len(BAD)]]
    assert seen(line, most) == b"".join(kept)


@given(st.binary(max_size=600), st.integers(1, 40))
def test_octets_of_nobody_never_break_it(octets: bytes, size: int) -> None:
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    assert seen(Line(*pieces), want=lambda *_: True) == octets[: len(octets) - _begun(octets)]


def _begun(octets: bytes) -> int:
    """Octets at the end of which too few have come to say what they are: the naive way, packet by packet."""
    at = 0
    while at < len(octets):
        measured = measure(octets, at)
        if measured is None:
            return len(octets) - at
        at += measured[0]
    return 0


def test_what_a_packet_is() -> None:
    assert measure(publish(GOOD, b"x"), 0) == (len(publish(GOOD, b"x")), GOOD)
    assert measure(publish(GOOD, b"x", retain=1), 0) == (len(publish(GOOD, b"x")), GOOD)
    assert measure(publish(GOOD, b"x", qos=1), 0) == (len(publish(GOOD, b"x", qos=1)), None), "it wants an answer"
    assert measure(b"\xd0\x00", 0) == (2, None)
    assert measure(b"\x30\x01\x00", 0) == (3, None), "too short for a topic: for the client to refuse"
    assert measure(b"\x30\x03\x00\x09x", 0) == (5, None), "a topic longer than its packet"
    assert measure(b"\x30\xff\xff\xff\xff\x01", 0) == (NO_END, None)
    for cut in range(len(publish(GOOD, b""))):
        assert measure(publish(GOOD, b"")[:cut], 0) is None or cut >= 4 + len(GOOD)


def test_a_huge_packet_that_is_refused_is_never_in_memory() -> None:
    whole = publish(BAD, bytes(40 << 20))
    line = Line(*(whole[at : at + READ_BYTES] for at in range(0, len(whole), READ_BYTES)))
    sieve = Sieve(line, wanted)
    while line.pieces:
        with pytest.raises(BlockingIOError):
            sieve.recv(1)
        assert len(sieve._begun) + sieve.pending() <= READ_BYTES
    line.pieces.append(publish(GOOD, b"after"))
    assert sieve.recv(4096) == publish(GOOD, b"after")


def test_a_flood_leaves_the_client_its_turn() -> None:
    line = Line(publish(BAD, b"x" * 400) * 10_000)
    sieve = Sieve(line, wanted)
    with pytest.raises(BlockingIOError):
        sieve.recv(1)
    assert line.reads == READS_MAX
    assert sieve.pending() == 0


def test_the_end_of_the_line_and_what_is_left_of_the_socket() -> None:
    class Ended(Line):
        def recv(self, size: int, /) -> bytes:
            return b"" if not self.pieces else super().recv(size)

    line = Ended(publish(GOOD, b"x"), publish(BAD, b"x"))
    sieve = Sieve(line, wanted)
    assert sieve.recv(4096) == publish(GOOD, b"x")
    assert sieve.recv(4096) == b""
    assert (sieve.send(b"abc"), sieve.fileno()) == (3, 5)
    sieve.setblocking(False)
    sieve.close()
    assert line.closed
