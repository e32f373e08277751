"""dga: a device asks for many domains that do not exist and whose letters nobody chose."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from agent.findings.case import Case, Told, severity_of
from agent.findings.draft import Draft, Subject
from agent.findings.name_lists import NameLists
from agent.findings.words import NS_PER_S, mac_text, time_text, within_text

WINDOW_NS: Final = 600 * NS_PER_S
FAILED_MIN: Final = 15  # different registered domains: wrong search lists and old names fail under a few
FAILED_SHARE: Final = 0.5  # of all domains asked for in the window
DRAWN_SHARE: Final = 0.6  # of those that failed
DRAWN_BITS: Final = 0.0  # of the letter model: 1 in 500 words is below it, nine of ten drawn names of eight letters are
LABEL_MIN_CHARS: Final = 6  # of shorter ones the letters say nothing
DOMAINS_KEPT: Final = 128  # of a device, in each of both sets
DEVICES_MAX: Final = 256  # 24 kB each at worst
EXPECTED: Final = "Devices of a ward ask for names that exist."


@dataclass(slots=True)
class _Heard:
    """What one device asked for and did not get."""

    first_ns: int
    last_ns: int = 0
    asked: set[int] = field(default_factory=set)
    failed: dict[int, float] = field(default_factory=dict)  # domain's hash -> bits of its label

    def drawn(self) -> int:
        """How many of the failed ones look drawn."""
        return sum(bits < DRAWN_BITS for bits in self.failed.values())

    def is_generated(self) -> bool:
        """Whether a program makes these names up."""
        failed = len(self.failed)
        everything = len(self.asked | self.failed.keys())
        return failed >= FAILED_MIN and failed >= FAILED_SHARE * everything and self.drawn() >= DRAWN_SHARE * failed


class GeneratedNames:
    """Remembers, for ten minutes, which domains each device asked for and which of them do not exist."""

    def __init__(self, lists: NameLists) -> None:
        self._lists = lists
        self._heard: OrderedDict[int, _Heard] = OrderedDict()

    def judge(self, case: Case) -> Iterator[Draft]:
        """Every query and failed answer of the turn. Not a gateway's: it passes on what others ask."""
        for remark in case.turn.remarks:
            for kind, name in remark.words:
                if kind not in {"dns.asks", "dns.failed"}:
                    continue
                mac = remark.source if kind == "dns.asks" else remark.destination
                slot = case.slot_of(mac)
                if slot is None or case.turn.devices.is_gateway(slot):
                    continue
                heard = self._of(mac, remark.time_ns)
                if self._note(heard, name, remark.time_ns, failed=kind == "dns.failed") and heard.is_generated():
                    yield _draft(case, slot, heard)

    def _note(self, heard: _Heard, name: str, now_ns: int, *, failed: bool) -> bool:
        """Take a name in; whether another domain failed."""
        domain = self._lists.suffixes.registered(name)
        if "." not in domain or domain.endswith(".arpa"):
            return False  # a single label, which browsers draw to find out whether somebody lies to them
        heard.last_ns = max(heard.last_ns, now_ns)
        mark = hash(domain)
        if not failed:
            if len(heard.asked) < DOMAINS_KEPT:
                heard.asked.add(mark)
            return False
        if mark in heard.failed or len(heard.failed) >= DOMAINS_KEPT:
            return False
        label = domain.partition(".")[0]
        heard.failed[mark] = self._lists.model.score(label) if len(label) >= LABEL_MIN_CHARS else 1.0
        return True

    def _of(self, mac: int, now_ns: int) -> _Heard:
        heard = self._heard.pop(mac, None)
        if heard is None or now_ns - heard.first_ns >= WINDOW_NS:
            heard = _Heard(now_ns)
        self._heard[mac] = heard
        while len(self._heard) > DEVICES_MAX:
            self._heard.popitem(last=False)
        return heard


def _draft(case: Case, slot: int, heard: _Heard) -> Draft:
    mac, failed = case.turn.devices.mac(slot), len(heard.failed)
    asked = len(heard.asked | heard.failed.keys())
    told = Told(
        text=f"{case.label(slot)} asked by DNS for {failed} domains that do not exist, of {asked} in all, "
        f"{within_text(heard.first_ns, heard.last_ns)}; the letters of {heard.drawn()} of them are as a program draws "
        "them that looks for its operator",
        evidence=(
            ("domains", asked),
            ("domains-that-do-not-exist", failed),
            ("drawn-letters", heard.drawn()),
            ("first", time_text(heard.first_ns)),
            ("last", time_text(heard.last_ns)),
        ),
        cause=f"dga|{mac_text(mac)}",
        first_ns=heard.first_ns,
        last_ns=heard.last_ns,
        expected=case.contracts.expected(case.role(slot)) or EXPECTED,
    )
    finding = case.finding("dga", severity_of(case.role(slot)), slot, told)
    return Draft(finding, Subject(mac, protocol=17, port=53))
