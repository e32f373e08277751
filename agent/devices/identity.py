"""Who a device is: evidence gathered per MAC address, a role with its confidence and its reasons.

Bounded in every way: devices, facts per device, names per device. A role that was concluded is not given up for weaker
evidence: what comes later and disagrees is reported as a contradiction, for it may be an intruder's costume.
"""

import itertools
from collections.abc import Callable, Container, Iterator
from functools import lru_cache, partial
from itertools import islice

from agent.clock import NS_PER_S
from agent.devices.continuity import Continuity, inherited, lasting, lasting_duid
from agent.devices.evidence import Evidence, Identity, Name
from agent.devices.facts import OFFERS, USES, FactBook, service_vote
from agent.devices.families import MANY_VALUES, NAME_KINDS, family_of
from agent.devices.folding import FOLDED, LAST_SAID, Fold, Folding, Lived, named_by_itself
from agent.devices.known import Known, contradictions, is_one_host, maker, settle, system
from agent.devices.memory import Remembered
from agent.devices.packs import DRAWN, GIVEN_AS_ROUTER, SPEAKS_FOR_OTHERS, Packs, Rule
from agent.devices.posture import posture_of
from agent.devices.records import Posture
from agent.devices.roles import ROLE_INDEX, ROLES, TIERS, UNKNOWN
from agent.devices.scoring import SURE_WITH, Vote
from agent.packets.hints.records import SIGNALS_MAX, Signal

__all__ = ["ROLES", "ROLE_INDEX", "TIERS", "Evidence", "Identifier", "Identity", "Name", "is_random", "is_real_mac"]

CONCLUSIONS_MAX = 32  # in one turn of a second: 32 x 0.35 ms, with 64 facts no other device has, leave it its time
DEVICES_MAX = 4096  # as many as the device table has slots
NEARLY_FULL = 0.5  # of that room: who waits in it for a slot waits no longer than an interval
DROP_LOOKS_MAX = 64  # devices looked at when room is needed: the cost of a flood of new addresses is bounded
# Locally administered addresses come and go: they have their own, smaller room. Where more are there at once than it
# holds, each puts out another all day and is named anew: 700 phones and 512 places meant 2,400 births in a minute.
RANDOM_MAX = 1024
WAITING_MAX = 256  # cards that others spoke of before they sent a frame; the oldest is dropped
FACTS_MAX = 64  # of one device that vote
SIGNALS_SEEN_MAX = 192  # distinct signals of one device that are looked at at all
NAMES_MAX = 8
SERVICES_KEPT = 1024  # looked up: (direction, protocol, port, application); a ward uses some hundreds

_LOCAL_BIT, _GROUP_BIT = 1 << 41, 1 << 40
_BEHIND_A_GATEWAY = frozenset(
    {"link", "oui", "gateway", "mac"}
)  # families that speak of the box itself, not of what it forwards
_GATEWAY = Vote("gateway", "gateway", SPEAKS_FOR_OTHERS, is_token=True, roles={"network-gear": 3.0})
_PATIENT_DEPENDS = frozenset({"vital", "clinical"})  # tiers that forged frames must not take from a device
_ROUTER = Vote("gateway", "gateway", GIVEN_AS_ROUTER, is_token=True, roles={"network-gear": 1.6})
_RANDOM_ROLES = {"phone": 1.0, "tablet": 0.5, "office-workstation": 0.3}  # systems that hide their address on Wi-Fi
_RANDOM = Vote("mac", "mac", DRAWN, is_token=True, roles=_RANDOM_ROLES)
_NUMBERS: dict[str, Callable[[str, int], str]] = {"dhcp.client-id": lasting, "dhcpv6.duid": lasting_duid}  # of a host
_IMPLEMENTATION = "dicom.implementation"


def is_random(mac: int) -> bool:
    """Whether the address is locally administered: drawn at random or given by software: no maker behind it."""
    return bool(mac & _LOCAL_BIT) and is_real_mac(mac)


def is_real_mac(mac: int) -> bool:
    """A 48-bit station address; keyed hashes of addresses (bit 63) and group addresses are none."""
    return 0 < mac < 1 << 48 and not mac & _GROUP_BIT


class Identifier:
    """Gathers facts per device and concludes. `refused` counts devices and facts for which there was no room."""

    def __init__(self, packs: Packs, devices_max: int = DEVICES_MAX) -> None:
        self.packs = packs
        self.refused = 0
        self._devices_max = devices_max
        self._devices: dict[int, Known] = {}
        self._random: dict[int, Known] = {}
        self._changed: dict[int, None] = {}
        self._waiting: dict[int, list[Signal]] = {}
        self._facts = FactBook()
        self._hosts = Continuity()
        self._folding = Folding()
        self._folded: frozenset[int] = frozenset()  # that stand for addresses they had before
        self._service = lru_cache(maxsize=SERVICES_KEPT)(partial(service_vote, packs.services, self._facts))

    def see(self, mac: int, time_ns: int = 0) -> None:
        """A device exists; its maker alone may already name it."""
        self._device(mac, time_ns)

    def observe(self, mac: int, signal: Signal, time_ns: int) -> None:
        """One signal sent by `mac`; `subject_mac` goes first. One about the peer is ignored: see `observe_payload`."""
        subject = mac if signal.subject_mac is None else signal.subject_mac
        if signal.about_peer:
            return
        if subject == mac or self._known(subject):
            self._signal(subject, signal, time_ns)
        else:
            self._keep(subject, signal)

    def observe_payload(self, source: int, destination: int, signals: list[Signal], time_ns: int) -> None:
        """All signals of one payload, each given to the device it speaks of; group destinations get none."""
        for signal in signals:
            if not signal.about_peer:
                self.observe(source, signal, time_ns)
            elif self._known(destination):
                self._signal(destination, signal, time_ns)
            else:
                self._keep(destination, signal)

    def observe_edge(self, mac: int, direction: int, protocol: int, port: int, application: int) -> None:
        """The device offers (RESPONDS) or uses (ORIGINATES) a service. Give it answered edges, not attempts."""
        device, mac = self._device(mac, 0), int(mac)
        vote = self._service(direction, protocol, port, application)
        if device is not None and vote is not None:
            self._fact(mac, device, vote)

    def observe_gateway(self, mac: int) -> None:
        """The device speaks for addresses that are not its own: what its frames carry says nothing of itself."""
        device = self._device(mac, 0)
        if device is None or device.is_gateway:
            return
        device.is_gateway = True
        if TIERS[device.role] not in _PATIENT_DEPENDS:
            device.role, device.role_confidence = UNKNOWN, 0.0  # it was concluded from what the card only forwards
        device.names = {name: None for name in device.names if name.kind in {"lldp.name", "cdp.name"}}
        self._touch(int(mac), device)

    def observe_router(self, mac: int, *, relays: bool) -> None:
        """A DHCP server gave the device's address as the router; with `relays` it was heard to forward, too.

        A forged offer alone only speaks for the role: it must not silence what a device says of itself.
        """
        device = self._device(mac, 0)
        if relays:
            self.observe_gateway(mac)
        elif device is not None:
            self._fact(int(mac), device, _ROUTER)

    def assess(self, mac: int) -> Identity:
        """What the device is taken to be now; nothing is computed when nothing was heard since."""
        device = self._known(mac)
        if device is None:
            return self._conclude(self._new(int(mac), 0))
        return self._assessed(device)

    def posture(self, mac: int) -> Posture:
        """How the device stands: its system and support, versions, services of old, advisories about its kind."""
        device = self._known(mac)
        if device is None:
            return Posture()
        if device.posture is None:
            device.posture = posture_of(device, self._assessed(device), self.packs.posture)
        return device.posture

    def former(self, mac: int) -> int:
        """The card under which the device's host was known before; 0 when there is none."""
        device = self._known(mac)
        return 0 if device is None else device.former

    def changed(self, most: int = CONCLUSIONS_MAX) -> list[int]:
        """The devices whose identity is another than when this was last asked, among the `most` that waited longest.

        Evidence about more devices than that waits for the next call: a flood of names costs no more than this.
        """
        moved: list[int] = []
        for mac in list(itertools.islice(self._changed, most)):
            del self._changed[mac]
            device = self._known(mac)
            if device is None:
                continue
            now = self._assessed(device)
            shown = (now.role, round(now.confidence, 2), now.vendor, now.model, now.os, now.names, now.contradictions)
            if shown != device.reported:
                device.reported = shown
                moved.append(mac)
        return moved

    def recall(self, held: Remembered) -> bool:
        """A device that was known before the restart is known again; whether it was taken.

        The role it had counts while the packs of today still hear it in its facts.
        """
        mac = held.mac
        if self._known(mac) is not None or not is_real_mac(mac) or is_random(mac):
            return False
        if len(self._devices) >= self._devices_max:
            return False
        device = self._devices[mac] = self._new(mac, held.heard_s * NS_PER_S)
        device.is_gateway = held.is_gateway
        for kind, token in held.facts:
            self._again(mac, device, kind, token)
        ranking = self._facts.weigh(_votes(device)).ranking
        if held.role in ranking.families:
            device.role, device.role_confidence = held.role, min(held.confidence, SURE_WITH[-1])
        settle(device, ranking)
        self._touch(mac, device)
        return True

    def _again(self, mac: int, device: Known, kind: str, token: str) -> None:
        rule, service = self.packs.rule_of(kind, token), self.packs.services.get(token)
        if rule is not None:
            self._apply(mac, device, kind, family_of(kind), rule)
        elif service is not None and kind in {OFFERS, USES}:
            roles = service.offers if kind == OFFERS else service.uses
            self._fact(mac, device, self._facts.vote(kind, kind, token, roles))

    def remember(self) -> Iterator[tuple[int, Known]]:
        """Devices of which anything was heard, by card; drawn addresses and links without cards left out."""
        return ((mac, device) for mac, device in self._devices.items() if device.facts and is_real_mac(mac))

    def left(self, mac: int) -> None:
        """The device lost its slot: what only its card says is forgotten, what it said of itself is not said twice.

        The readers are given news only (see `packets.news`), so what was heard is kept as long as there is room.
        """
        device = self._known(mac)
        if device is not None and not device.seen and not device.facts:
            self.forget(mac)

    def folds(self, lived: Lived) -> list[Fold]:
        """Drawn addresses that are one host's, as far as they were heard one after the other; the last says so."""
        folds = [fold for fold in self._folding.folds(lived) if is_one_host(fold, self._known)]
        last = frozenset(fold.macs[-1] for fold in folds)
        for mac in last ^ self._folded:
            device = self._known(mac)
            if device is not None and mac in last:
                self._fact(mac, device, FOLDED)
            elif device is not None and device.facts.pop((FOLDED.signal, FOLDED.value), None) is not None:
                self._touch(mac, device)
        self._folded = last
        return folds

    def forget(self, mac: int) -> None:
        """All that is known of the device."""
        self._folding.forget(mac)
        self._devices.pop(mac, None)
        self._random.pop(mac, None)
        self._changed.pop(mac, None)

    def keep(self, present: Container[int]) -> None:
        """When the room is nearly full, forget whoever has no slot in the device table.

        A flood of names from invented cards is heard although the table has no place for them: without this the room
        would stay full of them, and nobody who comes later would be named.
        """
        if len(self._devices) >= self._devices_max * NEARLY_FULL:
            for mac in [mac for mac in self._devices if mac not in present]:
                self.forget(mac)

    def __len__(self) -> int:
        """How many devices are remembered."""
        return len(self._devices) + len(self._random)

    def _new(self, mac: int, time_ns: int) -> Known:
        """A device of which nothing is known but its address."""
        vendor = self.packs.vendor(mac) if is_real_mac(mac) else None
        if vendor is not None:
            return Known(vendor, self._facts.vote("oui", "oui", vendor.name, vendor.votes), time_ns)
        return Known(None, _RANDOM if is_random(mac) else None, time_ns)

    def _device(self, mac: int, time_ns: int) -> Known | None:
        """The device's memory. A full room drops an old device that said nothing, or else refuses the new one."""
        mac = int(mac)  # rows of the device table hold numpy's integers
        found = self._known(mac)
        if found is not None or mac <= 0 or (mac < 1 << 48 and mac & _GROUP_BIT):
            return found
        if is_random(mac):
            if len(self._random) >= RANDOM_MAX:
                self.forget(next(iter(self._random)))
            room = self._random
        elif len(self._devices) >= self._devices_max and not self._made_room():
            self.refused += 1
            return None
        else:
            room = self._devices
        device = room[mac] = self._new(mac, time_ns)
        self._touch(mac, device)
        # The maker is heard first: a quiet device is judged by it, and later evidence has to be as good.
        settle(device, self._facts.weigh(_votes(device)).ranking)
        for signal in self._waiting.pop(mac, ()):
            self._signal(mac, signal, time_ns)
        return device

    def _keep(self, mac: int, signal: Signal) -> None:
        """Hold what others say of a card until it sends a frame itself: forged ones never do, and take no room."""
        held = self._waiting.get(mac)
        if held is None:
            if len(self._waiting) >= WAITING_MAX:
                self._waiting.pop(next(iter(self._waiting)))
            held = self._waiting[int(mac)] = []
        if len(held) < SIGNALS_MAX and signal not in held:
            held.append(signal)

    def _made_room(self) -> bool:
        """Drop the oldest device of which only the maker is known: asked for again, its answer is the same."""
        for mac in islice(self._devices, DROP_LOOKS_MAX):
            if not self._devices[mac].seen and not self._devices[mac].facts:
                self.forget(mac)
                return True
        return False

    def _known(self, mac: int) -> Known | None:
        return self._devices.get(mac) or self._random.get(mac)

    def _touch(self, mac: int, device: Known) -> None:
        device.identity = device.posture = None
        self._changed[mac] = None

    def _signal(self, mac: int, signal: Signal, time_ns: int) -> None:
        """Take a signal in when it is new for the device."""
        device, mac = self._device(mac, time_ns), int(mac)
        key = (signal.kind, signal.value)
        if device is None or key in device.seen:
            return
        if len(device.seen) >= SIGNALS_SEEN_MAX:
            self.refused += 1
            return
        rule = self.packs.rule(signal.kind, signal.value)
        if rule is None and signal.kind in MANY_VALUES:
            return
        device.seen.add(key)
        device.posture = None
        family = family_of(signal.kind)
        if device.is_gateway and family not in _BEHIND_A_GATEWAY:
            return
        if signal.kind in NAME_KINDS and len(device.names) < NAMES_MAX:
            device.names[Name(signal.value, signal.kind)] = None
            self._touch(mac, device)
        if signal.kind == _IMPLEMENTATION and len(device.implementations) < NAMES_MAX:
            device.implementations[signal.value] = None
            self._touch(mac, device)
        if signal.kind in _NUMBERS:
            host = _NUMBERS[signal.kind](signal.value, mac)
            self._come_back(mac, device, self._hosts.claim(host, mac))
            self._fold(mac, host)
        elif signal.kind == LAST_SAID and is_random(mac):
            self._fold(mac, named_by_itself(device.seen))
        if rule is not None:
            self._apply(mac, device, signal.kind, family, rule)

    def _come_back(self, mac: int, device: Known, card: int) -> None:
        """A host that was known under another card keeps its role, as far as nothing else speaks against it."""
        former = self._known(card)
        vote = None if former is None else inherited(former.role)
        if vote is not None:
            device.former = card
            self._fact(mac, device, vote)

    def _fold(self, mac: int, host: str) -> None:
        """A card that a maker made is its own: only drawn addresses are joined."""
        if is_random(mac):
            self._folding.claim(host, mac)

    def _apply(self, mac: int, device: Known, kind: str, family: str, rule: Rule) -> None:
        """What a line of the pack says of the device that fits it."""
        if rule.vendor:
            device.makers.setdefault(rule.vendor, kind)
        if rule.model:
            device.models.setdefault(rule.model)
        if rule.os:
            device.systems.setdefault(rule.os, {})[kind] = None
        self._fact(mac, device, self._facts.vote(family, kind, rule.token, rule.votes))

    def _fact(self, mac: int, device: Known, vote: Vote) -> None:
        key = (vote.signal, vote.value)
        if key in device.facts:
            return
        if len(device.facts) >= FACTS_MAX:
            self.refused += 1
            return
        device.facts[key] = vote
        self._touch(mac, device)

    def _assessed(self, device: Known) -> Identity:
        if device.identity is None:
            device.identity = self._conclude(device)
        return device.identity

    def _conclude(self, device: Known) -> Identity:
        """Rank, keep or change the role, and write down why."""
        facts = self._facts.weigh(_votes(device))
        role, confidence = settle(device, facts.ranking)
        told = facts.told(role)
        return Identity(
            role=role,
            confidence=confidence,
            vendor=maker(device),
            model=next(iter(device.models), ""),
            os=system(device),
            names=tuple(device.names),
            evidence=told.evidence,
            contradictions=contradictions(device, facts.ranking.best, role, told.opposing),
        )


def _votes(device: Known) -> frozenset[Vote]:
    """The facts that count, with the card's maker and the kind of address."""
    card = () if device.card is None else (device.card,)
    if not device.is_gateway:
        return frozenset((*device.facts.values(), *card))
    kept = (vote for vote in device.facts.values() if vote.family in _BEHIND_A_GATEWAY)
    return frozenset((*kept, *card, _GATEWAY))
