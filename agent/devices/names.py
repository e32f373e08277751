"""Which name an address was asked for by, so that a later flow to it has a name. Bounded, and hard to fill with lies.

Names come from DNS answers, and from devices that tell their own name with their own address. A DNS answer counts more
than a device's own word. Who already holds a name keeps it while it is confirmed: another sender's claim is counted as
disputed and changes nothing. Of a full book the sender that holds most loses its oldest name, so a flood of invented
names drives out its own; and at most SOURCES_MAX senders are listened to, so that many invented cards share the room
of a few. Names are text from the wire: they leave through the privacy gate only.
"""

from collections import OrderedDict
from typing import NamedTuple

from agent.packets.hints.records import Signal

NAMES_MAX = 4096  # addresses with a name: a ward asks for some hundreds
SOURCES_MAX = 32  # senders whose names are kept: DNS servers, and devices that announce themselves
HELD_NS = 3600 * 1_000_000_000  # how long an unconfirmed name stands against another sender's
DNS_ANSWER = "dns.answer"
_OWN = frozenset({"mdns.host", "llmnr.host", "netbios.host"})  # a device's word about itself
_NOWHERE = (b"\0", b"\x7f", b"\xff")  # first octets of IPv4 addresses that are nobody's
_GROUPS_FROM = 0xE0  # multicast and reserved
_SECOND_LEVELS = frozenset({"ac", "co", "com", "edu", "gov", "net", "nhs", "org"})


class Named(NamedTuple):
    """A name, who gave it, whether DNS said so, and when last."""

    name: str
    source: int
    by_dns: bool
    time_ns: int


def registered(name: str) -> str:
    """What an owner registered, by rule of thumb: two labels of a name, three under a country's second level."""
    labels = [label for label in name.split(".") if label]
    deep = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS
    return ".".join(labels[-3 if deep else -2 :])


def _can_be_named(address: bytes) -> bool:
    """Whether an address is one host's: not this network, the host itself, a group, or everybody."""
    if len(address) == 4:
        return address[:1] not in _NOWHERE and address[0] < _GROUPS_FROM
    return len(address) == 16 and address[0] != 0xFF and any(address[:15])


class NameBook:
    """Names by address. `disputed` counts claims that were not believed, `dropped` names that made room."""

    def __init__(self, names_max: int = NAMES_MAX, sources_max: int = SOURCES_MAX) -> None:
        self._names_max, self._sources_max = names_max, sources_max
        self._named: dict[bytes, Named] = {}
        self._of: OrderedDict[int, OrderedDict[bytes, None]] = OrderedDict()  # by sender, oldest first
        self.disputed = 0
        self.dropped = 0

    def __len__(self) -> int:
        """How many addresses have a name."""
        return len(self._named)

    def name(self, address: bytes) -> str:
        """The name of an address (4 or 16 octets), or the empty string. Asked for, it is as good as new."""
        found = self._named.get(address)
        if found is None:
            return ""
        self._of[found.source].move_to_end(address)
        return found.name

    def learn(self, source: int, signal: Signal, time_ns: int) -> None:
        """Take a name in from a signal that binds one to an address; any other signal says nothing here."""
        by_dns = signal.kind == DNS_ANSWER
        if not (by_dns or signal.kind in _OWN) or not signal.value or not _can_be_named(signal.address):
            return
        held = self._named.get(signal.address)
        if held is not None and held.source != source and not self._gives_way(held, signal, time_ns, by_dns=by_dns):
            return
        if held is not None and held.source == source and held.by_dns and not by_dns:
            return
        self._keep(signal.address, Named(signal.value, source, by_dns, time_ns))

    def _gives_way(self, held: Named, signal: Signal, time_ns: int, *, by_dns: bool) -> bool:
        """Whether what stands yields to another sender's word; the same word twice is no dispute."""
        if by_dns and not held.by_dns:
            return True
        if held.name == signal.value:
            return False
        if held.by_dns == by_dns and time_ns - held.time_ns >= HELD_NS:
            return True
        self.disputed += 1
        return False

    def _keep(self, address: bytes, named: Named) -> None:
        before = self._named.pop(address, None)
        if before is not None:
            self._forget(address, before.source)
        if named.source not in self._of and len(self._of) >= self._sources_max:
            self._leave(min(self._of, key=lambda source: len(self._of[source])))
        if len(self._named) >= self._names_max:
            self._drop_oldest(max(self._of, key=lambda source: len(self._of[source])))
        self._named[address] = named
        self._of.setdefault(named.source, OrderedDict())[address] = None

    def _forget(self, address: bytes, source: int) -> None:
        held = self._of[source]
        held.pop(address, None)
        if not held:
            del self._of[source]

    def _drop_oldest(self, source: int) -> None:
        address = next(iter(self._of[source]))
        del self._named[address]
        self._forget(address, source)
        self.dropped += 1

    def _leave(self, source: int) -> None:
        """A sender with the fewest names makes room for a new one: among equals the one that was heard first."""
        for address in self._of.pop(source):
            del self._named[address]
            self.dropped += 1
