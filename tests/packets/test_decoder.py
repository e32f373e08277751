"""The decoder over bursts: counts, news once, its budget by second and by source."""

import numpy as np
import pytest

from agent.packets.budgets import HINTS_PER_KIND, HINTS_PER_SECOND, HINTS_PER_SOURCE
from agent.packets.counts import FrameCounts
from agent.packets.decoder import Decoded, Decoder, Hint
from agent.packets.hints import READERS
from agent.packets.hints.records import Signal
from agent.packets.records import Application, HintKind, PacketFlag, Verdict
from agent.tap.records import BURST_FRAMES_MAX
from tests.forge.ethernet import IPV4, ethernet, lldp
from tests.forge.ipv4 import TCP, Ipv4
from tests.forge.tcp import Tcp, mss
from tests.simulators.bursts import HASHES, SECRET, Heard, burst_of

A, B = "10.1.0.5", "10.1.0.9"
pytestmark = HASHES
PER_DEVICE = HINTS_PER_SOURCE + 3


def request(number: int, device: int = 1, ident: int | None = None) -> Heard:
    """An HTTP request of a device."""
    segment = Tcp(40000, 80, number, flags=24).octets(A, B, b"GET /%d HTTP/1.1\r\nUser-Agent: x\r\n\r\n" % number)
    packet = Ipv4(A, B, TCP, ident=number if ident is None else ident).octets(segment)
    return Heard(
        ethernet("d4:ae:52:00:00:02", f"00:d0:75:00:{device >> 8:02x}:{device & 255:02x}", IPV4, packet),
        time_ns=number * 10_000_000,
    )


def decoded(decoder: Decoder, heard: list[Heard]) -> Decoded:
    """A burst of them."""
    return decoder.decode(burst_of(heard), decoder.buffer())


def news(decoder: Decoder, heard: list[Heard], second: int = 0) -> list[Hint]:
    """What was told of a burst."""
    told: list[Hint] = []
    burst = decoded(decoder, heard)
    decoder.hints(burst, 0, burst.count, second, told.append)
    return told


@pytest.fixture
def decoder() -> Decoder:
    """That wants everything that has a reader."""
    return Decoder(SECRET, READERS)


def test_frames_are_counted_over_bursts(decoder: Decoder) -> None:
    for _ in range(3):
        decoded(decoder, [request(1), Heard(b""), Heard(lldp("00:d0:75:00:00:01", "1", "s", "t"))])
    assert decoder.frames == 9
    assert decoder.verdicts[Verdict.EMPTY] == 3
    assert decoder.verdicts[Verdict.DUPLICATE] == 2, "the same request at the same time"
    assert len(decoder.buffer()) == BURST_FRAMES_MAX


def test_a_hint_says_who_when_and_what(decoder: Decoder) -> None:
    (told,) = news(decoder, [request(7)])
    assert told.kind == HintKind.HTTP_REQUEST
    assert (told.source, told.destination) == (0x00D075000001, 0xD4AE52000002)
    assert told.time_ns == 70_000_000
    assert told.payload == b"GET /7 HTTP/1.1\r\nUser-Agent: x\r\n\r\n"


def test_told_once(decoder: Decoder) -> None:
    assert len(news(decoder, [request(1), request(1, ident=9)])) == 1
    assert news(decoder, [request(1, ident=10)], 1) == []
    assert len(news(decoder, [request(2)], 2)) == 1


def test_a_slice_tells_of_its_own_rows(decoder: Decoder) -> None:
    burst = decoded(decoder, [request(n) for n in range(6)])
    told: list[Hint] = []
    decoder.hints(burst, 2, 4, 0, told.append)
    assert [hint.payload[5:6] for hint in told] == [b"2", b"3"]
    decoder.hints(burst, 0, 2, 0, told.append)
    decoder.hints(burst, 4, 6, 0, told.append)
    assert len(told) == 6


def test_one_source_in_a_second(decoder: Decoder) -> None:
    assert len(news(decoder, [request(n) for n in range(PER_DEVICE)])) == HINTS_PER_SOURCE
    assert decoder.hints_skipped == 3
    assert len(news(decoder, [request(n + 100) for n in range(PER_DEVICE)], 0)) == 0
    assert len(news(decoder, [request(n + 200) for n in range(PER_DEVICE)], 1)) == HINTS_PER_SOURCE


def test_all_sources_in_a_second(decoder: Decoder) -> None:
    crowd = [request(n, device=n) for n in range(HINTS_PER_SECOND + 50)]
    told = news(decoder, crowd)
    assert HINTS_PER_KIND * 0.9 < len(told) <= HINTS_PER_KIND
    assert decoder.hints_skipped == len(crowd) - len(told)


def test_a_storm_of_one_protocol_leaves_the_others_their_turn(decoder: Decoder) -> None:
    crowd = [request(n, device=n) for n in range(HINTS_PER_SECOND + 50)]
    news(decoder, crowd)
    told = news(decoder, [Heard(lldp("00:d0:75:00:00:01", "1", "s", "t"))])
    assert [hint.kind for hint in told] == [HintKind.LLDP]


def syn(number: int, options: bytes = b"", source: str = "00:d0:75:00:00:01") -> Heard:
    """A connection's first packet."""
    segment = Tcp(1024 + number, 443, seq=number * 7919, flags=2, window=8192, options=options).octets(A, B)
    return Heard(ethernet("d4:ae:52:00:00:02", source, IPV4, Ipv4(A, B, TCP, ident=number, ttl=64).octets(segment)))


def test_a_stack_is_told_once_however_many_connections_it_opens(decoder: Decoder) -> None:
    told = news(decoder, [syn(n, mss(1460)) for n in range(500)])
    assert [hint.kind for hint in told] == [HintKind.TCP_SYN]
    assert READERS[HintKind.TCP_SYN](told[0].payload) == [Signal("tcp.syn", "64:8192:1460:-:M")]
    assert news(decoder, [syn(9000, mss(1400))]), "another fingerprint of the same card"
    assert news(decoder, [syn(9000, mss(1460), "00:d0:75:00:00:09")]), "the same fingerprint of another card"
    assert decoder.hints_skipped == 0


def test_a_flood_of_forged_stacks_is_bounded(decoder: Decoder) -> None:
    told = news(decoder, [syn(n, mss(n)) for n in range(64, 2064)])
    assert 0 < len(told) <= HINTS_PER_SOURCE
    assert decoder.hints_skipped == 2000 - len(told)


def login(words: bytes, port: int) -> Heard:
    """A line to a server."""
    segment = Tcp(40000, port, 7, flags=24).octets(A, B, words)
    return Heard(ethernet("d4:ae:52:00:00:02", "00:d0:75:00:00:01", IPV4, Ipv4(A, B, TCP).octets(segment)))


@pytest.mark.parametrize(
    ("words", "port"),
    [(b"PASS quillfeather\r\n", 21), (b"AUTH PLAIN AHF1aWxs\r\n", 25), (b"a1 LOGIN orsola x\r\n", 143)],
)
def test_of_a_log_in_only_the_command_s_word_reaches_python(decoder: Decoder, words: bytes, port: int) -> None:
    (told,) = news(decoder, [login(words, port)])
    assert told.payload == words[:4]
    assert not news(decoder, [login(words + b"again", port)]), "guesses are no news"


def test_headers_only_says_the_same_of_every_header(decoder: Decoder) -> None:
    heard = [request(number) for number in range(40)] + [request(39)]
    full, rows = decoded(decoder, heard), Decoder.buffer()
    other = Decoder(SECRET, READERS)
    coarse = other.decode_headers(burst_of(heard), rows)
    told: list[Hint] = []
    other.hints(coarse, 0, coarse.count, 0, told.append)
    assert not told
    assert not rows["application"][: coarse.count].any()
    assert other.verdicts.tolist() == decoder.verdicts.tolist()
    for name in set(rows.dtype.names or ()) - {"application", "hint"}:
        assert (full.rows[name][: full.count] == rows[name][: coarse.count]).all(), name


def test_passing_over_counts_what_decoding_counts(decoder: Decoder) -> None:
    heard = [request(n)._replace(leg=n % 3, wirelen=(0, 90, 1500)[n % 3], vlan=7 * (n % 2)) for n in range(50)]
    heard += [Heard(b"", time_ns=1), Heard(b"\xff" * 9, wirelen=60)]
    full, over = FrameCounts(), FrameCounts()
    full.add(decoded(decoder, heard).rows[: len(heard)])
    rows = Decoder.buffer()
    rows["application"], rows["flags"] = Application.CAPWAP, PacketFlag.CUT  # what an earlier burst left there
    over.add(Decoder(SECRET, ()).pass_over(burst_of(heard), rows).rows[: len(heard)])
    assert over.ignored() == {"overload": len(heard)}
    assert (over.leg_frames == full.leg_frames).all()
    assert (over.leg_octets == full.leg_octets).all()
    assert (over.cut, over.unseen, over.processed) == (full.cut, 0, 0)


def test_only_what_is_wanted() -> None:
    assert news(Decoder(SECRET, [HintKind.LLDP]), [request(1)]) == []
    assert len(news(Decoder(SECRET, [HintKind.HTTP_REQUEST]), [request(1)])) == 1


def test_a_flood_of_one_payload_costs_nothing_more(decoder: Decoder) -> None:
    told = news(decoder, [request(1, ident=n) for n in range(300)])
    assert len(told) == 1
    assert decoder.hints_skipped == 0
    assert np.count_nonzero(decoder._per_source) == 1


def test_what_is_printed_by_mistake_holds_no_payload(decoder: Decoder) -> None:
    (hint,) = news(decoder, [request(1)])
    burst = burst_of([request(1)])
    assert repr(hint) == f"{hint}" == f"Hint(HTTP_REQUEST, {len(hint.payload)} octets)"
    assert repr(burst) == f"Burst(1 frames, {len(burst.octets)} octets)"
    assert repr(burst) in repr(decoder.decode(burst, Decoder.buffer()))
