"""dns-tunnel: names below one domain that carry data, by their number, their letters and the record types asked for."""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import log2
from typing import Final

from agent.devices.records import Remark
from agent.findings.case import Case, Told, severity_of
from agent.findings.draft import Draft, Subject
from agent.findings.name_lists import NameLists
from agent.findings.words import NS_PER_S, mac_text, time_text, within_text

WINDOW_NS: Final = 600 * NS_PER_S
NAMES_MIN: Final = 40  # different ones in the window: a browser meets a dozen names of one owner on a page
NAMES_KEPT: Final = 64  # of one domain that are told apart
LONG_CHARS: Final = 20  # below the domain, on average, when the letters are drawn: twelve octets a name
VERY_LONG_CHARS: Final = 45  # whatever the letters are: nobody types such names forty times
CARRIED_MIN: Final = 12  # by a type whose answers hold data: nothing but a mail server asks for a few of them
CARRIERS: Final = frozenset({"NULL", "TXT", "MX", "CNAME", "KEY", "ANY", "other"})  # types whose answers hold data
CARRIED_SHARE: Final = 0.5  # of the names that are asked for by such a type
DOMAINS_MAX: Final = 1024  # (device, domain) in the window, 7 kB each at worst
DOMAINS_OF_ONE_MAX: Final = 64
EXPECTED: Final = "Devices of a ward ask for the same few names again and again."


@dataclass(slots=True)
class _Asked:
    """What one device asked for below one domain."""

    domain: str
    first_ns: int
    last_ns: int = 0
    marks: set[int] = field(default_factory=set)
    count: int = 0  # names that were looked at, each once
    chars: int = 0
    bits: float = 0.0  # of the letter model, summed over names
    letters: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    def note(self, below: str, kind: str, bits: float) -> None:
        """One more name."""
        self.count += 1
        self.chars += len(below)
        self.bits += bits
        self.letters.update(below)
        if kind:
            self.kinds[kind] += 1

    def entropy(self) -> float:
        """Bits a character, of all of them together."""
        total = sum(self.letters.values())
        return -sum(n / total * log2(n / total) for n in self.letters.values()) if total else 0.0

    def carries(self) -> bool:
        """Whether these names are data."""
        carried = sum(self.kinds[kind] for kind in CARRIERS)
        if carried >= CARRIED_MIN and carried >= CARRIED_SHARE * self.count:
            return True
        if self.count < NAMES_MIN:
            return False
        long = self.chars / self.count
        return long >= VERY_LONG_CHARS or (long >= LONG_CHARS and self.bits <= 0)


class DnsTunnels:
    """Remembers, for ten minutes, how each device asks below each domain. Names themselves are not kept."""

    def __init__(self, lists: NameLists) -> None:
        self._lists = lists
        self._asked: OrderedDict[tuple[int, str], _Asked] = OrderedDict()
        self._of: Counter[int] = Counter()  # domains held of a device

    def judge(self, case: Case) -> Iterator[Draft]:
        """Every query of the turn. Not a gateway's: it passes on what others ask."""
        for remark in case.turn.remarks:
            if not remark.words or remark.words[0][0] != "dns.asks":
                continue
            slot = case.slot_of(remark.source)
            if slot is None or case.turn.devices.is_gateway(slot):
                continue
            asked = self._note(remark)
            if asked is not None and asked.carries():
                yield self._draft(case, slot, asked)

    def _note(self, remark: Remark) -> _Asked | None:
        """Take a query in; None for a name that says nothing here: addresses, services, bulk lookups, repeats."""
        name = remark.words[0][1]
        kind = next((value for kind, value in remark.words if kind == "dns.type"), "")
        domain = self._lists.suffixes.registered(name)
        below = name[: len(name) - len(domain)].rstrip(".")
        bare = below.replace(".", "")
        if not bare or bare.isdigit() or "_" in bare or domain.endswith(".arpa") or self._lists.sites.is_lookup(name):
            return None
        asked = self._of_domain(remark.source, domain, remark.time_ns)
        asked.last_ns = max(asked.last_ns, remark.time_ns)
        mark = hash(name)
        if mark in asked.marks or len(asked.marks) >= NAMES_KEPT:
            return None
        asked.marks.add(mark)
        scores = [self._lists.model.score(label) for label in below.split(".") if label]
        asked.note(bare, kind, sum(scores) / len(scores))
        return asked

    def _of_domain(self, mac: int, domain: str, now_ns: int) -> _Asked:
        """The count of a domain; an old one begins anew."""
        asked = self._asked.pop((mac, domain), None)
        if asked is None:
            self._make_room(mac)
            self._of[mac] += 1
        if asked is None or now_ns - asked.first_ns >= WINDOW_NS:
            asked = _Asked(domain, now_ns)
        self._asked[mac, domain] = asked
        return asked

    def _make_room(self, mac: int) -> None:
        """A device that asks below many domains loses its own oldest, and nobody else's."""
        if self._of[mac] >= DOMAINS_OF_ONE_MAX:
            self._forget(next(key for key in self._asked if key[0] == mac))
        elif len(self._asked) >= DOMAINS_MAX:
            self._forget(next(iter(self._asked)))

    def _forget(self, key: tuple[int, str]) -> None:
        del self._asked[key]
        self._of[key[0]] -= 1
        if not self._of[key[0]]:
            del self._of[key[0]]

    def _draft(self, case: Case, slot: int, asked: _Asked) -> Draft:
        mac = case.turn.devices.mac(slot)
        kinds = sorted(asked.kinds, key=lambda kind: (-asked.kinds[kind], kind))[:4]
        how = f"{asked.chars // asked.count} characters each on average"
        how += f", most of them by {kinds[0]} records" if asked.kinds.total() * 2 >= asked.count else ""
        told = Told(
            text=f"{case.label(slot)} asked by DNS for {asked.count} different names below one domain "
            f"{within_text(asked.first_ns, asked.last_ns)}, {how}, as programs do that send data in names",
            evidence=(
                ("domain", asked.domain),
                ("names", asked.count),
                ("characters-a-name", asked.chars // asked.count),
                ("entropy-millibits-a-character", round(asked.entropy() * 1000)),
                ("letters-millibits-above-chance", round(asked.bits / asked.count * 1000)),
                ("record-types", f"{', '.join(kinds) or 'addresses'}"),
                ("first", time_text(asked.first_ns)),
                ("last", time_text(asked.last_ns)),
            ),
            cause=f"dns-tunnel|{mac_text(mac)}",
            first_ns=asked.first_ns,
            last_ns=asked.last_ns,
            expected=case.contracts.expected(case.role(slot)) or EXPECTED,
        )
        finding = case.finding("dns-tunnel", severity_of(case.role(slot)), slot, told)
        return Draft(finding, Subject(mac, protocol=17, port=53))
