"""Who the devices of the table are: joins the table's slots with what identity says of their MAC addresses."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from agent.clock import NS_PER_S
from agent.devices.evidence import Identity
from agent.devices.grants import grant_of
from agent.devices.identity import Identifier, is_real_mac
from agent.devices.kernels import ARPS
from agent.devices.kernels_services import SERVICES_MAX, TCP_ROW, UDP_ROW, fresh_services
from agent.devices.memory import DEVICES_MAX as REMEMBERED_MAX
from agent.devices.memory import FACTS_MAX, KEPT_S, Remembered
from agent.devices.names import DNS_ANSWER, NameBook
from agent.devices.records import ADDRESSES_MAX, DeviceFlag, Grant, Posture, Remark, Rows
from agent.devices.remarks import remark_of
from agent.devices.roles import ROLE_INDEX, ROLES, UNKNOWN
from agent.devices.sightings import Sightings
from agent.devices.table import DeviceTable
from agent.packets.hints.records import Signal
from agent.packets.records import Application, application_name

LABEL_VENDOR_CHARS = 40
V4_MAPPED = 0xFFFF  # an IPv4 address in an address's lower half (RFC 4291 section 2.5.5.2)
SMB1_MAX = 4096
ROUTERS_MAX = 16  # addresses that DHCP servers gave as routers: a segment has one or two
NOT_HEARD = Posture()
HOBBY_BOARD = "hobby-board"  # a maker's kind in the pack
GRANTS_MAX = 256  # of one turn: a ward renews a few leases a minute
REMARKS_MAX = 4096  # of one turn, a minute at most: a ward asks for some hundreds of new names in it


def mac_text(mac: int) -> str:
    """A MAC address as people write it; devices of a link without MACs are named by their keyed hash."""
    if mac >> 63:
        return f"address-{mac & 0xFFFFFFFF:08x}"
    return ":".join(f"{mac >> shift & 255:02x}" for shift in range(40, -1, -8))


def _service_numbers(services: Iterable[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """(service number by transport and port, by application): 0 for what no pack knows."""
    ports, applications = np.zeros((3, 1 << 16), np.uint8), np.zeros(256, np.uint8)
    by_name = {application_name(number): number for number in Application}
    for number, name in enumerate(sorted(services)[: SERVICES_MAX - 1], start=1):
        transport, _, port = name.partition("/")
        if port.isdigit():
            ports[{"tcp": TCP_ROW, "udp": UDP_ROW}[transport], int(port)] = number
        elif name in by_name:
            applications[by_name[name]] = number
    return ports, applications


class Ward:
    """The judge's and the summary's view of the devices (implements `findings.records.DeviceView`)."""

    def __init__(self, table: DeviceTable, identifier: Identifier) -> None:
        self._table, self._identifier = table, identifier
        self.names = NameBook()
        self.hints_read = self.hints_silent = 0  # payloads, and those of which a reader could not say anything
        self._macs_now, self._first_now = table.devices["mac"], table.devices["first_ns"]  # views: they change with it
        self._last_now = table.devices["last_ns"]
        slots = len(table.devices)
        self._roles = np.full(slots, ROLE_INDEX[UNKNOWN], np.int16)
        self._confidences = np.zeros(slots)
        self._macs: dict[int, int] = {}  # slot -> MAC of its present owner
        self._slots: dict[int, int] = {}
        self._numbers: dict[int, int] = {}  # MAC of a slot's owner -> device number of this run; never given twice
        self._next_number = 0
        self._gateways = np.zeros(slots, np.bool_)
        self._gateways_looked = 0  # `gateways_changed` as of then
        self._services, self._applications = _service_numbers(identifier.packs.services)
        self._told = np.zeros((slots, 2, SERVICES_MAX // 8), np.uint8)  # a bit each
        self._changed_macs: set[int] = set()
        self._stood: dict[int, Posture] = {}  # how the owner of a slot stood when its card was told last
        self._recalled: dict[int, int] = {}  # MAC known before a restart -> second in which it was heard last, then
        self._untold: set[int] = set()  # MACs whose number no summary has told yet
        self._stands_for: dict[int, int] = {}  # drawn address -> the one its host has now
        self._shares: dict[int, int] = {}  # drawn address -> the address whose number it goes on with
        self._grants: list[Grant] = []
        self._routers: dict[tuple[int, int], None] = {}  # (IPv4 address given as router, MAC that gave it)
        self._arps_looked = -1
        self.sightings = Sightings()
        self._remarks: list[Remark] = []
        self._smb1: dict[int, None] = {}  # MACs that sent an SMB1 message
        self._boards = np.zeros(slots, np.bool_)

    def promote(self, slots: npt.NDArray[np.uint32]) -> None:
        """Devices that were seen often enough: give them a number, look up their maker, forget who had the slot."""
        for slot in map(int, slots):
            mac = self.mac(slot)
            before = self._macs.get(slot)
            if before is not None and before != mac:
                self._identifier.left(before)
                self._slots.pop(before, None)
                self._stood.pop(before, None)
                self._untold.discard(before)
                self._shares.pop(before, None)
                self._numbers.pop(before, None)  # a flood of invented cards would fill a book that forgets none
                self._gateways[slot] = False
                self._gateways_looked = -1  # it may be one of old, that was flagged with its first frame
                self._roles[slot] = ROLE_INDEX[UNKNOWN]
                self._told[slot] = 0
            self._macs[slot], self._slots[mac] = mac, slot
            maker = self._identifier.packs.vendor(mac) if is_real_mac(mac) else None
            self._boards[slot] = maker is not None and maker.kind == HOBBY_BOARD
            if mac not in self._numbers:
                self._number(mac)
            self._identifier.see(mac, self.first_ns(slot))
            self._conclude(slot, mac)  # what was heard before the promotion
            self._changed_macs.add(mac)

    def _number(self, mac: int) -> None:
        """A number that nobody had."""
        self._numbers[mac] = self._next_number
        self._next_number += 1
        self._untold.add(mac)

    def fold(self) -> dict[int, int]:
        """Drawn addresses that one host had before, each with the address it has now. Up to date when it is called.

        The address it has now goes on with the number of the first, unless a summary has told another one already.
        """
        before, self._stands_for = self._stands_for, {}
        for fold in self._identifier.folds(self._lived):
            last = fold.macs[-1]
            self._stands_for |= dict.fromkeys(fold.macs[:-1], last)
            if last in self._untold and last not in self._shares:
                self._shares[last] = fold.macs[-2]
                self._numbers[last] = self._numbers[fold.macs[-2]]
        self._changed_macs.update(mac for old, mac in self._stands_for.items() if before.get(old) != mac)
        for mac, former in list(self._shares.items()):
            if former not in self._slots:
                del self._shares[mac]  # it has the number alone now
            elif self._now(former) != self._now(mac):
                self._part(mac)
        return self._stands_for

    def _now(self, mac: int) -> int:
        """The address that its host has now."""
        return self._stands_for.get(mac, mac)

    def _part(self, mac: int) -> None:
        """Two after all: one of them gets a number of its own."""
        del self._shares[mac]
        self._number(mac)
        self._changed_macs.add(mac)

    def _is_told_by(self, mac: int) -> bool:
        """Whether another address of its host has its number: that one's card tells of both."""
        return mac in self._stands_for and self._numbers[mac] == self._numbers[self._now(mac)]

    def _lived(self, mac: int) -> tuple[int, int] | None:
        slot = self._slots.get(mac)
        return None if slot is None else (int(self._first_now[slot]), int(self._last_now[slot]))

    def _conclude(self, slot: int, mac: int) -> None:
        identity = self._identifier.assess(mac)
        self._roles[slot], self._confidences[slot] = ROLE_INDEX[identity.role], identity.confidence

    def hear(self, source: int, destination: int, signals: list[Signal], time_ns: int) -> None:
        """Signals of one payload. A DNS answer speaks of who was asked for, not of the server that gave it."""
        self.hints_read += 1
        self.hints_silent += not signals
        for signal in signals:
            if signal.address:
                self.names.learn(source, signal, time_ns)
        said = [signal for signal in signals if signal.kind != DNS_ANSWER]
        self._identifier.observe_payload(source, destination, said, time_ns)
        if any(signal.kind == "smb.dialect" and signal.value == "1" for signal in signals):
            self._smb1[source] = None
            if len(self._smb1) > SMB1_MAX:
                del self._smb1[next(iter(self._smb1))]
        grant = grant_of(source, signals, time_ns)
        if grant is not None and len(self._grants) < GRANTS_MAX:
            self._grants.append(grant)
        if grant is not None and grant.router and len(self._routers) < ROUTERS_MAX:
            self._routers[grant.router, grant.server] = None
        remark = remark_of(source, destination, signals, time_ns)
        if remark is not None and len(self._remarks) < REMARKS_MAX:
            self._remarks.append(remark)

    def recall(self, devices: Iterable[Remembered], now_s: int) -> int:
        """Devices that were known before a restart are known again; how many. What was heard too long ago is not."""
        gateways = []
        for held in devices:
            if now_s - held.heard_s <= KEPT_S and self._identifier.recall(held):
                self._recalled[held.mac] = held.heard_s
                gateways += [held.mac] * held.is_gateway
        self._table.expect_gateways(gateways)
        return len(self._recalled)

    def remember(self, now_s: int) -> list[Remembered]:
        """What outlives a restart, of devices that are here or were known before and may come back."""
        kept = []
        for mac, device in self._identifier.remember():
            lived = self._lived(mac)
            heard_s = lived[1] // NS_PER_S if lived else self._recalled.get(mac, 0)
            if now_s - heard_s <= KEPT_S:
                facts = tuple(key for key, vote in device.facts.items() if vote.is_token)[:FACTS_MAX]
                role, sure = device.role, device.role_confidence
                kept.append(Remembered(mac, heard_s, role, sure, device.is_gateway, facts))
        return kept[:REMEMBERED_MAX]

    def take_grants(self) -> list[Grant]:
        """What DHCP servers gave since the last call, in the order heard; a flood's rest is left out."""
        grants, self._grants = self._grants, []
        return grants

    def take_remarks(self) -> list[Remark]:
        """What was asked, called and sent by name since the last call; a flood's rest is left out."""
        remarks, self._remarks = self._remarks, []
        return remarks

    def hear_edges(self, edges: Rows) -> None:
        """Services that were offered or used with an answer, each told once for each device and direction."""
        fresh = np.empty((2, edges.shape[0]), np.uint32)
        count = fresh_services(edges, self._services, self._applications, self._told.reshape(-1), fresh)
        if not count:
            return
        places, flags = fresh[:, :count]
        chosen = places[np.argsort(flags)].astype(np.intp)  # by device, direction and service: no table's order
        macs = self._macs_now[edges["device"][chosen]].tolist()
        columns = (edges[name][chosen].tolist() for name in ("direction", "protocol", "port", "application"))
        for mac, direction, protocol, port, application in zip(macs, *columns, strict=True):
            self._identifier.observe_edge(mac, direction, protocol, port, application)

    def refresh(self) -> bool:
        """Take over what identity has concluded since the last turn; whether it concluded anything."""
        self._find_gateways()
        self._find_routers()
        changed = self._identifier.changed()
        for mac in changed:
            self._changed_macs.add(mac)
            held = self._slots.get(mac)
            if held is not None:
                self._conclude(held, mac)
        return bool(changed)

    def _find_gateways(self) -> None:
        """Looked for when there is one more: the flags of all devices lie far apart."""
        changed = self._table.gateways_changed()
        if changed == self._gateways_looked:
            return
        self._gateways_looked = changed
        gateways = self._table.devices["flags"] & DeviceFlag.GATEWAY != 0
        for slot in np.flatnonzero(gateways & ~self._gateways):
            self._identifier.observe_gateway(self.mac(int(slot)))
        self._gateways = gateways

    def _find_routers(self) -> None:
        """Cards that claim by ARP an address that another card's DHCP server gave as the router (RFC 2132 section 3.5).

        On its own word a card is none: that is what a rogue server says.
        """
        arps = self.arps()
        if not self._routers or arps == self._arps_looked:
            return
        self._arps_looked = arps
        claims, given = self.claims(), np.array([address for address, _ in self._routers], np.uint64)
        for slot in np.flatnonzero(np.isin(claims, given).any(axis=1)):
            device, claimed = self._table.devices[slot], set(claims[slot].tolist())
            if not any(address in claimed and server != device["mac"] for address, server in self._routers):
                continue
            own = [lo for hi, lo in self._table.addresses(int(slot)) if not hi and lo >> 32 == V4_MAPPED]
            relays = len(own) > int(device["claimed"]).bit_count()
            self._identifier.observe_router(self.mac(int(slot)), relays=relays)

    def take_changed(self) -> list[int]:
        """Slots of devices whose card is new or changed since the last call, how they stand included."""
        self.fold()
        for mac in self._slots:
            stands = self._identifier.posture(mac)
            if stands != self._stood.get(mac, NOT_HEARD):
                self._stood[mac] = stands
                self._changed_macs.add(mac)
        self._untold -= self._changed_macs
        slots = sorted(
            self._slots[mac] for mac in self._changed_macs if mac in self._slots and not self._is_told_by(mac)
        )
        self._changed_macs.clear()
        self._identifier.keep(self._slots)
        return slots

    def identity(self, slot: int) -> Identity:
        """What the device is taken to be."""
        return self._identifier.assess(self.mac(slot))

    def posture(self, slot: int) -> Posture:
        """How it stands: system and support, versions, services of old, advisories."""
        return self._identifier.posture(self.mac(slot))

    def former(self, slot: int) -> int:
        """The MAC address under which its host was known before; 0 when there is none."""
        return self._identifier.former(self.mac(slot))

    def addresses_before(self, slot: int) -> list[int]:
        """The MAC addresses that its host had drawn before this one, as of the last `fold`."""
        mac = self.mac(slot)
        return [before for before, now in self._stands_for.items() if now == mac]

    def number(self, slot: int) -> int:
        """The device's number in this run's summaries; -1 before it is promoted."""
        return self._numbers.get(self.mac(slot), -1)

    def mac(self, slot: int) -> int:
        """Its MAC address."""
        return int(self._macs_now[slot])

    def role(self, slot: int) -> str:
        """Its role, as of the last `refresh`: asking concludes nothing anew."""
        return ROLES[int(self._roles[slot])]

    def confidence(self, slot: int) -> float:
        """How sure the role is, as of the last `refresh`."""
        return float(self._confidences[slot])

    def is_gateway(self, slot: int) -> bool:
        """Whether it speaks for addresses that are not its own."""
        return bool(self._gateways[slot])

    def first_ns(self, slot: int) -> int:
        """When it was first seen."""
        return int(self._first_now[slot])

    def lasts_ns(self) -> npt.NDArray[np.int64]:
        """When each slot's device was last heard."""
        return self._last_now

    def confidences(self) -> npt.NDArray[np.float64]:
        """How sure the role of each slot is."""
        return self._confidences

    def gateways(self) -> npt.NDArray[np.bool_]:
        """Which slots speak for addresses that are not their own."""
        return self._gateways

    def macs(self) -> npt.NDArray[np.uint64]:
        """MAC address of every slot, 0 where there is none."""
        return self._macs_now

    def claims(self) -> npt.NDArray[np.uint64]:
        """By slot: IPv4 addresses that it claimed by ARP, in the order they came, 0 where it did not."""
        devices = self._table.devices
        bits = devices["claimed"][:, None] >> np.arange(ADDRESSES_MAX, dtype=np.uint8) & 1
        claimed: npt.NDArray[np.uint64] = devices["address_lo"] * bits.astype(np.uint64)
        return claimed & np.uint64(0xFFFFFFFF)

    def speaks_smb1(self, slot: int) -> bool:
        """Whether it was heard to speak SMB1 itself."""
        return self.mac(slot) in self._smb1

    def hobby_boards(self) -> npt.NDArray[np.bool_]:
        """Which slots' cards are a hobby board's."""
        return self._boards

    def contradictions(self, slot: int) -> tuple[str, ...]:
        """What does not fit together, in pack words."""
        return self.identity(slot).contradictions

    def arps(self) -> int:
        """ARP messages heard so far: while there are no more, nothing new was claimed."""
        return int(self._table.counts[ARPS])

    def roles(self) -> npt.NDArray[np.int16]:
        """Role index of every slot."""
        return self._roles

    def label(self, slot: int) -> str:
        """How a sentence names it: role, MAC address and the maker where it is known."""
        identity = self.identity(slot)
        role = self.role(slot).replace("-", " ") if self.role(slot) != UNKNOWN else "device"
        vendor = f" ({identity.vendor[:LABEL_VENDOR_CHARS]})" if identity.vendor else ""
        return f"{role} {mac_text(self.mac(slot))}{vendor}"
