"""Leaves here: signals, at most 16 from one payload, from total readers that look at allow-listed fields only."""

from agent.packets.hints import (
    bacnet,
    capsule,
    cdp,
    dhcp,
    dhcpv6,
    dicom,
    dns,
    hl7,
    http,
    lldp,
    llmnr,
    mdns,
    netbios,
    smb,
    ssdp,
    ssh,
    tls,
    ws_discovery,
)
from agent.packets.hints.records import Reader
from agent.packets.records import HintKind

READERS: dict[HintKind, Reader] = {
    HintKind.DHCP: dhcp.read,
    HintKind.MDNS: mdns.read,
    HintKind.DICOM: dicom.read,
    HintKind.HL7: hl7.read,
    HintKind.SSDP: ssdp.read,
    HintKind.WS_DISCOVERY: ws_discovery.read,
    HintKind.LLDP: lldp.read,
    HintKind.CDP: cdp.read,
    HintKind.NETBIOS: netbios.read,
    HintKind.HTTP_REQUEST: http.read_request,
    HintKind.HTTP_RESPONSE: http.read_response,
    HintKind.TLS_CLIENT: tls.read,
    HintKind.SSH: ssh.read,
    HintKind.SMB: smb.read,
    HintKind.DNS_QUERY: dns.read_query,
    HintKind.DNS_ANSWER: dns.read_answer,
    HintKind.DHCPV6: dhcpv6.read,
    HintKind.BACNET: bacnet.read,
    HintKind.CAPSULE: capsule.read,
    HintKind.LLMNR: llmnr.read,
}
