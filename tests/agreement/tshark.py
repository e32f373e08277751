"""What tshark makes of a capture: its layers and fields frame by frame, and its own conversations."""

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

PROGRAM = shutil.which("tshark")
# Reassembly would move a fragment's octets to the frame of its last part, and a segment's to the end of a message.
PREFERENCES = (
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "tcp.desegment_tcp_streams:FALSE",
    "tcp.analyze_sequence_numbers:FALSE",
)
FRAME = ("frame.encap_type", "frame.time_epoch", "frame.len", "frame.cap_len", "frame.protocols", "communityid")
VALUES = (
    *("null.type", "vlan.id", "ieee8021ad.id", "mpls.bottom"),
    *("ip.src", "ip.dst", "ip.len", "ip.proto", "ip.id", "ip.ttl", "ip.flags.mf", "ip.frag_offset"),
    *("ipv6.src", "ipv6.dst", "ipv6.plen", "ipv6.nxt", "ipv6.hlim", "ipv6.hopopts.nxt", "ipv6.dstopts.nxt"),
    *("ipv6.routing.nxt", "ipv6.fraghdr.nxt", "ipv6.fraghdr.offset", "ipv6.fraghdr.more", "ipv6.fraghdr.ident"),
    *("ah.next_header", "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.checksum"),
    *("udp.srcport", "udp.dstport", "udp.checksum", "sctp.srcport", "sctp.dstport", "sctp.checksum"),
    *("icmp.type", "icmp.code", "icmp.checksum", "icmpv6.type", "icmpv6.code", "icmpv6.checksum"),
    *("_ws.short", "_ws.malformed"),
)
NS = 1_000_000_000

Conversation = tuple[str, str, str]  # protocol, `address:port` of the sender, of the receiver


class Dissected(NamedTuple):
    """One frame."""

    number: int
    time_ns: int
    length: int
    captured: int
    layers: tuple[str, ...]
    community: str  # the Community ID that tshark computes; empty where it has none
    values: dict[str, list[str]]  # of each field all occurrences, outermost first


class Told(NamedTuple):
    """A whole capture file."""

    frames: list[Dissected]
    conversations: Counter[Conversation]  # frames in each direction, as `-z conv` counts them


def version() -> str:
    """As the program names itself, such as `4.0.17`."""
    told = subprocess.run([str(PROGRAM), "--version"], capture_output=True, text=True, check=True).stdout
    return told.split("(Wireshark) ")[1].split()[0].rstrip(".")


def _output(path: Path) -> list[str]:
    command = [str(PROGRAM), "-n", "-r", str(path), "--enable-protocol", "communityid"]
    command += ["-z", "conv,tcp", "-z", "conv,udp", "-T", "fields"]
    for preference in PREFERENCES:
        command += ["-o", preference]
    for name in (*FRAME, *VALUES):
        command += ["-e", name]
    command += ["-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,"]
    with tempfile.TemporaryDirectory() as nobody:  # no preferences of the person who runs this
        surroundings = {**os.environ, "HOME": nobody, "WIRESHARK_CONFIG_DIR": nobody}
        # A file that ends inside a frame is exit code 2 after its last whole frame: as with wardtap.
        told = subprocess.run(command, capture_output=True, text=True, check=False, env=surroundings)
    return told.stdout.splitlines()


def _time_ns(text: str) -> int:
    if not text:
        return 0  # a simple packet block of pcapng has no time
    seconds, _, part = text.partition(".")
    whole, rest = int(seconds), int(part.ljust(9, "0")[:9])
    return whole * NS + (-rest if seconds.startswith("-") else rest)


def _frame(number: int, text: str) -> Dissected:
    cells = text.split("\t")
    time, length, captured, layers, community = cells[1 : len(FRAME)]
    values = {name: cell.split(",") for name, cell in zip(VALUES, cells[len(FRAME) :], strict=True) if cell}
    return Dissected(number, _time_ns(time), int(length), int(captured), tuple(layers.split(":")), community, values)


def _conversations(lines: list[str]) -> Counter[Conversation]:
    """Lines such as `10.0.0.1:80 <-> 10.0.0.2:5000  9 12 kB  1 315 bytes ...`: first what went to the left."""
    found: Counter[Conversation] = Counter()
    protocol = ""
    for line in lines:
        words = line.split()
        if words[1:] == ["Conversations"]:
            protocol = words[0].lower()
        elif words[1:2] == ["<->"]:
            found[protocol, words[2], words[0]] += int(words[3])
            found[protocol, words[0], words[2]] += int(words[6])
    return found


def told(path: Path) -> Told:
    """Everything that tshark says of a capture file."""
    lines = _output(path)
    fields = [line for line in lines if line.count("\t") == len(FRAME) + len(VALUES) - 1]
    # A block of pcapng that holds no packet is a frame to tshark, without a link type.
    frames = [_frame(number, line) for number, line in enumerate(fields, 1) if not line.startswith("\t")]
    return Told(frames, _conversations([line for line in lines if "\t" not in line]))
