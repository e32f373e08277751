"""`python -m tests.bench.compact`: octets that a ward's summaries take on the wire, and NetFlow v9 of the same frames.

The simulated ward of a hundred devices goes through the sensor; each minute's summary is encoded, chained and signed as
on the appliance. A minute counts as settled from the sixth on: every device has been seen, cards are told. The same
frames go through softflowd, which sends NetFlow v9 to a receiver of this program on the loopback. Nothing is timed.
"""

import argparse
import os
import shutil
import socket
import subprocess
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from agent.clock import CaptureClock
from agent.config import Config
from agent.signing.envelope import seal
from agent.signing.keys import PrivateKey
from agent.tap.records import LegCounts
from agent.wire import body, topics
from agent.wire.chain import Chain
from agent.wire.delivery import Ack
from agent.wire.parts import split
from agent.wire.summary import Summary
from agent.wire.types import MessageType
from tests.forge.pcap import Frame, Pcap, write
from tests.service.bench import Sensor
from tests.simulators import hundred
from tests.simulators.medium import S

MINUTES, SETTLED, DEVICES, BUDGET = 20, 5, 100, 32
AGENT, SITE, LEG = "ward-tap-1", "hospital-1", "eth1"
RECORD_OCTETS = 22  # of TLS 1.3 around a message: head 5, kind 1, tag 16 (RFC 8446 section 5.2)
SEGMENT_OCTETS = 52  # IPv4 and TCP heads with timestamps
SEGMENT_HOLDS = 1448
PUBACK_OCTETS = 4
DATAGRAM_OCTETS = 28  # IPv4 and UDP heads
QUIET_MAX = 40  # half seconds without a datagram
EXPORTS: dict[str, tuple[str, ...]] = {
    "as shipped": (),
    "long flows told every 60 s": ("-t", "maxlife=60"),
}


class Minute(NamedTuple):
    """One summary's octets, sealed: of all, and with more and more left out."""

    devices: int
    whole: int
    without_cards: int
    without_edges: int
    without_rows: int
    without_health: int


class Sealer:
    """Chain and key of one tap."""

    def __init__(self) -> None:
        boot, run, before = (os.urandom(16) for _ in range(3))
        self._chain = Chain(AGENT, SITE, "sensor", boot, run, before, 9, CaptureClock(hundred.START_NS))
        self._key = PrivateKey.generate()

    def sealed(self, summary: Summary) -> list[int]:
        """Octets of each message that it becomes."""
        return [
            len(seal(MessageType.SUMMARY, self._chain.next(MessageType.SUMMARY, part.to_content())[1], [self._key]))
            for part in split(summary)
        ]

    def minute(self, summary: Summary) -> Minute:
        """With all, without cards, edges too, rows too, all that is counted of the tap too."""
        smaller = [summary]
        for change in ({"cards": ()}, {"edges": ()}, {"rows": ()}, {"health": {}, "ignored": {}, "legs": ()}):
            smaller.append(replace(smaller[-1], **change))
        return Minute(len(summary.rows), *(sum(self.sealed(one)) for one in smaller))


def summaries(frames: Sequence[Frame], minutes: int) -> list[Summary]:
    """What the sensor says of the ward, without the last minute, which is cut by the end."""
    sensor = Sensor(Config())
    ends = [(frame.time_ns - hundred.START_NS) // (60 * S) for frame in frames]
    at = 0
    for minute in range(minutes):
        stop = bisect_right(ends, minute)
        sensor.pipeline.note_legs([LegCounts(LEG, stop, 0, 0, 0)])
        for start in range(at, stop, 512):
            sensor.play(frames[start : min(start + 512, stop)])
        at = stop
    return sensor.end().summaries[: minutes - 1]


def publish_octets(topic: str, payload: int) -> int:
    """Of an MQTT 5 PUBLISH with QoS 1 and no properties, without its payload (MQTT 5.0 section 3.3)."""
    variable = 2 + len(topic) + 2 + 1
    remaining = variable + payload
    return 1 + (1 if remaining < 128 else 2 if remaining < 16_384 else 3) + variable


def ack_octets() -> int:
    """A collector's acknowledgement of one stream, sealed."""
    ack = Ack(AGENT, SITE, os.urandom(16), "sensor", 1000, (), os.urandom(16))
    return len(seal(MessageType.ACK, body.encode(MessageType.ACK, None, ack.to_content()), [PrivateKey.generate()]))


def around(sealed: int) -> Iterator[tuple[str, int]]:
    """What is beside the octets of one sealed summary until it is stored and acknowledged, both ways."""
    ack = ack_octets()
    mqtt = publish_octets(topics.up(SITE, AGENT, "summary"), sealed) + PUBACK_OCTETS
    yield "MQTT 5: head of its PUBLISH, and the PUBACK", mqtt
    acknowledged = ack + publish_octets(topics.down(SITE, AGENT, "ack"), ack) + PUBACK_OCTETS
    yield "the collector's sealed acknowledgement, with head and PUBACK", acknowledged
    yield "TLS 1.3: four records", 4 * RECORD_OCTETS
    segments = 2 * (-(-(sealed + mqtt) // SEGMENT_HOLDS) + 3)
    yield "TCP and IPv4, a segment's acknowledgement alone each time", segments * SEGMENT_OCTETS


class Flows(NamedTuple):
    """What a receiver got."""

    datagrams: int
    octets: int
    lost: int


def netflow(capture: Path, options: Sequence[str]) -> Flows:
    """NetFlow v9 that softflowd makes of a file."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.5)
        # With a control socket it may wait at that for ever after the file's end.
        own = ("-c", "none", "-p", f"{folder}/pid")
        target = f"127.0.0.1:{receiver.getsockname()[1]}"
        command = ["softflowd", "-d", "-r", str(capture), "-n", target, "-v", "9", *own, *options]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
            datagrams = list(_received(receiver, program))
    numbers = [int.from_bytes(datagram[12:16], "big") for datagram in datagrams]
    told = max(numbers) - min(numbers) + 1 if numbers else 0
    return Flows(len(datagrams), sum(map(len, datagrams)), told - len(datagrams))


def _received(receiver: socket.socket, program: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    """Datagrams until the program has ended and nothing more comes; one that hangs is ended."""
    quiet = 0
    while quiet < QUIET_MAX:
        try:
            yield receiver.recv(65_535)
            quiet = 0
        except TimeoutError:
            quiet += 1
            if program.poll() is not None:
                return
    program.kill()


def _line(name: str, octets: float, minutes: int, rows: int = 0) -> str:
    a_row = f"{octets / rows:8.1f}" if rows else " " * 8
    return f"{name:<64}{octets / minutes:9.0f}{octets / minutes / DEVICES:8.1f}{a_row}"


def told(found: Sequence[Minute]) -> Iterator[str]:
    """The table of the settled minutes, with what each part adds."""
    minutes, rows = len(found), sum(minute.devices for minute in found)
    sums = Minute(*map(sum, zip(*found, strict=True)))
    yield f"{'settled: octets of one minute, of 100 devices, of a row':<64}{'minute':>9}{'device':>8}{'row':>8}"
    yield _line("envelope, signature, header of the chain, interval", sums.without_health, minutes, rows)
    yield _line("  legs, coverage, health", sums.without_rows - sums.without_health, minutes, rows)
    yield _line("  device rows", sums.without_edges - sums.without_rows, minutes, rows)
    yield _line("  edges", sums.without_cards - sums.without_edges, minutes, rows)
    yield _line(f"rows and edges, sealed (budget {BUDGET} a device)", sums.without_cards, minutes, rows)
    yield _line("  cards that changed", sums.whole - sums.without_cards, minutes, rows)
    for name, octets in around(sums.whole // minutes):
        yield _line(f"  {name}", octets * minutes, minutes, rows)


def compared(frames: Sequence[Frame], ours: int, minutes: int) -> Iterator[str]:
    """NetFlow v9 of the same minutes."""
    if shutil.which("softflowd") is None:
        yield "softflowd is not installed (Debian: softflowd)"
        return
    until_ns = hundred.START_NS + minutes * 60 * S
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "ward.pcap"
        write(capture, Pcap().octets([frame for frame in frames if frame.time_ns < until_ns]))
        for name, options in EXPORTS.items():
            flows = netflow(capture, options)
            headed = flows.octets + flows.datagrams * DATAGRAM_OCTETS
            yield _line(f"NetFlow v9, {name}: {flows.datagrams} datagrams, {flows.lost} lost", flows.octets, minutes)
            yield _line("  with heads of IPv4 and UDP", headed, minutes)
            ratio, with_heads = flows.octets / ours, headed / ours
            yield f"  times the octets of our sealed summaries: {ratio:.1f}, with those heads {with_heads:.1f}"


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=MINUTES)
    parser.add_argument("--seed", type=int, default=hundred.SEED)
    given = parser.parse_args(arguments)
    frames = hundred.build(given.seed, given.minutes).frames
    sealer = Sealer()
    found = [sealer.minute(summary) for summary in summaries(frames, given.minutes)]
    rows = sum(minute.devices for minute in found) / len(found)
    print(f"{len(frames)} frames, {given.minutes} minutes, the last one left out; {rows:.0f} rows a summary")
    print("\n".join(told(found[SETTLED:])))
    everything = sum(minute.whole for minute in found)
    cards = found[0].whole - found[0].without_cards
    print(_line("all cards, once an hour", cards / 60, 1))
    print(_line("every summary from the first minute on, with all cards", everything, len(found)))
    print("\n".join(compared(frames, everything, len(found))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
