"""Drawn addresses of one phone: joined where what they say names one host, left apart where it could name two.

A phone draws its address anew for each network, each day, or each time it joins. What names its host is a number that
a system drew or was given for it: a DHCP client identifier or DUID that is no card's (`continuity`), or a host name
with a drawn part, together with the same DHCP option list and vendor class. A name that a maker chose (`iPhone`,
`Galaxy-S21`) says too little: many carry it. Nor do two addresses that were heard at the same time belong to one phone,
whatever they say: of a number that two used at once nothing is joined any more.

A name that says whose the phone is (`Annas-iPhone`) is worth something while nobody else is heard to hold it. With the
same stack it joins two addresses once the earlier one has been silent for a whole day in which the later one was heard:
of two people of one name who work in shifts, the first has been back by then. Said by two stacks, by two at once, or by
more addresses than one phone draws, it joins nobody any more.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from agent.devices.owned_names import owned
from agent.devices.scoring import Vote

HOSTS_MAX: Final = 256  # numbers of hosts that are remembered; the one heard longest ago is dropped
ADDRESSES_MAX: Final = 8  # of one host: a phone that joins each hour of a shift; the oldest is dropped
OWNED_ADDRESSES_MAX: Final = 4  # of one owner's name: a phone keeps one for two weeks, so they last two months
REST_NS: Final = 24 * 3600 * 1_000_000_000  # of silence after which an owner's phone will not come back as it was
ONE_HOST: Final = "one host with an address it had before"
FOLDED: Final = Vote("continuity", "continuity", ONE_HOST, is_token=True, roles={})  # it speaks for no role
# The last signal of a DHCP client's message: all others of it were heard.
LAST_SAID: Final = "dhcp.order"
_HOST, _OPTIONS, _CLASS, _SIZE = "dhcp.host", "dhcp.options", "dhcp.vendor", "dhcp.size"
_OWNED = "owned\n"  # such keys begin so; then come the name, and the stack
_NAME_MAX_CHARS = 32
# Names that a system makes up: Android to 9 (its ANDROID_ID), Windows from 10 on.
_DRAWN_NAME = re.compile(r"android-[0-9a-f]{12,16}|(?:desktop|laptop)-[0-9a-z]{7,8}")

Lived = Callable[[int], tuple[int, int] | None]  # MAC -> when it was heard first and last, None: it has no slot now


def named_by_itself(said: Collection[tuple[str, str]]) -> str:
    """The key of a host whose name was drawn for it, or says whose it is.

    Empty for any other name, and where more than one was said.
    """
    of = {kind: [value for key, value in said if key == kind] for kind in (_HOST, _OPTIONS, _CLASS, _SIZE)}
    if len(of[_HOST]) != 1 or len(of[_OPTIONS]) != 1 or len(of[_CLASS]) > 1:
        return ""
    name = of[_HOST][0].lower()
    if len(name) <= _NAME_MAX_CHARS and _DRAWN_NAME.fullmatch(name):
        return "\n".join((name, of[_OPTIONS][0], *of[_CLASS]))
    if not owned(name) or len(of[_SIZE]) > 1:
        return ""
    return _OWNED + "\n".join((name, of[_OPTIONS][0], *(of[_CLASS] or [""]), *of[_SIZE]))


def _name_of(key: str) -> str:
    """The part of an owner's key that another stack would say too; empty for other keys."""
    return key.split("\n", 2)[1] if key.startswith(_OWNED) else ""


class Fold(NamedTuple):
    """Addresses of one host in the order in which they were drawn; the last one stands for all."""

    macs: tuple[int, ...]
    by_owner: bool = False  # joined by a name that a person chose


def _rested(spans: list[tuple[tuple[int, int], int]]) -> list[tuple[tuple[int, int], int]]:
    """Those that are over, with the one after them: silent for a whole day while the newest was heard."""
    over = sum(spans[-1][0][1] - last >= REST_NS for (_, last), _ in spans[:-1]) if spans else 0
    return spans[: over + 1]


class Folding:
    """Which drawn addresses said the same number of a host. Bounded; a number that two used at once joins nobody."""

    def __init__(self, hosts_max: int = HOSTS_MAX, addresses_max: int = ADDRESSES_MAX) -> None:
        self._hosts_max, self._addresses_max = hosts_max, addresses_max
        self._hosts: OrderedDict[str, OrderedDict[int, None]] = OrderedDict()
        self._shared: OrderedDict[str, None] = OrderedDict()
        self._key_of: dict[int, str] = {}

    def claim(self, key: str, mac: int) -> None:
        """A drawn address says the number of a host; an empty key says nothing. What it said first counts."""
        if not key or self._key_of.get(mac, key) != key:
            return
        name = _name_of(key)
        if name and key not in self._hosts and any(_name_of(other) == name for other in self._hosts):
            self._share(name)  # another stack under the same name: two devices
        macs = self._hosts.setdefault(key, OrderedDict())
        self._hosts.move_to_end(key)
        macs[mac] = None
        self._key_of[mac] = key
        if name and len(macs) > OWNED_ADDRESSES_MAX:
            self._share(name)
        if len(macs) > self._addresses_max:
            del self._key_of[macs.popitem(last=False)[0]]
        if len(self._hosts) > self._hosts_max:
            for gone in self._hosts.popitem(last=False)[1]:
                del self._key_of[gone]

    def forget(self, mac: int) -> None:
        """The address is no longer remembered."""
        key = self._key_of.pop(mac, "")
        if key:
            del self._hosts[key][mac]
            if not self._hosts[key]:
                del self._hosts[key]

    def folds(self, lived: Lived) -> Iterator[Fold]:
        """Hosts of several addresses that are heard one after the other."""
        for key, macs in self._hosts.items():
            name = _name_of(key)
            if len(macs) < 2 or (name or key) in self._shared:
                continue
            spans = sorted((span, mac) for mac in macs if (span := lived(mac)) is not None)
            if any(before[1] >= after[0] for (before, _), (after, _) in pairwise(spans)):
                self._share(name or key)
                continue
            if name:
                spans = _rested(spans)
            if len(spans) > 1:
                yield Fold(tuple(mac for _, mac in spans), by_owner=bool(name))

    def _share(self, key: str) -> None:
        self._shared[key] = None
        if len(self._shared) > self._hosts_max:
            self._shared.popitem(last=False)

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._key_of)
