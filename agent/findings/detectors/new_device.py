"""new-device: first seen after the tap had settled. Said at the end of the interval, when it may have a role.

Phones draw their address at random, some each day anew. Where visitors come and go that is no news: they are told
when more come in a day than twice the busiest of the last week.
"""

from collections.abc import Iterator
from typing import Final

from agent.findings.case import Case, Told
from agent.findings.catalogue import UNKNOWN
from agent.findings.draft import Draft, Subject
from agent.findings.peers import Peers
from agent.findings.records import Severity
from agent.findings.words import NS_PER_S, article, mac_text, one, time_text

USUAL_FACTOR: Final = 2  # times the busiest day of those kept
USUAL_MORE: Final = 2  # beside the factor: one phone more than one is nothing
DAY_NS: Final = 24 * 3600 * NS_PER_S
WAITING_MAX: Final = 4096  # new devices of one interval that are remembered; more are counted
NAMED_MAX: Final = 10  # said one by one in an interval; a flood of addresses is one finding that counts
_LOCAL: Final = 0x02 << 40  # the locally administered bit of a MAC (IEEE 802-2014, 8.2.2): randomised
_NO_MAC: Final = 1 << 63


class NewDevices:
    """Waits until the interval closes."""

    def __init__(self, peers: Peers) -> None:
        """`peers` knows how many randomised addresses came on the days before."""
        self._waiting: dict[int, int] = {}  # slot -> MAC
        self._uncounted = 0
        self._peers = peers

    def judge(self, case: Case) -> Iterator[Draft]:
        """Devices of unknown link type (no MAC) are addresses, not devices: they are never new."""
        if case.turn.settled:
            for slot in sorted(case.turn.new_devices.tolist()):
                if self._peers.knew(case.turn.devices.mac(slot)):
                    continue  # it was switched off, and the tap has restarted since
                if len(self._waiting) < WAITING_MAX:
                    self._waiting[slot] = case.turn.devices.mac(slot)
                else:
                    self._uncounted += 1
        if not case.turn.interval_closed:
            return
        devices = case.turn.devices
        here = [(mac, slot) for slot, mac in self._waiting.items() if devices.mac(slot) == mac and not mac & _NO_MAC]
        here = sorted((mac, slot) for mac, slot in here if not devices.is_gateway(slot))
        named = [(mac, slot) for mac, slot in here if not mac & _LOCAL]
        randomised = [slot for mac, slot in here if mac & _LOCAL]
        yield from (_draft(case, mac, slot) for mac, slot in named[:NAMED_MAX])
        others = [slot for _, slot in named[NAMED_MAX:]]
        if others or self._uncounted:
            yield _digest(case, others or [named[0][1]], len(others) + self._uncounted, "more new devices")
        if randomised and self._is_unusual(len(randomised), case.turn.now_ns // DAY_NS):
            today = self._peers.visitors.today
            yield _digest(case, randomised, today, "new devices with a randomised address")
        self._waiting.clear()
        self._uncounted = 0

    def _is_unusual(self, count: int, day: int) -> bool:
        """Whether more phones came today than on the days before; on the first day that any come, and once a day."""
        visitors = self._peers.visitors
        visitors.come(count, day)
        self._peers.changed = True
        busiest = max(visitors.days, default=0)
        unusual = visitors.today > (USUAL_FACTOR * busiest + USUAL_MORE if busiest else 0)
        first, visitors.told = unusual and not visitors.told, unusual or visitors.told
        return first


def _draft(case: Case, mac: int, slot: int) -> Draft:
    devices, role = case.turn.devices, case.turn.devices.role(slot)
    first = devices.first_ns(slot)
    kind = f"it looks like {article(one(role))}" if role != UNKNOWN else "what it is, is not known yet"
    told = Told(
        text=f"{case.label(slot)} appeared on the ward's network for the first time; {kind}",
        evidence=(("first", time_text(first)),),
        cause=f"new-device|{mac_text(mac)}",
        first_ns=first,
        last_ns=case.turn.now_ns,
        expected=case.contracts.expected(role) or "A ward rarely gains more than a few devices a day.",
    )
    return Draft(case.finding("new-device", Severity.REVIEW, slot, told), Subject(mac))


def _digest(case: Case, slots: list[int], count: int, what: str) -> Draft:
    """One finding for many: it names none."""
    first = min(case.turn.devices.first_ns(slot) for slot in slots)
    told = Told(
        text=f"{count} {what} appeared on the ward's network",
        evidence=(("devices", count), ("first", time_text(first))),
        cause=f"new-device|{what.replace(' ', '-')}",
        first_ns=first,
        last_ns=case.turn.now_ns,
        expected="Phones and tablets change their address; a ward rarely gains more than a few devices a day.",
    )
    return Draft(case.without_device("new-device", Severity.REVIEW, told, count), Subject(0))
