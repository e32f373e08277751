"""The device table's slow twin: what each MAC address sent and received, from decoded rows.

Decisions where records.py leaves room: METERED and LINK rows count, ignored ones do not. Octets are wire octets.
A frame to a group address is received by nobody, and counts as group traffic of its sender. Address zero is no device,
neither as source nor as destination. A row without MACs counts for its addresses, as keys `(hi, lo)`; without
addresses for nobody. Whether enough was seen to promote an address to a device is not asked here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.devices.records import DeviceFlag
from agent.packets.records import PacketFlag, Verdict

Row = Mapping[str, int]
Name = int | tuple[int, int]
ARP, ARP_REQUEST = 0x0806, 1
GROUP, LOCAL = 1 << 40, 1 << 41  # I/G and U/L bits of the first octet (IEEE 802)


@dataclass(slots=True)
class Device:
    """Totals of one device."""

    first_ns: int
    last_ns: int
    tx_packets: int = 0
    rx_packets: int = 0
    tx_octets: int = 0
    rx_octets: int = 0
    group_packets: int = 0
    arp_requests: int = 0
    flags: int = 0


def _flags(mac: int) -> int:
    if mac & GROUP:
        return DeviceFlag.GROUP_SOURCE
    return DeviceFlag.RANDOM_MAC if mac & LOCAL else 0


def _names(row: Row) -> tuple[Name, Name, bool]:
    """Source, destination (0 for nobody), and whether the frame went to a group."""
    group = bool(row["flags"] & (PacketFlag.BROADCAST | PacketFlag.MULTICAST))
    if row["flags"] & PacketFlag.NO_MAC:
        source, target = (row["src_hi"], row["src_lo"]), (row["dst_hi"], row["dst_lo"])
        return source if any(source) else 0, 0 if group or not any(target) else target, group
    return row["src_mac"], 0 if group else row["dst_mac"], group


def devices(rows: Iterable[Row]) -> dict[Name, Device]:
    """Totals by MAC address."""
    table: dict[Name, Device] = {}
    for row in rows:
        if row["verdict"] not in {Verdict.METERED, Verdict.LINK}:
            continue
        source, target, group = _names(row)
        for name in {source, target} - {0}:
            device = table.setdefault(name, Device(row["time_ns"], row["time_ns"]))
            device.first_ns, device.last_ns = min(device.first_ns, row["time_ns"]), max(device.last_ns, row["time_ns"])
        if source:
            device = table[source]
            device.tx_packets += 1
            device.tx_octets += row["wire_octets"]
            device.group_packets += group
            device.arp_requests += row["ethertype"] == ARP and row["dst_port"] == ARP_REQUEST
            device.flags |= _flags(source) if isinstance(source, int) else DeviceFlag.NO_MAC
        if target:
            table[target].rx_packets += 1
            table[target].rx_octets += row["wire_octets"]
    return table
