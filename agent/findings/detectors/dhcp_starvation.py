"""dhcp-starvation: many invented cards ask for an address and are never heard again, until the server has none left.

A real device goes on: it takes the offer, asks again, or sends something else. So neither a ward that boots nor a
server that is down is one.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from agent.findings.case import Case, Told
from agent.findings.draft import Draft, Subject
from agent.findings.records import Severity
from agent.findings.words import NS_PER_S, mac_text, time_text, within_text

KIND: Final = "dhcp.message"
ASKS: Final = "discover"
PATIENCE_NS: Final = 10 * NS_PER_S  # by then a device has taken its offer or asked a second time (RFC 2131: after 4 s)
MOMENT_NS: Final = 2 * NS_PER_S  # what is heard of a card so soon after is still the same message, by a second way
WINDOW_NS: Final = 60 * NS_PER_S
CARDS_MIN: Final = 32  # a ward gets a few new devices a day; a pool of a /24 is used up eight times as fast
ASKING_MAX: Final = 8192
EXPECTED: Final = "A device that asks for an address takes it, and a ward gets a few new devices a day."


class _Asked(NamedTuple):
    """A card's question."""

    time_ns: int
    source: int  # MAC of the frame


class DhcpStarvation:
    """Remembers who asked in the last seconds, and who was never heard again in the last minute."""

    def __init__(self) -> None:
        self._asking: OrderedDict[int, _Asked] = OrderedDict()
        self._silent: deque[_Asked] = deque(maxlen=ASKING_MAX)
        self._server = 0

    def judge(self, case: Case) -> Iterator[Draft]:
        """Questions of the turn, and those of ten seconds ago."""
        for grant in case.turn.grants:
            self._server = grant.server
        for sighting in case.sighted(KIND):
            if sighting.word == ASKS and sighting.subject and sighting.subject not in self._asking:
                self._asking[sighting.subject] = _Asked(sighting.time_ns, sighting.source)
            elif sighting.word != ASKS:
                self._asking.pop(sighting.subject, None)
        while len(self._asking) > ASKING_MAX:
            self._asking.popitem(last=False)
        self._review(case)
        if len(self._silent) >= CARDS_MIN:
            yield from self._draft(case)
            self._silent.clear()

    def _review(self, case: Case) -> None:
        """Who has had the time to go on and did not."""
        now_ns, lasts_ns = case.turn.now_ns, case.turn.devices.lasts_ns()
        while self._asking and now_ns - next(iter(self._asking.values())).time_ns >= PATIENCE_NS:
            mac, asked = self._asking.popitem(last=False)
            slot = case.slot_of(mac)
            if slot is None or int(lasts_ns[slot]) <= asked.time_ns + MOMENT_NS:
                self._silent.append(asked)
        while self._silent and now_ns - self._silent[0].time_ns > WINDOW_NS:
            self._silent.popleft()

    def _draft(self, case: Case) -> Iterator[Draft]:
        cards, first_ns, last_ns = len(self._silent), self._silent[0].time_ns, self._silent[-1].time_ns
        source, of_it = Counter(asked.source for asked in self._silent).most_common(1)[0]
        one = of_it * 2 > cards
        mac = source if one or not self._server else self._server
        slot = case.slot_of(mac)
        whole = case.slot_of(self._server) if slot is None else slot
        if whole is None:
            return  # nobody of it is there: it was heard from far away
        slot = whole
        within = within_text(first_ns, last_ns)
        deed = "asked for addresses by DHCP in the name of" if one else "was asked for addresses by"
        told = Told(
            text=f"{case.label(slot)} {deed} {cards} different cards {within}, none of which was heard again: so a "
            "server runs out of addresses, and devices of the ward get none",
            evidence=(
                ("cards", cards),
                ("sender", mac_text(source) if one else "as many"),
                ("server", mac_text(self._server) if self._server else "not heard"),
                ("first", time_text(first_ns)),
                ("last", time_text(last_ns)),
            ),
            cause=f"dhcp-starvation|{mac_text(mac)}",
            first_ns=first_ns,
            last_ns=last_ns,
            expected=EXPECTED,
        )
        clinical = bool(case.contracts.clinical.take(case.roles).any())  # they are who gets no address
        severity = Severity.PAGE if clinical else Severity.REVIEW
        yield Draft(case.finding("dhcp-starvation", severity, slot, told), Subject(mac))
