"""Community ID v1: one flow, one text, in every tool that speaks it (corelight/community-id-spec)."""

import base64
import hashlib

SEED = b"\x00\x00"
ICMP, ICMPV6 = 1, 58
WITH_PORTS = frozenset({1, 6, 17, 58, 132})
# Requests and their answers; any other type has a code in the place of the second port and keeps its direction.
PAIRS = {
    ICMP: {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 10: 9, 9: 10},
    ICMPV6: {
        128: 129, 129: 128, 133: 134, 134: 133, 135: 136, 136: 135, 130: 131, 131: 130, 144: 145, 145: 144,
        139: 140, 140: 139,
    },
}  # fmt: skip


def community_id(protocol: int, source: bytes, destination: bytes, ports: tuple[int, int] | None) -> str:
    """The identifier of a flow. Addresses of 4 or 16 octets; ICMP gives (type, code) as ports; None: unknown."""
    one_way = False
    if ports is not None and protocol in PAIRS:
        kind, code = ports
        counterpart = PAIRS[protocol].get(kind)
        one_way = counterpart is None
        ports = (kind, code if counterpart is None else counterpart)
    if not one_way and (source, ports or (0, 0)) > (destination, ports[::-1] if ports else (0, 0)):
        source, destination = destination, source
        ports = ports[::-1] if ports else None
    data = SEED + source + destination + bytes([protocol, 0])
    if ports is not None and protocol in WITH_PORTS:
        data += ports[0].to_bytes(2, "big") + ports[1].to_bytes(2, "big")
    return "1:" + base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()
