"""policy-site: social media, webmail or streaming from a device of the ward. Said by the list's words, not the name.

Not said of what people carry: a patient's phone is nobody's business here.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple

from agent.findings.case import Case, Told
from agent.findings.catalogue import NETWORK_GEAR, UNKNOWN
from agent.findings.draft import Draft, Group, Subject
from agent.findings.name_lists import NameLists
from agent.findings.records import Severity
from agent.findings.sites_file import CATEGORIES
from agent.findings.words import mac_text, many, time_text

REVIEWED: Final = "clinical-workstation"  # the crash cart with a browser and a shared account
PERSONAL: Final = frozenset({"phone", "tablet", "media-player", "voice-assistant", "iot-other"})
RESOLVER: Final = "hospital-server"  # asks for names on behalf of others: only what it opens is its own
HEARD_MAX: Final = 1024  # (device, category) that were heard; the oldest is forgotten
DEVICES_MIN: Final = 3  # of a role within the hour: then it is the ward's habit, and one finding
EXPECTED: Final = "Devices of a ward need no social media, private mail or films for their work."
# How a name is heard, the surer first: opening a page says more than asking where it is.
_ASKED: Final = "asked for the address of"
_OPENED: Final = {"tls.sni": "opened", "http.host": "opened", "dns.asks": _ASKED}


class _Heard(NamedTuple):
    """The first that was heard of a category."""

    what: str
    how: str
    time_ns: int


class PolicySites:
    """Remembers who was heard with which category, so that a device is judged once its role is known."""

    def __init__(self, lists: NameLists) -> None:
        self._lists = lists
        self._heard: OrderedDict[tuple[int, str], _Heard] = OrderedDict()
        self._said: OrderedDict[tuple[int, str], None] = OrderedDict()

    def judge(self, case: Case) -> Iterator[Draft]:
        """Names of the turn are noted; they are judged when an interval closes."""
        for remark in case.turn.remarks:
            for kind, name in remark.words:
                site = self._lists.sites.site(name) if kind in _OPENED else None
                if site is not None:
                    self._note(remark.source, site.category, _Heard(site.what, _OPENED[kind], remark.time_ns))
        if case.turn.interval_closed:
            yield from self._judged(case)

    def _note(self, mac: int, category: str, heard: _Heard) -> None:
        key = (mac, category)
        held = self._heard.get(key)
        if key in self._said or (held is not None and (held.how == "opened" or heard.how != "opened")):
            return
        self._heard[key] = heard
        while len(self._heard) > HEARD_MAX:
            self._heard.popitem(last=False)

    def _judged(self, case: Case) -> Iterator[Draft]:
        for (mac, category), heard in list(self._heard.items()):
            slot = case.slot_of(mac)
            role = UNKNOWN if slot is None else case.role(slot)
            if slot is None or role == UNKNOWN:
                continue
            del self._heard[mac, category]
            if role in PERSONAL or role == NETWORK_GEAR or case.turn.devices.is_gateway(slot):
                continue
            if role == RESOLVER and heard.how == _ASKED:
                continue
            self._said[mac, category] = None
            while len(self._said) > HEARD_MAX:
                self._said.popitem(last=False)
            yield _draft(case, slot, category, heard)


def _draft(case: Case, slot: int, category: str, heard: _Heard) -> Draft:
    mac, role = case.turn.devices.mac(slot), case.role(slot)
    told = Told(
        text=f"{case.label(slot)} {heard.how} {heard.what}, a site of the kind {CATEGORIES[category]}",
        evidence=(
            ("site", f"{heard.what}"),
            ("category", f"{category}"),
            ("seen", time_text(heard.time_ns)),
        ),
        cause=f"policy-site|{mac_text(mac)}|{category}",
        first_ns=heard.time_ns,
        last_ns=heard.time_ns,
        expected=case.contracts.expected(role) or EXPECTED,
    )
    severity = Severity.REVIEW if role == REVIEWED else Severity.POSTURE
    finding = case.finding("policy-site", severity, slot, told)
    group = Group(f"policy-site|{role}|{category}", mac_text(mac), DEVICES_MIN, f"{{n}} {many(role)}")
    return Draft(finding, Subject(mac), (group,))
