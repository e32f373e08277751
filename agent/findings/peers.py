"""Whom each device deals with: servers, DICOM titles, HL7 receivers, senders of a name. What of it outlives a restart.

A tap that has forgotten them would call a ward's own devices strangers after each update. Titles and names are kept as
digests under a salt that was drawn once: equal ones are known again, and who reads the state folder learns no name.
"""

import hashlib
import secrets
from collections import OrderedDict
from typing import Final, NamedTuple, TypeVar

SERVERS_MAX: Final = 1024  # (device, port) whose server is remembered
HOSTS_MAX: Final = 1024  # that called or were called by DICOM
TITLES_OF_ONE_MAX: Final = 16  # by which a host is known
SENDERS_MAX: Final = 1024  # devices that send HL7
RECEIVERS_OF_ONE_MAX: Final = 64
RECEIVERS_MAX: Final = 1024
NAMES_MAX: Final = 512  # applications that HL7 names
HOSTS_OF_A_NAME_MAX: Final = 16
SALT_OCTETS: Final = 16
DIGEST_OCTETS: Final = 8  # some thousand names: two are alike once in 10^12 wards

Address = tuple[int, int]  # high and low half
Of = TypeVar("Of")
What = TypeVar("What")


class Bond(NamedTuple):
    """A device's server on a port."""

    peer: Address
    since_ns: int


class Kept(NamedTuple):
    """What outlives a restart, the longest silent first."""

    salt: bytes
    servers: tuple[tuple[int, int, int, int, int], ...]  # MAC, port, address (high, low), since when
    titles: tuple[tuple[int, tuple[int, ...]], ...]  # MAC, digests
    receivers: tuple[tuple[int, tuple[Address, ...]], ...]  # MAC, addresses
    senders: tuple[tuple[int, tuple[int, ...]], ...]  # digest of a name, MACs


class Peers:
    """All of them, each bounded: the longest silent is forgotten first. Not for several threads."""

    def __init__(self) -> None:
        """Nothing is known."""
        self.salt = secrets.token_bytes(SALT_OCTETS)
        self._servers: OrderedDict[tuple[int, int], Bond] = OrderedDict()
        self._titles: OrderedDict[int, dict[int, None]] = OrderedDict()  # host -> titles it is known by
        self._receivers_of: OrderedDict[int, dict[Address, None]] = OrderedDict()
        self._receivers: OrderedDict[Address, None] = OrderedDict()  # of anybody
        self._hosts_of: OrderedDict[int, dict[int, None]] = OrderedDict()  # name -> hosts that send under it
        self.changed = False  # since they were saved last
        self.resumed = False  # they go on with what was known before a restart

    def digest(self, name: str) -> int:
        """What a title or a name is known by; 0 for none."""
        text = name.encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(text, digest_size=DIGEST_OCTETS, key=self.salt).digest()) if name else 0

    def server(self, mac: int, port: int, peer: Address, now_ns: int) -> Bond | None:
        """A device reports to this server now. The one it had before, when that was another one."""
        known = self._servers.pop((mac, port), None)
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
            servers=tuple((mac, port, *bond.peer, bond.since_ns) for (mac, port), bond in self._servers.items()),
            titles=tuple((host, tuple(titles)) for host, titles in self._titles.items()),
            receivers=tuple((mac, tuple(peers)) for mac, peers in self._receivers_of.items()),
            senders=tuple((name, tuple(hosts)) for name, hosts in self._hosts_of.items()),
        )

    def resume(self, kept: Kept) -> None:
        """Go on with what was known before a restart."""
        self.salt, self.resumed = kept.salt, True
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
