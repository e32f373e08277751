"""The decoder over bursts: counts, and the coarser looks of a tap that cannot keep up."""

import pytest

from agent.packets.counts import FrameCounts
from agent.packets.decoder import Decoded, Decoder
from agent.packets.records import Application, HintKind, PacketFlag, Verdict
from agent.tap.records import BURST_FRAMES_MAX
from tests.forge.ethernet import IPV4, ethernet, lldp
from tests.forge.ipv4 import TCP, Ipv4
from tests.forge.tcp import Tcp
from tests.simulators.bursts import HASHES, Heard, burst_of

A, B = "10.1.0.5", "10.1.0.9"
pytestmark = HASHES


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


@pytest.fixture
def decoder() -> Decoder:
    """A new one."""
    return Decoder()


def test_frames_are_counted_over_bursts(decoder: Decoder) -> None:
    for _ in range(3):
        decoded(decoder, [request(1), Heard(b""), Heard(lldp("00:d0:75:00:00:01", "1", "s", "t"))])
    assert decoder.frames == 9
    assert decoder.verdicts[Verdict.EMPTY] == 3
    assert decoder.verdicts[Verdict.DUPLICATE] == 2, "the same request at the same time"
    assert len(decoder.buffer()) == BURST_FRAMES_MAX


def test_headers_only_says_the_same_of_every_header(decoder: Decoder) -> None:
    heard = [request(number) for number in range(40)] + [request(39)]
    full, rows = decoded(decoder, heard), Decoder.buffer()
    other = Decoder()
    coarse = other.decode_headers(burst_of(heard), rows)
    assert coarse.hints == 0
    assert not rows["hint"][: coarse.count].any()
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
    # What an earlier burst left there.
    rows["application"], rows["flags"], rows["hint"] = Application.CAPWAP, PacketFlag.CUT, HintKind.MDNS
    over.add(Decoder().pass_over(burst_of(heard), rows).rows[: len(heard)])
    assert not rows["hint"][: len(heard)].any()
    assert over.ignored() == {"overload": len(heard)}
    assert (over.leg_frames == full.leg_frames).all()
    assert (over.leg_octets == full.leg_octets).all()
    assert (over.cut, over.unseen, over.processed) == (full.cut, 0, 0)
