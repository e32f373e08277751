"""Where the decoder's slow twin stands in a frame, and how its walk ends."""

from dataclasses import dataclass, field

from agent.packets.records import LAYERS_MAX, TUNNEL_DEPTH_MAX, HintKind, PacketFlag, Verdict

Row = dict[str, int]
OF_THE_PACKET = (  # what a tunnel makes the row forget of the outer packet
    *("src_hi", "src_lo", "dst_hi", "dst_lo", "payload", "payload_caplen", "payload_octets", "l3_octets", "ip_version"),
    *(
        "src_port",
        "dst_port",
        "l4_checksum",
        "tcp_seq",
        "tcp_ack",
        "tcp_window",
        "tcp_flags",
        "protocol",
        "ttl",
        "ip_id",
    ),
)
OF_THE_FRAME = PacketFlag.CUT | PacketFlag.BROADCAST | PacketFlag.MULTICAST | PacketFlag.NO_MAC


class Ended(Exception):  # noqa: N818 - not an error: the walk is over
    """The frame's verdict is known."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.name)
        self.verdict = verdict


@dataclass(slots=True)
class Walk:
    """Where the twin stands in a frame; `end` is where the octets of the enclosing packet end on the wire."""

    data: bytes
    end: int
    row: Row
    at: int = 0
    layers: int = 0
    tags: int = 0
    vlans: list[int] = field(default_factory=list)
    outer: Row = field(default_factory=dict)  # the row of the packet whose inside is walked

    def need(self, count: int) -> None:
        """The next `count` octets were captured: what the wire did not have is a lie, what the capture cut is not."""
        if self.at + count > self.end:
            raise Ended(Verdict.MALFORMED)
        if self.at + count > len(self.data):
            raise Ended(Verdict.TRUNCATED)

    def number(self, offset: int, size: int) -> int:
        """A big-endian number `offset` octets from here."""
        return int.from_bytes(self.data[self.at + offset : self.at + offset + size])

    def note(self, kind: HintKind) -> None:
        """A shape of a header that only an attack has; the first one stays."""
        self.row["hint"] = self.row["hint"] or int(kind)

    def layer(self) -> None:
        """One more header behind the link header.

        It is a tag, LLC with SNAP, a label stack, PPPoE, an inner Ethernet header, an IP header, a transport header
        with the tunnel header on it, ARP, or the end at anything else.
        """
        self.layers += 1
        if self.layers > LAYERS_MAX:
            raise Ended(Verdict.TOO_DEEP)

    def enter(self, size: int) -> None:
        """Step over a tunnel header into what it carries."""
        self.outer, self.tags = dict(self.row), 0
        self.row["tunnels"] += 1
        if self.row["tunnels"] > TUNNEL_DEPTH_MAX:
            raise Ended(Verdict.TOO_DEEP)
        for name in OF_THE_PACKET:
            self.row[name] = 0
        self.row["flags"] &= OF_THE_FRAME
        self.row["flags"] |= PacketFlag.TUNNELLED
        self.at += size
