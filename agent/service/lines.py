"""The stable interface of `wardtap replay --json`: one object per line, each with a `type`."""

import json
from typing import Any

from agent.clock import NS_PER_S
from agent.devices.evidence import Identity
from agent.devices.records import Posture
from agent.devices.statistics import told
from agent.devices.table import DeviceTable, address_text
from agent.devices.view import Ward, mac_text
from agent.findings.records import Finding
from agent.flows.community import community_id
from agent.flows.records import Direction
from agent.packets.ports import ICMP, ICMPV6, application_of
from agent.packets.records import PacketFlag, application_name
from agent.summaries.builder import address_octets
from agent.summaries.privacy import Pseudonyms

PORTS = int(PacketFlag.PORTS)


def line(kind: str, **fields: Any) -> str:
    """One JSON line."""
    return json.dumps({"type": kind, **fields}, ensure_ascii=False, separators=(",", ":"))


def seconds(time_ns: int) -> float:
    """Seconds since 1970, to the microsecond."""
    return round(time_ns / NS_PER_S, 6)


def mac_or_none(mac: int) -> str | None:
    """A MAC address; None where the link has none."""
    return None if mac >> 63 or mac == 0 else mac_text(mac)


def names_told(identity: Identity, pseudonyms: Pseudonyms, *, plain_names: bool) -> list[str]:
    """A device's names through the gate, or plain to the person with the capture."""
    return [name.value if plain_names else pseudonyms.name(name.value) for name in identity.names]


def posture_told(posture: Posture) -> dict[str, Any]:
    """How a device stands: words of the packs and of the readers' own lists."""
    return posture._asdict() | {
        "advisories": [advisory._asdict() for advisory in posture.advisories],
        "default_logins": [login._asdict() for login in posture.default_logins],
    }


def device_line(table: DeviceTable, slot: int, ward: Ward, pseudonyms: Pseudonyms, *, plain_names: bool) -> str:
    """A device as the tap knows it at the end of the replay."""
    device, identity = table.devices[slot], ward.identity(slot)
    evidence = [pseudonyms.evidence(item) for item in identity.evidence]
    word = pseudonyms.word
    return line(
        "device",
        mac=mac_or_none(int(device["mac"])),
        ips=[
            address_text(int(device["address_hi"][i]), int(device["address_lo"][i]))
            for i in range(int(device["address_count"]))
        ],
        vlan=int(device["vlan"]) or None,
        vendor=word(identity.vendor) or None,
        role=word(identity.role),
        confidence=round(identity.confidence, 3),
        model=word(identity.model) or None,
        os=word(identity.os) or None,
        names=names_told(identity, pseudonyms, plain_names=plain_names),
        evidence=[{"signal": signal, "value": value, "weight": round(weight, 3)} for signal, value, weight in evidence],
        contradictions=list(identity.contradictions),
        posture=posture_told(ward.posture(slot)),
        formerly=mac_or_none(ward.former(slot)),
        one_with=[mac_or_none(mac) for mac in ward.addresses_before(slot)],
        first=seconds(int(device["first_ns"])),
        last=seconds(int(device["last_ns"])),
        packets=int(device["tx_packets"]),
        octets=int(device["tx_octets"]),
        stats=told(device, table.stats[slot]),
    )


def _ends(flow: Any) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """((hi, lo, port) of the originator, the same of the responder)."""
    ports = int(flow["key_ports"])
    low = (int(flow["key_lo_hi"]), int(flow["key_lo_lo"]), ports >> 48)
    high = (int(flow["key_hi_hi"]), int(flow["key_hi_lo"]), ports >> 32 & 0xFFFF)
    return (high, low) if flow["originator_is_hi"] else (low, high)


def responder_address(flow: Any) -> bytes:
    """The responder's address of a biflow record, 4 or 16 octets."""
    return address_octets(*_ends(flow)[1][:2])


def flow_line(flow: Any, responder_name: str = "") -> str:
    """A biflow record that ended. `responder_name`: as it may leave, or empty."""
    originator, responder = _ends(flow)
    protocol = int(flow["key_ports"]) & 0xFF
    source, destination = originator[2], responder[2]
    if protocol in (ICMP, ICMPV6):
        source, destination = destination >> 8, destination & 0xFF  # type and code, as flow tools write them
    identifier = community_id(
        protocol,
        address_octets(*originator[:2]),
        address_octets(*responder[:2]),
        (source, destination) if flow["flags"] & PORTS else None,  # a later fragment, or cut before them
    )
    return line(
        "flow",
        community_id=identifier,
        vlan=int(flow["key_ports"]) >> 20 & 0xFFF or None,
        vlan_inner=int(flow["key_ports"]) >> 8 & 0xFFF or None,
        protocol=protocol,
        application=application_name(application_of(protocol, destination, int(flow["application"]))),
        originator=address_text(*originator[:2]),
        originator_port=source,
        responder=address_text(*responder[:2]),
        responder_port=destination,
        responder_name=responder_name or None,
        originator_mac=mac_or_none(int(flow["originator_mac"])),
        responder_mac=mac_or_none(int(flow["responder_mac"])),
        forward_packets=int(flow["forward_packets"]),
        forward_octets=int(flow["forward_octets"]),
        reverse_packets=int(flow["reverse_packets"]),
        reverse_octets=int(flow["reverse_octets"]),
        first=seconds(int(flow["first_ns"])),
        last=seconds(int(flow["last_ns"])),
        end_reason=int(flow["end_reason"]),
        tcp_flags_forward=int(flow["tcp_flags_forward"]),
        tcp_flags_reverse=int(flow["tcp_flags_reverse"]),
        originator_by=Direction(int(flow["direction"])).name.lower().replace("_", "-"),
        one_sided=not flow["forward_packets"] or not flow["reverse_packets"],
        forward_resent_octets=int(flow["forward_resent"]),
        reverse_resent_octets=int(flow["reverse_resent"]),
        rtt_responder_us=int(flow["rtt_responder_us"]) or None,
        rtt_originator_us=int(flow["rtt_originator_us"]) or None,
    )


def finding_line(finding: Finding) -> str:
    """A finding, when it was judged."""
    return line(
        "finding",
        id=finding.id,
        severity=str(finding.severity),
        mac=mac_or_none(finding.mac),
        role=finding.role,
        tier=finding.tier,
        time=seconds(finding.time_ns),
        first=seconds(finding.first_ns),
        last=seconds(finding.last_ns),
        count=finding.count,
        sentence=finding.sentence,
        evidence=[{"name": name, "value": value} for name, value in finding.evidence],
        attack=list(finding.attack),
        expected=finding.expected,
        next_step=finding.next_step,
        cause=finding.cause,
    )
