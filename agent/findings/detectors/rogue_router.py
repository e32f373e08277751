"""rogue-router: an IPv6 router advertisement of a device that was no router of this ward before."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from agent.devices.records import Sighting
from agent.findings.case import Case, Told
from agent.findings.catalogue import NETWORK_GEAR, UNKNOWN
from agent.findings.detectors.arp_bindings import is_virtual
from agent.findings.draft import Draft, Subject
from agent.findings.records import Severity
from agent.findings.words import address_text, is_made_of, mac_text, time_text

KIND: Final = "nd.router"
ROUTERS_MAX: Final = 64
A_TURN_MAX: Final = 64
EXPECTED: Final = "One or two routers of the hospital advertise themselves, and always the same ones."
_LOWER: Final = 0xFFFF_FFFF_FFFF_FFFF


class RogueRouters:
    """Who advertises itself while the tap settles is the ward's, unless it is plainly no router."""

    def __init__(self) -> None:
        self._routers: OrderedDict[int, int] = OrderedDict()  # MAC -> the address it advertised last

    def judge(self, case: Case) -> Iterator[Draft]:
        """Every advertisement that was heard; one card at most once a turn."""
        heard = {sighting.source: sighting for sighting in case.sighted(KIND)}
        for mac, sighting in list(heard.items())[:A_TURN_MAX]:
            slot = case.slot_of(mac)
            owner = next((m for m, address in self._routers.items() if address == sighting.sender and m != mac), 0)
            if slot is None:
                continue
            if mac in self._routers or not self._routers or self._may(case, slot, mac, taken=bool(owner)):
                self._routers[mac] = sighting.sender
                self._routers.move_to_end(mac)
            elif owner and is_made_of(sighting.sender, mac):  # it was there first, and the address is not its own
                yield from self._impostor(case, sighting, owner)
            else:
                yield self._draft(case, slot, sighting, owner)
        while len(self._routers) > ROUTERS_MAX:
            self._routers.popitem(last=False)

    @staticmethod
    def _may(case: Case, slot: int, mac: int, *, taken: bool) -> bool:
        """Whether a new router is believed: a shared card, a declared change, or early and not of another kind."""
        if is_virtual(mac) or case.settings.in_change_window(NETWORK_GEAR, case.turn.now_ns):
            return True
        if taken or case.turn.settled:
            return False
        return case.turn.devices.is_gateway(slot) or case.role(slot) in {UNKNOWN, NETWORK_GEAR}

    def _impostor(self, case: Case, sighting: Sighting, impostor: int) -> Iterator[Draft]:
        """Somebody who was taken for a router goes by the address of the one that is heard now."""
        self._routers[sighting.source] = self._routers.pop(impostor)
        slot = case.slot_of(impostor)
        if slot is not None:
            earlier = sighting._replace(source=impostor, word="default")
            yield self._draft(case, slot, earlier, sighting.source)

    def _draft(self, case: Case, slot: int, sighting: Sighting, owner: int) -> Draft:
        mac, default = sighting.source, sighting.word == "default"
        address = address_text(sighting.sender >> 64, sighting.sender & _LOWER)
        known = ", ".join(map(mac_text, list(self._routers)[-3:]))
        if owner:
            what = f"under {address}, the address of the router {case.end_text(owner, 0).removeprefix('the ')}"
            what += "" if default else ", and says that it is no way out any more: who believes it is cut off"
        elif default:
            what = "while others did before: who believes it sends everything through it"
        else:
            what = "while others did before, for networks of its own"
        told = Told(
            text=f"{case.label(slot)} advertises itself as an IPv6 router {what}",
            evidence=(
                ("address", address),
                ("offers", "a default route" if default else "no default route"),
                ("known-routers", known),
                ("first", time_text(sighting.time_ns)),
            ),
            cause=f"rogue-router|{mac_text(mac)}",
            first_ns=sighting.time_ns,
            last_ns=sighting.time_ns,
            expected=EXPECTED,
        )
        # Smart home hubs advertise networks of their own without a way out (RFC 4191): that misleads nobody.
        severity = Severity.PAGE if default or owner else Severity.REVIEW
        return Draft(case.finding("rogue-router", severity, slot, told), Subject(mac, owner, address))
