"""arp-binding-changed, duplicate-address: an address that one device claims by ARP is claimed by another one.

Not a finding: a DHCP server gave it to the new one; the old one is gone (then it is a review for a server or a
gateway); a virtual address of HSRP, GLBP or VRRP. A claimer that has an address of its own beside it looks like
somebody who steps between two others; one that has no other is a double assignment.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from agent.findings.case import Case, Told
from agent.findings.catalogue import NETWORK_GEAR
from agent.findings.draft import Draft, Group, Subject
from agent.findings.paths import Move
from agent.findings.records import Severity
from agent.findings.words import NS_PER_S, address_text, mac_text, time_text

BINDINGS_MAX: Final = 8192  # twice the device table
LEASES_MAX: Final = 4096
CLAIMS_A_TURN_MAX: Final = 1024
ALIVE_NS: Final = 60 * NS_PER_S  # a device that was heard so lately may still have its address
# A stand-in claims the address of a server that died seconds ago: whether the owner is still there is known only when
# it is heard after the claim. Claims are looked at up to an interval late: who was heard just now was heard after all.
JUST_NOW_NS: Final = 2 * NS_PER_S
WAITING_MAX: Final = 256  # claims that wait for a sign of the one before
ADDRESSES_MIN: Final = 3  # taken by one device in an hour that fold into one finding
STAND_INS: Final = frozenset({"pacs", "hospital-server", "pump-gateway", "central-station", NETWORK_GEAR})
MAKER_BITS: Final = 24  # of a card's address below its maker's block
IMPORTANT: Final = frozenset({"pacs", "hospital-server", "imaging-modality", NETWORK_GEAR})
# Virtual MAC addresses: VRRP (RFC 9568), HSRP 1 and 2, GLBP.
_VIRTUAL: Final = ((0x00005E0001, 8), (0x00005E0002, 8), (0x00000C07AC, 8), (0x00000C9FF, 12), (0x0007B4, 24))
EXPECTED: Final = "An address belongs to one card until a DHCP server gives it to another."
_MAPPED: Final = 0xFFFF << 32


class Holder(NamedTuple):
    """Who has an address."""

    mac: int
    since_ns: int


def is_virtual(mac: int) -> bool:
    """Whether several routers share this address by design."""
    return any(mac >> bits == block for block, bits in _VIRTUAL)


class ArpBindings:
    """Remembers which card claimed which address, and what DHCP gave to whom."""

    def __init__(self) -> None:
        self.moves: list[Move] = []  # of this turn
        self._before: npt.NDArray[np.uint64] = np.zeros((0, 0), np.uint64)
        self._macs: npt.NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._arps = -1
        self._holders: OrderedDict[int, Holder] = OrderedDict()
        self._leases: OrderedDict[int, int] = OrderedDict()  # address -> MAC it was given to
        self._waiting: list[_Move] = []

    def judge(self, case: Case) -> Iterator[Draft]:
        """Claims that were not there in the last turn."""
        self.moves.clear()
        for grant in case.turn.grants:
            self._leases[grant.address] = grant.client
            self._leases.move_to_end(grant.address)
        while len(self._leases) > LEASES_MAX:
            self._leases.popitem(last=False)
        yield from self._decided(case)
        arps = case.turn.devices.arps()
        if arps == self._arps:
            return
        self._arps = arps
        claims, macs = case.turn.devices.claims(), case.turn.devices.macs()
        fresh = claims != 0
        if self._before.shape == claims.shape:
            fresh &= (claims != self._before) | (macs != self._macs)[:, None]
        self._before, self._macs = claims, macs.copy()
        slots, places = np.nonzero(fresh)
        born = case.turn.devices.first_ns
        news = sorted((born(s), int(macs[s]), p, s) for s, p in zip(slots.tolist(), places.tolist(), strict=True))
        for _, mac, place, slot in news[:CLAIMS_A_TURN_MAX]:
            yield from self._claim(case, slot, mac, int(claims[slot, place]))

    def _claim(self, case: Case, slot: int, mac: int, address: int) -> Iterator[Draft]:
        holder = self._holders.get(address)
        self._holders[address] = Holder(mac, case.turn.now_ns)
        self._holders.move_to_end(address)
        while len(self._holders) > BINDINGS_MAX:
            self._holders.popitem(last=False)
        if holder is None or holder.mac == mac or is_virtual(mac) or is_virtual(holder.mac):
            return
        old = case.slot_of(holder.mac)
        if self._leases.get(address) == mac or old is None:
            return
        move = _Move(slot, old, address, holder.since_ns, case.turn.now_ns, (mac, holder.mac))
        silent_ns = case.turn.now_ns - int(case.turn.devices.lasts_ns()[old])
        waits = JUST_NOW_NS < silent_ns < ALIVE_NS and _may_stand_in(case, slot, old)
        if waits and len(self._waiting) < WAITING_MAX:
            self._waiting.append(move)
        else:
            yield from self._drafts(case, move, alive=silent_ns < ALIVE_NS)

    def _decided(self, case: Case) -> Iterator[Draft]:
        """Claims whose former holder was heard since, or is silent for so long that it is gone."""
        waiting, self._waiting = self._waiting, []
        for move in waiting:
            macs = tuple(case.turn.devices.mac(slot) for slot in (move.slot, move.old))
            last_ns = int(case.turn.devices.lasts_ns()[move.old])
            if macs != move.macs:
                continue  # one of them has lost its place
            if last_ns > move.claimed_ns:
                yield from self._drafts(case, move, alive=True)
            elif case.turn.now_ns - last_ns >= ALIVE_NS:
                yield from self._drafts(case, move, alive=False)
            else:
                self._waiting.append(move)

    def _drafts(self, case: Case, move: "_Move", *, alive: bool) -> Iterator[Draft]:
        """Nobody misses the address of a printer that is gone."""
        if alive:
            self.moves.append(Move(_MAPPED | move.address, *move.macs, case.turn.now_ns))
        important = case.turn.devices.is_gateway(move.old) or case.role(move.old) in IMPORTANT
        if alive or important:
            yield _draft(case, move, alive=alive, page=alive and important)


class _Move(NamedTuple):
    """An address that went from one device to another."""

    slot: int
    old: int
    address: int
    since_ns: int
    claimed_ns: int
    macs: tuple[int, int]  # of both, when it was claimed


def _may_stand_in(case: Case, slot: int, old: int) -> bool:
    """Whether the claimer looks like the owner's other node: a server itself, or made by the same maker."""
    devices = case.turn.devices
    return case.role(slot) in STAND_INS or devices.mac(slot) >> MAKER_BITS == devices.mac(old) >> MAKER_BITS


def _draft(case: Case, move: _Move, *, alive: bool, page: bool) -> Draft:
    devices = case.turn.devices
    mac, was = devices.mac(move.slot), devices.mac(move.old)
    address = address_text(0, _MAPPED | move.address)
    own = [c for c in devices.claims()[move.slot].tolist() if c and c != move.address]
    if own or not alive:
        finding_id = "arp-binding-changed"
        beside = f", beside its own {address_text(0, _MAPPED | int(own[0]))}" if own else ""
        state = "which is still there" if alive else "which is silent"
        whose = f"it belongs to the {case.label(move.old)}, {state}"
        text = f"{case.label(move.slot)} claims by ARP the address {address}{beside}: {whose}"
    else:
        finding_id = "duplicate-address"
        whose = f"the {case.label(move.old)}, which is still there"
        text = f"{case.label(move.slot)} claims by ARP the same address {address} as {whose}"
    told = Told(
        text=text,
        evidence=(
            ("address", address),
            ("before", mac_text(was)),
            ("now", mac_text(mac)),
            ("since", time_text(move.since_ns)),
            ("first", time_text(case.turn.now_ns)),
        ),
        cause=f"{finding_id}|{mac_text(mac)}|{address}",
        first_ns=min(move.since_ns, case.turn.now_ns),
        last_ns=case.turn.now_ns,
        expected=EXPECTED,
    )
    finding = case.finding(finding_id, Severity.PAGE if page else Severity.REVIEW, move.slot, told)
    group = Group(f"{finding_id}|{mac_text(mac)}", address, ADDRESSES_MIN, "{n} addresses of others")
    mirrored = f"{finding_id}|{mac_text(was)}|{address}"  # the owner claims it back: the same cause
    return Draft(finding, Subject(mac, was, address), (group,), part_of=(mirrored, *_others(mac, was, address)))


def _others(mac: int, was: int, address: str) -> tuple[str, ...]:
    """The same quarrel under its other name."""
    return tuple(
        f"{kind}|{mac_text(m)}|{address}" for kind in ("arp-binding-changed", "duplicate-address") for m in (was, mac)
    )
