"""What is usual here: the contacts that devices of a role make, pooled over all of them, and how sure that is.

A contact is (role, direction, protocol, responder's port, kind of peer), so thirty pumps learn together and one pump
that is new is judged by all. Learning ends by itself when little new is to be expected (Good and Turing: the chance
that the next sighting is of a kind never seen is the share of kinds seen once; Good 1953), or when somebody freezes
it. What was seen once is not learned: an intruder who comes once while learning goes on teaches nothing.

Pure and bounded. Saving is baseline_file.py's.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from agent.clock import NS_PER_S
from agent.devices.records import NO_SLOT, Rows, Scope

Keys = npt.NDArray[np.uint64]
HOUR_NS: Final = 3600 * NS_PER_S
DAY_NS: Final = 24 * HOUR_NS

KEYS_A_ROLE_MAX: Final = 512  # 28 consumer devices need 37 kinds of contact each (MUD profiles); a role needs few more
KEYS_A_DEVICE_MAX: Final = 128  # one device cannot fill its role's part; twenty roles ask a server for six services
DEVICES_A_KEY_MAX: Final = 8  # devices remembered by name for one kind of contact; more are "several"
DEVICES_MAX: Final = 1024  # with a setting of their own
PENDING_MAX: Final = 256  # new contacts that were said and may be approved
SIGHTINGS_MAX: Final = 128  # taken in one interval, 5 us each; the others count as late and come with the next one
SEEN_MIN: Final = 2  # sightings, an hour apart or of two devices, that make a contact learned
SHARED_MIN: Final = 3  # devices of a role from which on one device alone teaches only itself (poisoning)
LEARN_MIN_NS: Final = 3 * DAY_NS  # heard: two nights and a working day between them
NEW_A_DAY_MAX: Final = 0.2  # new kinds of contact a day that are still to be expected when learning ends
DEVICE_LEARNS_NS: Final = 7 * DAY_NS  # a device that somebody set to learn does so for a week
DYNAMIC_PORT: Final = 49152  # RFC 6335: dynamic ports, and all are one kind
PEER_BIT, ROLE_BIT, SLOT_BIT = 25, 33, 48  # of a key; below them port, protocol and direction
FOR_DEVICE, FOR_ROLE = 1, 2  # of Kind.approved
_SCOPES = len(Scope)


class Phase(StrEnum):
    """What a role's pool does."""

    LEARNING = "learning"
    SETTLED = "settled"  # learning ended by itself
    FROZEN = "frozen"  # somebody ended it


class Order(StrEnum):
    """What a person may order for a role or a device."""

    START = "start"
    FREEZE = "freeze"
    RESET = "reset"
    APPROVE = "approve"


class Learned(NamedTuple):
    """How far a pool is, for people."""

    phase: Phase
    confidence: float  # 1 - the chance that the next contact is of a kind never seen
    kinds: int  # learned
    observations: int
    heard_ns: int


@dataclass(slots=True)
class Kind:
    """One kind of contact, and who was seen with it."""

    count: int = 0  # sightings: one a device and hour
    last_hour: int = 0
    approved: int = 0  # by a person: 1 for the devices that showed it, 2 for the whole role
    devices: dict[int, int] = field(default_factory=dict)  # MAC -> hour

    @property
    def learned(self) -> bool:
        """Whether it was seen often enough to be usual at all."""
        return self.count >= SEEN_MIN or self.approved > 0


@dataclass(slots=True)
class Pool:
    """One role's part."""

    phase: Phase = Phase.LEARNING
    observations: int = 0
    heard_ns: int = 0
    aged: int = 0  # kinds given up for lack of room
    kinds: dict[int, Kind] = field(default_factory=dict)
    macs: dict[int, int] = field(default_factory=dict)  # MAC -> kinds it brought

    def once(self) -> int:
        """Kinds that were seen once."""
        return sum(kind.count == 1 for kind in self.kinds.values())


class Baseline:
    """All pools of this tap. `refused` counts sightings that were not learned from, for lack of room or trust."""

    def __init__(self, roles: Sequence[str]) -> None:
        """Nothing was learned; `roles` in the order of the role index."""
        self.roles: Final = tuple(roles)
        self.pools: dict[int, Pool] = {}  # by role index
        self.devices: OrderedDict[int, tuple[Phase, int]] = OrderedDict()  # MAC -> its own phase, until when (ns)
        self.refused = 0
        self.late = 0  # sightings that waited for another interval
        self.changed = False  # since it was saved last
        self._pending: OrderedDict[tuple[int, int], None] = OrderedDict()  # (MAC, key) of contacts that were said
        self._hour = 0
        self._this_hour: Keys = np.zeros(0, np.uint64)
        self._shared: Keys | None = None  # keys that every device of the role may show, sorted; None: to be made

    def keys(self, edges: Rows, roles: npt.NDArray[np.int16]) -> Keys:
        """The kind of each edge as a number; edges of slots that are not in `roles` count as the last role."""
        last = len(self.roles) - 1
        known = np.append(roles, np.int16(last))
        device = np.minimum(edges["device"], roles.shape[0])
        peer = np.minimum(edges["peer_device"], roles.shape[0])
        there = (edges["peer_device"] != NO_SLOT) & (known[peer] != last)
        kind_of_peer = np.where(there, known[peer] + _SCOPES, np.minimum(edges["scope"], _SCOPES - 1))
        port = np.minimum(edges["port"], np.uint16(DYNAMIC_PORT)).astype(np.uint64)
        icmp = (edges["protocol"] == 1) | (edges["protocol"] == 58)
        port = np.where(icmp, edges["port"] >> 8, port).astype(np.uint64)
        keys: Keys = port | edges["protocol"].astype(np.uint64) << np.uint64(16)
        keys |= (edges["direction"] & np.uint8(1)).astype(np.uint64) << np.uint64(24)
        keys |= kind_of_peer.astype(np.uint64) << np.uint64(PEER_BIT)
        keys |= known[device].astype(np.uint64) << np.uint64(ROLE_BIT)
        return keys

    def observe(self, slots: npt.NDArray[np.uint32], keys: Keys, macs: Keys, now_ns: int) -> None:
        """Contacts of an interval, of which none broke a *never* and whose devices nobody suspects.

        `macs` are those of all slots. One sighting counts for a device and hour.
        """
        hour = now_ns // HOUR_NS
        if hour != self._hour:
            self._hour, self._this_hour = hour, self._this_hour[:0]
        both = np.unique(keys | slots.astype(np.uint64) << np.uint64(SLOT_BIT))
        fresh = both[~np.isin(both, self._this_hour, assume_unique=True)]
        self.late += max(0, fresh.size - SIGHTINGS_MAX)
        fresh = fresh[:SIGHTINGS_MAX]
        self._this_hour = np.concatenate([self._this_hour, fresh])
        owners = macs[fresh >> np.uint64(SLOT_BIT)].tolist()
        for mac, one in zip(owners, fresh.tolist(), strict=True):
            self._sight(mac, one & (1 << SLOT_BIT) - 1, hour, now_ns)

    def _sight(self, mac: int, key: int, hour: int, now_ns: int) -> None:
        pool = self.pools.setdefault(key >> ROLE_BIT, Pool())
        own = self._own_phase(mac, now_ns)
        kind = pool.kinds.get(key)
        learns = own is Phase.LEARNING or (own is None and pool.phase is Phase.LEARNING)
        if not learns:
            if kind is not None:
                kind.last_hour = hour  # still of use; nothing is counted that could teach
            return
        if kind is not None and kind.devices.get(mac) == hour:
            return
        if mac not in (kind.devices if kind else ()) and pool.macs.get(mac, 0) >= KEYS_A_DEVICE_MAX:
            self.refused += 1
            return
        if kind is None:
            kind = pool.kinds[key] = Kind()
            self._make_room(pool)
        if mac not in kind.devices and len(kind.devices) < DEVICES_A_KEY_MAX:
            kind.devices[mac] = hour
            if mac in pool.macs or len(pool.macs) < DEVICES_MAX:
                pool.macs[mac] = pool.macs.get(mac, 0) + 1
        elif mac in kind.devices:
            kind.devices[mac] = hour
        kind.count += 1
        kind.last_hour = hour
        pool.observations += 1
        if own is Phase.LEARNING:
            kind.approved = max(kind.approved, FOR_DEVICE)  # somebody said that this device does new things
        self._shared, self.changed = None, True

    def _make_room(self, pool: Pool) -> None:
        """The kind that was seen least, and longest ago, is given up."""
        if len(pool.kinds) > KEYS_A_ROLE_MAX:
            newest = next(reversed(pool.kinds))
            least = min(
                (key for key in pool.kinds if key != newest),
                key=lambda k: (pool.kinds[k].count, pool.kinds[k].last_hour),
            )
            self._forget(pool, least)
            pool.aged += 1

    @staticmethod
    def _forget(pool: Pool, key: int) -> None:
        for mac in pool.kinds.pop(key).devices:
            pool.macs[mac] = pool.macs.get(mac, 1) - 1

    def hear(self, span_ns: int) -> None:
        """So much time was listened to without loss; pools that have learned enough settle."""
        for pool in self.pools.values():
            pool.heard_ns += span_ns
            if pool.phase is Phase.LEARNING and pool.heard_ns >= LEARN_MIN_NS:
                expected = pool.once() / pool.observations if pool.observations else 1.0
                if expected * pool.observations * DAY_NS / pool.heard_ns <= NEW_A_DAY_MAX:
                    pool.phase = Phase.SETTLED
        self.changed |= bool(self.pools)

    def watched(self) -> npt.NDArray[np.bool_]:
        """By role index: whether a contact of it can be new. All are while a single device is set to be watched."""
        mask = np.zeros(len(self.roles), np.bool_)
        mask[[number for number, pool in self.pools.items() if pool.phase is not Phase.LEARNING]] = True
        return mask | any(phase is Phase.FROZEN for phase, _ in self.devices.values())

    def shared(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Which contacts are usual for every device of their role."""
        if self._shared is None:
            self._shared = np.array(
                sorted(k for pool in self.pools.values() for k, kind in pool.kinds.items() if _is_shared(pool, kind)),
                np.uint64,
            )
        usual: npt.NDArray[np.bool_] = np.isin(keys, self._shared)
        return usual | np.isin(_of_no_role(keys), self._shared)  # a peer that has got a role since is no new peer

    def known(self, keys: Keys, macs: Sequence[int]) -> list[bool]:
        """For each contact of a device: whether it was learned, for all devices of its role or for this one."""
        every = zip(self.shared(keys).tolist(), keys.tolist(), _of_no_role(keys).tolist(), macs, strict=True)
        return [here or self._knows(key, mac) or self._knows(other, mac) for here, key, other, mac in every]

    def unknown(self, keys: Keys, macs: Sequence[int], now_ns: int) -> list[bool]:
        """For each contact of a device: whether it is outside what was learned, of a pool that learns no more."""
        every = zip(self.known(keys, macs), keys.tolist(), macs, strict=True)
        return [not here and self._phase(key, mac, now_ns) is not Phase.LEARNING for here, key, mac in every]

    def _knows(self, key: int, mac: int) -> bool:
        """Whether a kind is usual for one device, though not for all of its role."""
        pool = self.pools.get(key >> ROLE_BIT)
        kind = pool.kinds.get(key) if pool else None
        return kind is not None and kind.learned and mac in kind.devices

    def _phase(self, key: int, mac: int, now_ns: int) -> Phase:
        pool = self.pools.get(key >> ROLE_BIT)
        return self._own_phase(mac, now_ns) or (pool.phase if pool else Phase.LEARNING)

    def _own_phase(self, mac: int, now_ns: int) -> Phase | None:
        held = self.devices.get(mac)
        if held is None or now_ns < held[1]:
            return held[0] if held else None
        del self.devices[mac]
        return None

    def said(self, mac: int, key: int) -> bool:
        """A contact is said as new: it may be approved. Whether it was not said before, among the newest of them."""
        fresh = (mac, key) not in self._pending
        self._pending[mac, key] = None
        self._pending.move_to_end((mac, key))
        while len(self._pending) > PENDING_MAX:
            self._pending.popitem(last=False)
        return fresh

    def learned(self, role: str) -> Learned:
        """How far a role is."""
        pool = self.pools.get(self.roles.index(role), Pool())
        sure = 1 - pool.once() / pool.observations if pool.observations else 0.0
        kinds = sum(kind.learned for kind in pool.kinds.values())
        return Learned(pool.phase, sure, kinds, pool.observations, pool.heard_ns)

    def confidence(self, role: str) -> float:
        """As in `learned`."""
        return self.learned(role).confidence

    def order_role(self, order: Order, role: str) -> None:
        """Start, freeze, reset a role's pool, or approve what was said of its devices."""
        number = self.roles.index(role)
        pool = self.pools.setdefault(number, Pool())
        if order is Order.RESET:
            self.pools[number] = Pool()
        elif order is Order.APPROVE:
            self._approve([pair for pair in self._pending if pair[1] >> ROLE_BIT == number], for_all=True)
        else:
            pool.phase = Phase.LEARNING if order is Order.START else Phase.FROZEN
            pool.heard_ns = 0 if order is Order.START else pool.heard_ns  # it learns for as long as a new one
        self._shared, self.changed = None, True

    def order_device(self, order: Order, mac: int, now_ns: int) -> None:
        """The same for one device: its own phase goes before its role's; reset forgets what only it has shown."""
        if order is Order.APPROVE:
            self._approve([pair for pair in self._pending if pair[0] == mac], for_all=False)
        elif order is Order.RESET:
            self.devices.pop(mac, None)
            for pool in self.pools.values():
                for key in [k for k, kind in pool.kinds.items() if set(kind.devices) == {mac}]:
                    self._forget(pool, key)
        else:
            phase, until = (
                (Phase.LEARNING, now_ns + DEVICE_LEARNS_NS) if order is Order.START else (Phase.FROZEN, 1 << 62)
            )
            self.devices[mac] = (phase, until)
            self.devices.move_to_end(mac)
            while len(self.devices) > DEVICES_MAX:
                self.devices.popitem(last=False)
        self._shared, self.changed = None, True

    def _approve(self, pairs: Iterable[tuple[int, int]], *, for_all: bool) -> None:
        """Contacts that a person knows: learned at once, for the whole role or for the device that showed them."""
        for mac, key in pairs:
            pool = self.pools.setdefault(key >> ROLE_BIT, Pool())
            kind = pool.kinds.setdefault(key, Kind(last_hour=self._hour))
            kind.approved = max(kind.approved, FOR_ROLE if for_all else FOR_DEVICE)
            if mac not in kind.devices and len(kind.devices) < DEVICES_A_KEY_MAX:
                kind.devices[mac] = self._hour
                pool.macs[mac] = pool.macs.get(mac, 0) + 1
            self._make_room(pool)
            del self._pending[mac, key]


def _of_no_role(keys: Keys) -> Keys:
    """The same contacts with a peer on the segment whose role was not known."""
    peer = keys >> np.uint64(PEER_BIT) & np.uint64(0xFF)
    plain: Keys = np.where(peer >= _SCOPES, keys & ~np.uint64(0xFF << PEER_BIT), keys)
    return plain


def _is_shared(pool: Pool, kind: Kind) -> bool:
    """Whether all devices of the role may show it: approved so, seen of several, or of a role with few devices."""
    seen = kind.count >= SEEN_MIN and (len(kind.devices) > 1 or len(pool.macs) < SHARED_MIN)
    return kind.approved == FOR_ROLE or seen
