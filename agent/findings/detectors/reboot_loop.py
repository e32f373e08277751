"""reboot-loop: a device asks for its address from scratch again and again within an hour.

A DHCP offer answers a DISCOVER, which a client sends when it starts; a renewal is acknowledged without one (RFC 2131).
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from agent.findings.case import Case, Told
from agent.findings.draft import Draft, Subject
from agent.findings.records import Severity
from agent.findings.words import NS_PER_S, mac_text, time_text, within_text

CLIENTS_MAX: Final = 1024
STARTS_MIN: Final = 4  # in an hour; a person restarts a device once or twice
APART_NS: Final = 30 * NS_PER_S  # nearer together it is one start that asks several servers, or asks again
HOUR_NS: Final = 3600 * NS_PER_S
TIERS: Final = frozenset({"vital", "clinical", "support"})  # a phone that roams asks anew at every corner
_LOCAL: Final = 0x02 << 40  # randomised addresses belong to phones that come and go


class RebootLoops:
    """Remembers the starts of the last hour, by MAC."""

    def __init__(self) -> None:
        self._starts: OrderedDict[int, list[int]] = OrderedDict()

    def judge(self, case: Case) -> Iterator[Draft]:
        """Each offer is a start, unless it follows another one."""
        for grant in case.turn.grants:
            if grant.message != "offer" or grant.client & _LOCAL:
                continue
            starts = [t for t in self._starts.pop(grant.client, []) if grant.time_ns - t <= HOUR_NS]
            if starts and grant.time_ns - starts[-1] < APART_NS:
                self._starts[grant.client] = starts
                continue
            self._starts[grant.client] = [*starts[1 - 2 * STARTS_MIN :], grant.time_ns]
            while len(self._starts) > CLIENTS_MAX:
                self._starts.popitem(last=False)
            if len(self._starts[grant.client]) >= STARTS_MIN:
                yield from _drafts(case, grant.client, self._starts[grant.client])


def _drafts(case: Case, mac: int, starts: list[int]) -> Iterator[Draft]:
    slot = case.slot_of(mac)
    if slot is None or case.contracts.tier(case.role(slot)) not in TIERS:
        return
    told = Told(
        text=f"{case.label(slot)} asked for its address from scratch {len(starts)} times "
        f"{within_text(starts[0], starts[-1])}, as a device does that starts again and again",
        evidence=(("starts", len(starts)), ("first", time_text(starts[0])), ("last", time_text(starts[-1]))),
        cause=f"reboot-loop|{mac_text(mac)}",
        first_ns=starts[0],
        last_ns=starts[-1],
        expected=case.contracts.expected(case.role(slot)) or "A device starts once or twice a day.",
    )
    yield Draft(case.finding("reboot-loop", Severity.REVIEW, slot, told), Subject(mac))
