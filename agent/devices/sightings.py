"""Facts of payloads on their way to the judge: of chosen kinds, in the order heard, bounded for each turn."""

from collections.abc import Iterable
from typing import Final, Protocol

from agent.devices.records import Sighting
from agent.packets.hints.records import Signal

SIGHTINGS_MAX: Final = 1024  # of one turn of a second: the hints' own budget allows 256 payloads
MAPPED: Final = 0xFFFF << 32
# What some detector asks for. Everything else stays with identity.
KINDS_SIGHTED: Final = frozenset({
    "cdp.capabilities", "credentials.clear", "dhcp.message", "dicom.implementation", "header.exploit",
    "lldp.capabilities", "nd.router", "nd.says", "smb.exploit", "stp.says",
    "tcp.passed-syn", "tcp.passed-syn-ack", "tcp.syn", "tcp.syn-ack",
})  # fmt: skip


class Ends(Protocol):
    """Between whom a payload went: MACs of its frame, addresses of its packet (128 bits; 0 without IP), and when."""

    @property
    def source(self) -> int:
        """MAC that sent it."""

    @property
    def destination(self) -> int:
        """MAC it was sent to."""

    @property
    def sender(self) -> int:
        """Address that sent it."""

    @property
    def receiver(self) -> int:
        """Address it was sent to."""

    @property
    def time_ns(self) -> int:
        """When it was heard."""


def address_of(octets: bytes) -> int:
    """An address of a signal as 128 bits, IPv4 mapped; 0 when there is none."""
    return MAPPED | int.from_bytes(octets, "big") if len(octets) == 4 else int.from_bytes(octets, "big")


class Sightings:
    """What was heard since the last turn; a flood's rest is left out and counted."""

    def __init__(self) -> None:
        self._held: list[Sighting] = []
        self.left_out = 0

    def note(self, ends: Ends, signals: Iterable[Signal]) -> None:
        """Keep those signals of one payload that a detector asks for."""
        for signal in signals:
            if signal.kind not in KINDS_SIGHTED:
                continue
            if len(self._held) >= SIGHTINGS_MAX:
                self.left_out += 1
                continue
            subject, address = signal.subject_mac or 0, address_of(signal.address)
            sent = (ends.source, ends.destination, ends.sender, ends.receiver)
            self._held.append(
                Sighting(ends.time_ns, signal.kind, signal.value, *sent, subject, address, signal.about_peer)
            )

    def take(self) -> list[Sighting]:
        """All of them, in the order heard; the next call gives the next ones."""
        held, self._held = self._held, []
        return held

    def __len__(self) -> int:
        """How many wait."""
        return len(self._held)
