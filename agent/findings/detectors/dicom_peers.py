"""dicom-unknown-peer and dicom-probe: who calls DICOM devices under which title, and who tries titles or asks for all.

Only what an association's first message says is read; a query itself is patient data and is not. So a burst of queries
is seen by the number of associations that ask for the query service, and a query for everything inside one is not.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from agent.devices.records import EdgeDirection, Remark
from agent.findings.arrivals import Arrivals, has_learned
from agent.findings.case import Case, Evidence, Told
from agent.findings.draft import Draft, Subject
from agent.findings.peers import HOSTS_MAX, Peers
from agent.findings.records import Severity
from agent.findings.words import NS_PER_S, mac_text, time_text, within_text
from agent.packets.records import Application

WINDOW_NS: Final = 300 * NS_PER_S
TITLES_MIN: Final = 3  # different titles of one host that were tried, one of them at least rejected
TITLES_ALONE_MIN: Final = 6  # or so many: of a host the same rejection is news once, and was perhaps somebody else's
TITLES_KEPT: Final = 32
ASSOCIATIONS_MIN: Final = 15  # of a stranger that asks for queries, in an interval: people wait for an answer
PAIRS_MAX: Final = 512
_QUERIES: Final = frozenset({"query-find", "query-move", "query-get"})
_IMAGING: Final = frozenset({"imaging-modality", "pacs"})  # a mobile one comes and goes, and its title moves with it
EXPECTED: Final = "The same few devices exchange images, each under its own title."


class _Call(NamedTuple):
    """An association that was asked for."""

    source: int
    destination: int
    calling: str
    called: str
    queries: bool


@dataclass(slots=True)
class _Tries:
    """What one host tried with another one, lately."""

    first_ns: int
    last_ns: int
    titles: set[int] = field(default_factory=set)  # hashes: the titles themselves are not kept
    rejected: bool = False


class DicomPeers:
    """Learns, until the tap has settled, which host calls under which titles; after a restart it knows them."""

    def __init__(self, peers: Peers, arrivals: Arrivals) -> None:
        """`peers` holds the titles, `arrivals` knows who came later."""
        self._arrivals, self._peers = arrivals, peers
        self._strangers: OrderedDict[int, bool] = OrderedDict()  # hosts that came later -> whether they ask for queries
        self._tries: OrderedDict[tuple[int, int], _Tries] = OrderedDict()

    def judge(self, case: Case) -> Iterator[Draft]:
        """Every association of the turn; bursts when an interval closes."""
        for remark in case.turn.remarks:
            call = _call_of(remark)
            if call is not None:
                yield from self._unknown(case, call, remark.time_ns)
                yield from self._tried(case, call, remark.time_ns)
            elif any(kind == "dicom.rejects" for kind, _ in remark.words):
                yield from self._rejected(case, remark)
        if case.turn.interval_closed:
            yield from self._bursts(case)

    def _unknown(self, case: Case, call: _Call, now_ns: int) -> Iterator[Draft]:
        """A host or a title that was not there before. Whoever is called under a title is known by it too."""
        peers, title = self._peers, self._peers.digest(call.calling)
        known = peers.titles(call.source)
        is_new = known is None or title not in known
        judged = case.turn.settled or (peers.resumed and peers.knew(call.destination))
        peers.know_title(call.source, title)
        if known is not None or not judged or not peers.titles(call.destination):  # a stranger may call it anything
            peers.know_title(call.destination, peers.digest(call.called))
        if not is_new or not judged:
            return
        slot = case.slot_of(call.source)
        target = case.slot_of(call.destination)
        if slot is None or target is None or case.settings.in_change_window(case.role(target), case.turn.now_ns):
            return
        if known is None:
            self._strangers[call.source] = call.queries
            _bound(self._strangers, HOSTS_MAX)
        owner = peers.owner(title, besides=call.source)
        if case.turn.devices.is_gateway(slot) and owner:
            return  # the same host, seen from another side
        severity = self._severity(case, call.source, borrowed=bool(owner))
        if severity is Severity.PAGE or has_learned(case, case.role(target)):
            yield _unknown_draft(case, call, now_ns, severity, owner=owner, known=known is not None)

    def _severity(self, case: Case, mac: int, *, borrowed: bool) -> Severity:
        """A page for who came after the tap had settled, or borrows a title, unless it was an imaging device before."""
        strange = borrowed or self._arrivals.is_new(mac)
        imaging = self._arrivals.role_before(case, mac) in _IMAGING
        return Severity.PAGE if strange and not imaging else Severity.REVIEW

    def _tried(self, case: Case, call: _Call, now_ns: int) -> Iterator[Draft]:
        if call.queries and call.source in self._strangers:
            self._strangers[call.source] = True
        key = (call.source, call.destination)
        tries = self._tries.pop(key, None)
        if tries is None or now_ns - tries.first_ns >= WINDOW_NS:
            tries = _Tries(now_ns, now_ns)
        tries.last_ns = now_ns
        if len(tries.titles) < TITLES_KEPT:
            tries.titles.add(hash(call.called))
        self._tries[key] = tries
        _bound(self._tries, PAIRS_MAX)
        yield from self._probe(case, key, tries)

    def _rejected(self, case: Case, remark: Remark) -> Iterator[Draft]:
        """The same rejection is heard once from a host: it counts for all titles of the window."""
        key = (remark.destination, remark.source)
        tries = self._tries.get(key)
        if tries is not None:
            tries.rejected = True
            yield from self._probe(case, key, tries)

    def _probe(self, case: Case, key: tuple[int, int], tries: _Tries) -> Iterator[Draft]:
        slot, target = case.slot_of(key[0]), case.slot_of(key[1])
        if slot is None or target is None or len(tries.titles) < (TITLES_MIN if tries.rejected else TITLES_ALONE_MIN):
            return
        tried = f"tried {len(tries.titles)} different titles with the {case.label(target)}"
        told = f"{tried} {within_text(tries.first_ns, tries.last_ns)}{', and was rejected' if tries.rejected else ''}"
        evidence: Evidence = (("titles", len(tries.titles)), ("target", f"{case.label(target)}"))
        yield _probe_draft(
            case, key, f"{told}: so does who looks for a way in", evidence, (tries.first_ns, tries.last_ns)
        )

    def _bursts(self, case: Case) -> Iterator[Draft]:
        """Strangers that ask for queries in many associations."""
        rows = case.turn.counted
        fits = (rows["application"] == int(Application.DICOM)) & (rows["direction"] == EdgeDirection.ORIGINATES)
        fits &= (rows["flows"] >= ASSOCIATIONS_MIN) & (rows["device"] < case.roles.shape[0])
        for edge in case.oldest(rows, fits, PAIRS_MAX) if np.any(fits) else ():
            slot = int(edge["device"])
            mac = case.turn.devices.mac(slot)
            if not self._strangers.get(mac, False) or case.turn.devices.is_gateway(slot):
                continue
            flows = int(edge["flows"])
            told = f"asked {case.peer_text(edge)} for queries in {flows} associations within {_span(case)}"
            evidence: Evidence = (("associations", flows), ("target", f"{case.peer_text(edge)}"))
            key = (mac, case.peer_mac(edge))
            times = int(edge["first_ns"]), int(edge["last_ns"])
            yield _probe_draft(case, key, f"{told}, as happens when all that is stored is listed", evidence, times)


def _span(case: Case) -> str:
    return f"{max(1, case.turn.span_ns // NS_PER_S)} seconds"


def _call_of(remark: Remark) -> _Call | None:
    """The association that a remark asks for."""
    words = dict(remark.words)
    if "dicom.ae" not in words or "dicom.called" not in words:
        return None
    queries = any(kind == "dicom.uses" and value in _QUERIES for kind, value in remark.words)
    return _Call(remark.source, remark.destination, words["dicom.ae"], words["dicom.called"], queries)


def _bound(held: "OrderedDict[int, bool] | OrderedDict[tuple[int, int], _Tries]", most: int) -> None:
    while len(held) > most:
        held.popitem(last=False)


def _unknown_draft(case: Case, call: _Call, now_ns: int, severity: Severity, *, owner: int, known: bool) -> Draft:
    slot, target = case.slot_of(call.source), case.slot_of(call.destination)
    assert slot is not None
    assert target is not None
    whose = ""
    if owner:
        held = case.slot_of(owner)
        whose = f", under a title that belongs to {f'the {case.label(held)}' if held is not None else mac_text(owner)}"
    elif known:
        whose = ", under a title it did not have before"
    told = Told(
        text=f"{case.label(slot)} asked the {case.label(target)} for a DICOM association{whose}, which it was not "
        "known to do",
        evidence=(
            ("calling-title", call.calling),
            ("called-title", call.called),
            ("target", f"{case.label(target)}"),
            ("asks-for-queries", int(call.queries)),
            ("seen", time_text(now_ns)),
        ),
        cause=f"dicom-unknown-peer|{mac_text(call.source)}|{mac_text(call.destination)}",
        first_ns=now_ns,
        last_ns=now_ns,
        expected=EXPECTED,
    )
    finding = case.finding("dicom-unknown-peer", severity, slot, told)
    return Draft(finding, Subject(call.source, call.destination, protocol=6))


def _probe_draft(case: Case, key: tuple[int, int], text: str, evidence: Evidence, times_ns: tuple[int, int]) -> Draft:
    slot = case.slot_of(key[0])
    assert slot is not None
    told = Told(
        text=f"{case.label(slot)} {text}",
        evidence=(*evidence, ("first", time_text(times_ns[0])), ("last", time_text(times_ns[1]))),
        cause=f"dicom-probe|{mac_text(key[0])}|{mac_text(key[1])}",
        first_ns=times_ns[0],
        last_ns=times_ns[1],
        expected=EXPECTED,
    )
    return Draft(case.finding("dicom-probe", Severity.REVIEW, slot, told), Subject(key[0], key[1], protocol=6))
