"""Who belongs to the ward and whom they deal with: cards, servers, DICOM titles, HL7 receivers, senders of a name.

And how many visitors a day has. All of it outlives a restart.

A tap that has forgotten them would call a ward's own devices strangers after each update. Titles and names are kept as
digests under a salt that was drawn once: equal ones are known again, and who reads the state folder learns no name that
he does not guess.
"""

import hashlib
import secrets
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

SERVERS_MAX: Final = 1024  # (device, port) whose server is remembered
HOSTS_MAX: Final = 1024  # that called or were called by DICOM
TITLES_OF_ONE_MAX: Final = 16  # by which a host is known
SENDERS_MAX: Final = 1024  # devices that send HL7
RECEIVERS_OF_ONE_MAX: Final = 64
RECEIVERS_MAX: Final = 1024
NAMES_MAX: Final = 512  # applications that HL7 names
HOSTS_OF_A_NAME_MAX: Final = 16
CARDS_MAX: Final = 4096  # as many as the device table has slots; who was there first stays: a flood invents cards
CARD_KEPT_S: Final = 30 * 24 * 3600  # since it was heard: a pump may lie in a cupboard for weeks
DAYS_KEPT: Final = 7  # of visitors
SALT_OCTETS: Final = 16
DIGEST_OCTETS: Final = 8  # some thousand names: two are alike once in 10^12 wards

Address = tuple[int, int]  # high and low half
Of = TypeVar("Of")
What = TypeVar("What")


class Bond(NamedTuple):
    """A device's server on a port."""

    peer: Address
    since_ns: int


@dataclass(slots=True)
class Visitors:
    """Drawn addresses that came, by day: phones, most of them."""

    day: int = 0  # since 1970
    today: int = 0
    told: bool = False  # that today is unusual
    days: deque[int] = field(default_factory=lambda: deque(maxlen=DAYS_KEPT))  # those before, the newest last

    def come(self, count: int, day: int) -> None:
        """So many more, on this day."""
        if day != self.day:
            self.days.extend([self.today, *(0,) * min(DAYS_KEPT, day - self.day - 1)] if self.day else [])
            self.day, self.today, self.told = day, 0, False
        self.today += count


class Kept(NamedTuple):
    """What outlives a restart, the longest silent first."""

    salt: bytes
    settled: bool  # whether a run was long enough to know who belongs to the ward
    cards: tuple[tuple[int, int], ...]  # MAC, second since 1970 in which it was heard last
    servers: tuple[tuple[int, int, int, int, int], ...]  # MAC, port, address (high, low), since when
    titles: tuple[tuple[int, tuple[int, ...]], ...]  # MAC, digests
    receivers: tuple[tuple[int, tuple[Address, ...]], ...]  # MAC, addresses
    senders: tuple[tuple[int, tuple[int, ...]], ...]  # digest of a name, MACs
    visitors: tuple[int, ...]  # as in Visitors: day, today, told, then the days before


class Peers:
    """All of them, each bounded: who was met longest ago is forgotten first. Not for several threads."""

    def __init__(self) -> None:
        """Nothing is known."""
        self.salt = secrets.token_bytes(SALT_OCTETS)
        self._servers: OrderedDict[tuple[int, int], Bond] = OrderedDict()
        self._titles: OrderedDict[int, dict[int, None]] = OrderedDict()  # host -> titles it is known by
        self._receivers_of: OrderedDict[int, dict[Address, None]] = OrderedDict()
        self._receivers: OrderedDict[Address, None] = OrderedDict()  # of anybody
        self._hosts_of: OrderedDict[int, dict[int, None]] = OrderedDict()  # name -> hosts that send under it
        self._cards: dict[int, int] = {}  # MAC -> when it was heard last
        self._before: frozenset[int] = frozenset()  # those known before a restart
        self.visitors = Visitors()
        self.changed = False  # since they were saved last
        self.settled = False  # whether this run, or one before it, has settled
        self.resumed = False  # one before it has: who belongs to the ward is known from the first frame on

    def digest(self, name: str) -> int:
        """What a title or a name is known by; 0 for none."""
        text = name.encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(text, digest_size=DIGEST_OCTETS, key=self.salt).digest()) if name else 0

    def settle(self) -> None:
        """It is known who belongs to the ward."""
        self.changed |= not self.settled
        self.settled = True

    def reports_to(self, mac: int, port: int, peer: Address, now_ns: int) -> Bond | None:
        """A device's server now. Returns the one that it had before, when that was another one."""
        known = self._servers.pop((mac, port), None)
        if known is not None and known.since_ns > now_ns:
            known = known._replace(since_ns=now_ns)  # the clock ran ahead then
        moved = known is not None and known.peer != peer
        self._servers[mac, port] = known if known is not None and not moved else Bond(peer, now_ns)
        self.changed |= known is None or moved
        _bound(self._servers, SERVERS_MAX)
        return known if moved else None

    def titles(self, host: int) -> dict[int, None] | None:
        """What a host is called by; None for a host that neither called nor was called."""
        return self._titles.get(host)

    def know_title(self, host: int, title: int) -> None:
        """A host is called so."""
        self._note(self._titles, host, title, TITLES_OF_ONE_MAX)
        _bound(self._titles, HOSTS_MAX)

    def owner(self, title: int, besides: int) -> int:
        """Who else is known by a title, the longest silent of them; 0: nobody."""
        return next((mac for mac, titles in self._titles.items() if mac != besides and title in titles), 0)

    def meet(self, macs: Iterable[int], now_s: int) -> None:
        """Devices that were seen often enough to be called so, drawn addresses too."""
        for mac in macs:
            if mac not in self._cards and len(self._cards) < CARDS_MAX:
                self._cards[mac] = now_s
                self.changed = True

    def hear(self, macs: Sequence[int], seconds: Sequence[int]) -> None:
        """When devices were heard last."""
        cards = self._cards
        cards.update((mac, second) for mac, second in zip(macs, seconds, strict=True) if mac in cards)

    def knew(self, mac: int) -> bool:
        """Whether a device was here before the restart."""
        return mac in self._before

    def receivers(self, mac: int) -> dict[Address, None]:
        """Where a device sends HL7 messages."""
        return self._receivers_of.get(mac, {})

    def receives(self, peer: Address) -> bool:
        """Whether anybody sends HL7 messages there."""
        return peer in self._receivers

    def know_receiver(self, mac: int, peer: Address) -> None:
        """A device sends there."""
        self._note(self._receivers_of, mac, peer, RECEIVERS_OF_ONE_MAX)
        self._receivers[peer] = None
        _bound(self._receivers_of, SENDERS_MAX)
        _bound(self._receivers, RECEIVERS_MAX)

    def hosts(self, name: int) -> dict[int, None]:
        """Who sends under the name of an application, the first of all first."""
        return self._hosts_of.get(name, {})

    def know_host(self, name: int, mac: int) -> None:
        """A device sends under that name."""
        self._note(self._hosts_of, name, mac, HOSTS_OF_A_NAME_MAX)
        _bound(self._hosts_of, NAMES_MAX)

    def _note(self, held: OrderedDict[Of, dict[What, None]], of: Of, what: What, most: int) -> None:
        known = held.pop(of, {})
        if what and what not in known and len(known) < most:
            known[what] = None
            self.changed = True
        held[of] = known

    def kept(self) -> Kept:
        """What outlives a restart."""
        return Kept(
            salt=self.salt,
            settled=self.settled,
            cards=tuple(self._cards.items()),
            servers=tuple((mac, port, *bond.peer, bond.since_ns) for (mac, port), bond in self._servers.items()),
            titles=tuple((host, tuple(titles)) for host, titles in self._titles.items()),
            receivers=tuple((mac, tuple(peers)) for mac, peers in self._receivers_of.items()),
            senders=tuple((name, tuple(hosts)) for name, hosts in self._hosts_of.items()),
            visitors=(self.visitors.day, self.visitors.today, int(self.visitors.told), *self.visitors.days),
        )

    def resume(self, kept: Kept, now_s: int) -> None:
        """Go on with what was known before a restart; when nobody was heard for too long, the ward is another one."""
        self._cards = {mac: heard_s for mac, heard_s in kept.cards if now_s - heard_s <= CARD_KEPT_S}
        self._before = frozenset(self._cards)
        self.salt, self.settled = kept.salt, kept.settled and bool(self._before)
        self.resumed = self.settled
        day, today, told, *days = kept.visitors
        self.visitors = Visitors(day, today, bool(told), deque(days, DAYS_KEPT))
        for mac, port, hi, lo, since_ns in kept.servers:
            self._servers[mac, port] = Bond((hi, lo), since_ns)
        for host, titles in kept.titles:
            self._titles[host] = dict.fromkeys(titles)
        for mac, peers in kept.receivers:
            self._receivers_of[mac] = dict.fromkeys(peers)
            self._receivers.update(dict.fromkeys(peers))
        for name, hosts in kept.senders:
            self._hosts_of[name] = dict.fromkeys(hosts)
        _bound(self._receivers, RECEIVERS_MAX)


def _bound(held: OrderedDict[Of, What], most: int) -> None:
    while len(held) > most:
        held.popitem(last=False)
