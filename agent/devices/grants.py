"""What a DHCP server's message gives, out of the signals that the reader found in it."""

from agent.devices.records import Grant
from agent.packets.hints.records import Signal

_KINDS = ("dhcp.server", "dhcp.router", "dhcp.dns")


def grant_of(source: int, signals: list[Signal], time_ns: int) -> Grant | None:
    """The grant of one payload from the MAC `source`; None for anything that gives no address."""
    if not signals or signals[0].kind != "dhcp.message":
        return None
    lease = next((signal for signal in signals if signal.kind == "dhcp.lease"), None)
    if lease is None or lease.subject_mac is None:
        return None
    bound = [(signal.kind, int.from_bytes(signal.address, "big")) for signal in signals if len(signal.address) == 4]
    told = dict(reversed(bound))  # of several the first counts
    resolvers = tuple(address for kind, address in bound if kind == "dhcp.dns")
    identifier, router, dns = (told.get(kind, 0) for kind in _KINDS)
    address = told.get("dhcp.lease", 0)
    return Grant(time_ns, source, lease.subject_mac, lease.value, address, identifier, router, dns, resolvers)
