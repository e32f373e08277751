"""Who the devices of the table are: joins the table's slots with what identity says of their MAC addresses."""

import numpy as np
import numpy.typing as npt

from agent.devices.evidence import Identity
from agent.devices.identity import Identifier
from agent.devices.records import DeviceFlag, EdgeGate, Rows
from agent.devices.roles import ROLE_INDEX, UNKNOWN
from agent.devices.table import DeviceTable
from agent.packets.hints.records import Signal

SEEN_SERVICES_MAX = 1 << 18  # (device, direction, protocol, port, application) tuples told once; cleared when full
LABEL_VENDOR_CHARS = 40


def mac_text(mac: int) -> str:
    """A MAC address as people write it; devices of a link without MACs are named by their keyed hash."""
    if mac >> 63:
        return f"address-{mac & 0xFFFFFFFF:08x}"
    return ":".join(f"{mac >> shift & 255:02x}" for shift in range(40, -1, -8))


class Ward:
    """The judge's and the summary's view of the devices (implements `findings.records.DeviceView`)."""

    def __init__(self, table: DeviceTable, identifier: Identifier) -> None:
        self._table, self._identifier = table, identifier
        slots = len(table.devices)
        self._roles = np.full(slots, ROLE_INDEX[UNKNOWN], np.int16)
        self._macs: dict[int, int] = {}  # slot -> MAC of its present owner
        self._slots: dict[int, int] = {}
        self._numbers: dict[int, int] = {}  # MAC -> device number of this run
        self._gateways = np.zeros(slots, np.bool_)
        self._told: set[int] = set()
        self._changed_macs: set[int] = set()

    def promote(self, slots: npt.NDArray[np.uint32]) -> None:
        """Devices that were seen often enough: give them a number, look up their maker, forget who had the slot."""
        for slot in map(int, slots):
            mac = self.mac(slot)
            before = self._macs.get(slot)
            if before is not None and before != mac:
                self._identifier.forget(before)
                self._slots.pop(before, None)
                self._gateways[slot] = False
                self._roles[slot] = ROLE_INDEX[UNKNOWN]
            self._macs[slot], self._slots[mac] = mac, slot
            self._numbers.setdefault(mac, len(self._numbers))
            self._identifier.see(mac, self.first_ns(slot))
            self._roles[slot] = ROLE_INDEX[self._identifier.assess(mac).role]  # what was heard before the promotion
            self._changed_macs.add(mac)

    def hear(self, source: int, destination: int, signals: list[Signal], time_ns: int) -> None:
        """Signals of one payload."""
        self._identifier.observe_payload(source, destination, signals, time_ns)

    def hear_edges(self, edges: Rows) -> None:
        """Services that were offered or used with an answer, each told once."""
        edges = edges[edges["gates"] & EdgeGate.ANSWERED != 0]
        if not len(edges):
            return
        codes = edges["device"].astype(np.uint64) << np.uint64(33) | edges["direction"].astype(np.uint64) << np.uint64(
            32
        )
        codes |= edges["protocol"].astype(np.uint64) << np.uint64(24) | edges["application"].astype(
            np.uint64
        ) << np.uint64(16)
        codes |= edges["port"].astype(np.uint64)
        unique, first = np.unique(codes, return_index=True)
        if len(self._told) > SEEN_SERVICES_MAX:
            self._told.clear()
        for code, index in zip(unique.tolist(), first.tolist(), strict=True):
            if code in self._told:
                continue
            self._told.add(code)
            edge = edges[index]
            self._identifier.observe_edge(
                self.mac(int(edge["device"])),
                int(edge["direction"]),
                int(edge["protocol"]),
                int(edge["port"]),
                int(edge["application"]),
            )

    def refresh(self) -> bool:
        """Take over what identity has concluded since the last turn; whether it concluded anything."""
        gateways = self._table.devices["flags"] & DeviceFlag.GATEWAY != 0
        for slot in np.flatnonzero(gateways & ~self._gateways):
            self._identifier.observe_gateway(self.mac(int(slot)))
        self._gateways = gateways
        changed = self._identifier.changed()
        for mac in changed:
            self._changed_macs.add(mac)
            held = self._slots.get(mac)
            if held is not None:
                self._roles[held] = ROLE_INDEX[self._identifier.assess(mac).role]
        return bool(changed)

    def take_changed(self) -> list[int]:
        """Slots of devices whose card is new or changed since the last call."""
        slots = sorted(self._slots[mac] for mac in self._changed_macs if mac in self._slots)
        self._changed_macs.clear()
        return slots

    def identity(self, slot: int) -> Identity:
        """What the device is taken to be."""
        return self._identifier.assess(self.mac(slot))

    def number(self, slot: int) -> int:
        """The device's number in this run's summaries; -1 before it is promoted."""
        return self._numbers.get(self.mac(slot), -1)

    def mac(self, slot: int) -> int:
        """Its MAC address."""
        return int(self._table.devices["mac"][slot])

    def role(self, slot: int) -> str:
        """Its role."""
        return self.identity(slot).role

    def confidence(self, slot: int) -> float:
        """How sure the role is."""
        return self.identity(slot).confidence

    def is_gateway(self, slot: int) -> bool:
        """Whether it speaks for addresses that are not its own."""
        return bool(self._gateways[slot])

    def first_ns(self, slot: int) -> int:
        """When it was first seen."""
        return int(self._table.devices["first_ns"][slot])

    def roles(self) -> npt.NDArray[np.int16]:
        """Role index of every slot."""
        return self._roles

    def label(self, slot: int) -> str:
        """How a sentence names it: role, MAC address and the maker where it is known."""
        identity = self.identity(slot)
        role = identity.role.replace("-", " ") if identity.role != UNKNOWN else "device"
        vendor = f" ({identity.vendor[:LABEL_VENDOR_CHARS]})" if identity.vendor else ""
        return f"{role} {mac_text(self.mac(slot))}{vendor}"
