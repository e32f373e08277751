"""Discovery in text: SSDP (UPnP device architecture) and WS-Discovery (SOAP over UDP)."""

SSDP_PORT, SSDP_GROUP = 1900, "239.255.255.250"
WSD_PORT = 3702
_SOAP = (
    '<?xml version="1.0" encoding="UTF-8"?><s12:Envelope xmlns:s12="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:wsa="http://www.w3.org/2005/08/addressing" '
    'xmlns:wsd="http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01" '
    'xmlns:dpws="http://docs.oasis-open.org/ws-dd/ns/dpws/2009/01" '
    'xmlns:mdpws="http://standards.ieee.org/downloads/11073/11073-20702-2016"><s12:Header>'
    "<wsa:Action>http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/{action}</wsa:Action>"
    "<wsa:MessageID>urn:uuid:{message}</wsa:MessageID></s12:Header><s12:Body>{body}</s12:Body></s12:Envelope>"
)


def notify(location: str, kind: str, server: str) -> bytes:
    """NOTIFY ssdp:alive."""
    lines = [
        "NOTIFY * HTTP/1.1", f"HOST: {SSDP_GROUP}:{SSDP_PORT}", "CACHE-CONTROL: max-age=1800", f"LOCATION: {location}",
        f"NT: {kind}", "NTS: ssdp:alive", f"SERVER: {server}",
        f"USN: uuid:6f1d3c52-0000-4000-8000-00408c000001::{kind}", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def search(kind: str = "ssdp:all") -> bytes:
    """M-SEARCH."""
    lines = [
        "M-SEARCH * HTTP/1.1",
        f"HOST: {SSDP_GROUP}:{SSDP_PORT}",
        'MAN: "ssdp:discover"',
        "MX: 2",
        f"ST: {kind}",
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


def _endpoint(device: str, address: str) -> str:
    return (
        f"<wsa:EndpointReference><wsa:Address>urn:uuid:{device}</wsa:Address></wsa:EndpointReference>"
        f"<wsd:Types>dpws:Device mdpws:MedicalDevice</wsd:Types><wsd:XAddrs>{address}</wsd:XAddrs>"
        "<wsd:MetadataVersion>1</wsd:MetadataVersion>"
    )


def hello(message: str, device: str, address: str) -> bytes:
    """WS-Discovery Hello of an IEEE 11073 SDC device."""
    return _SOAP.format(
        action="Hello", message=message, body=f"<wsd:Hello>{_endpoint(device, address)}</wsd:Hello>"
    ).encode()


def probe(message: str) -> bytes:
    """WS-Discovery Probe for medical devices."""
    body = "<wsd:Probe><wsd:Types>dpws:Device mdpws:MedicalDevice</wsd:Types></wsd:Probe>"
    return _SOAP.format(action="Probe", message=message, body=body).encode()


def probe_match(message: str, device: str, address: str) -> bytes:
    """WS-Discovery ProbeMatches."""
    match = f"<wsd:ProbeMatches><wsd:ProbeMatch>{_endpoint(device, address)}</wsd:ProbeMatch></wsd:ProbeMatches>"
    return _SOAP.format(action="ProbeMatches", message=message, body=match).encode()
