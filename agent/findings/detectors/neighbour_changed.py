"""neighbour-changed: an IPv6 address that one card has is claimed by another one, by neighbour discovery.

As for ARP: not a finding when the old holder is silent, or either card is shared by design (VRRP, HSRP, GLBP). A proxy
that answers with the owner's card claims nothing.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple

from agent.devices.records import Sighting
from agent.findings.case import Case, Told
from agent.findings.detectors.arp_bindings import ADDRESSES_MIN, ALIVE_NS, IMPORTANT, is_virtual
from agent.findings.draft import Draft, Group, Subject
from agent.findings.paths import Move
from agent.findings.records import Severity
from agent.findings.words import address_text, is_made_of, mac_text, time_text

SAYS: Final = "nd.says"
ROUTER: Final = "nd.router"
BINDINGS_MAX: Final = 8192
A_TURN_MAX: Final = 256
EXPECTED: Final = "An IPv6 address belongs to one card; a device that gets another card gets another address with it."
_LOWER: Final = 0xFFFF_FFFF_FFFF_FFFF


class _Holder(NamedTuple):
    """Who has an address."""

    mac: int
    since_ns: int
    routes: bool


class NeighbourChanges:
    """Remembers which card claimed which address."""

    def __init__(self) -> None:
        self._holders: OrderedDict[int, _Holder] = OrderedDict()
        self.moves: list[Move] = []  # of this turn

    def judge(self, case: Case) -> Iterator[Draft]:
        """Claims of the turn. An advertisement of a router names one too; that it is false is rogue-router's to say."""
        self.moves.clear()
        for sighting in case.sighted(SAYS, ROUTER)[:A_TURN_MAX]:
            routes = sighting.kind == ROUTER or sighting.word == "router"
            address = sighting.sender if sighting.kind == ROUTER else sighting.address
            mac = sighting.subject or sighting.source
            holder = self._holders.get(address)
            if not address or (holder is not None and holder.mac != mac and sighting.kind == ROUTER):
                continue
            routes |= holder is not None and holder.routes and holder.mac == mac
            since_ns = holder.since_ns if holder is not None and holder.mac == mac else sighting.time_ns
            self._holders[address] = _Holder(mac, since_ns, routes)
            self._holders.move_to_end(address)
            if holder is not None and holder.mac != mac:
                if is_made_of(address, mac):  # it was claimed before by one that it does not belong to
                    earlier = sighting._replace(subject=holder.mac)
                    yield from self._judged(case, earlier, _Holder(mac, sighting.time_ns, routes))
                else:
                    yield from self._judged(case, sighting, holder)
        while len(self._holders) > BINDINGS_MAX:
            self._holders.popitem(last=False)

    def _judged(self, case: Case, sighting: Sighting, holder: _Holder) -> Iterator[Draft]:
        mac = sighting.subject or sighting.source
        slot, old = case.slot_of(mac), case.slot_of(holder.mac)
        slot = case.slot_of(sighting.source) if slot is None else slot
        if slot is None or old is None or slot == old or is_virtual(mac) or is_virtual(holder.mac):
            return
        if case.turn.now_ns - int(case.turn.devices.lasts_ns()[old]) >= ALIVE_NS:
            return
        self.moves.append(Move(sighting.address, mac, holder.mac, sighting.time_ns))
        yield _draft(case, slot, sighting, holder)


def _draft(case: Case, slot: int, sighting: Sighting, holder: _Holder) -> Draft:
    mac, old = sighting.subject or sighting.source, case.slot_of(holder.mac) or 0
    address = address_text(sighting.address >> 64, sighting.address & _LOWER)
    routes = holder.routes or case.turn.devices.is_gateway(old)
    whose = f"the router {case.label(old)}" if routes else f"the {case.label(old)}"
    told = Told(
        text=f"{case.label(slot)} claims by neighbour discovery the IPv6 address {address}, which belongs to {whose}, "
        "and that one is still there",
        evidence=(
            ("address", address),
            ("before", mac_text(holder.mac)),
            ("now", mac_text(mac)),
            ("since", time_text(holder.since_ns)),
            ("first", time_text(sighting.time_ns)),
        ),
        cause=f"neighbour-changed|{mac_text(mac)}|{address}",
        first_ns=min(holder.since_ns, sighting.time_ns),
        last_ns=sighting.time_ns,
        expected=EXPECTED,
    )
    page = routes or case.role(old) in IMPORTANT
    finding = case.finding("neighbour-changed", Severity.PAGE if page else Severity.REVIEW, slot, told)
    group = Group(f"neighbour-changed|{mac_text(mac)}", address, ADDRESSES_MIN, "{n} addresses of others")
    mirrored = f"neighbour-changed|{mac_text(holder.mac)}|{address}"  # the owner claims it back: the same cause
    routers = (f"rogue-router|{mac_text(mac)}", f"rogue-router|{mac_text(holder.mac)}")
    return Draft(finding, Subject(mac, holder.mac, address), (group,), part_of=(mirrored, *routers))
