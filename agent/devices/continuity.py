"""A device that comes back under another card: what of it lasts is its DHCP client identifier, unless that is the card.

RFC 2132 section 9.14 lets a client say who it is; RFC 4361 makes of it a number of the host that outlives its cards
(DUID), behind a number of the interface; DHCPv6 (RFC 8415 section 11) sends the same DUID alone, so that a host is the
same under both. Whoever copies the number plays the host: so it speaks for the role the host
had, as one family among others, and never more than a maker does.
"""

from collections import OrderedDict

from agent.devices.roles import ROLES, UNKNOWN
from agent.devices.scoring import Vote

HOSTS_MAX = 1024  # client identifiers remembered; the one heard longest ago is dropped
KNOWN_BEFORE = "known before under another card"
NATS = 1.4  # for the role it had: enough to speak up, and alone 0.599, on which nothing may page
_ETHERNET, _RFC_4361 = 0x01, 0xFF
_IAID_OCTETS = 4
_DUID_MIN_OCTETS = 4
_HEX = frozenset("0123456789abcdef")


def lasting(client_id: str, mac: int) -> str:
    """The part of a DHCPv4 client identifier (hexadecimal) that outlives the card; empty when there is none."""
    octets = _octets(client_id)
    if not octets:
        return ""
    if octets[0] == _ETHERNET:
        return ""  # a hardware address: the card's own, or another's that is no better
    if octets[0] == _RFC_4361:
        return lasting_duid(octets[1 + _IAID_OCTETS :].hex())
    own = mac.to_bytes(8, "big")[2:]
    return "" if own in octets or len(octets) < _DUID_MIN_OCTETS else octets.hex()


def lasting_duid(duid: str, _: int = 0) -> str:
    """A DUID (hexadecimal) as the key of its host; empty for what is none. One made of a card names that card's host.

    RFC 8415 section 11: a host makes it once and keeps it, whatever its cards.
    """
    octets = _octets(duid)
    return octets.hex() if len(octets) >= _DUID_MIN_OCTETS and any(octets[2:]) else ""


def _octets(text: str) -> bytes:
    """What hexadecimal digits say; nothing for anything else."""
    return b"" if len(text) < 4 or len(text) % 2 or not _HEX.issuperset(text) else bytes.fromhex(text)


class Continuity:
    """Which card said which lasting identifier last. Bounded: a flood of invented ones drives out the oldest."""

    def __init__(self, hosts_max: int = HOSTS_MAX) -> None:
        self._most = hosts_max
        self._cards: OrderedDict[str, int] = OrderedDict()

    def claim(self, key: str, mac: int) -> int:
        """The card that said the same lasting number before, when it was another one; else 0."""
        if not key:
            return 0
        former = self._cards.pop(key, mac)
        self._cards[key] = mac
        if len(self._cards) > self._most:
            self._cards.popitem(last=False)
        return former if former != mac else 0


def inherited(role: str) -> Vote | None:
    """What it says of a card that its host was known with this role; nothing of one that was not known."""
    return None if role == UNKNOWN else _VOTES.get(role)


_VOTES = {role: Vote("continuity", "continuity", KNOWN_BEFORE, is_token=True, roles={role: NATS}) for role in ROLES}
