"""beacon: a device calls a peer outside its contract again and again, at an even pace and with the same size.

An interval row has the number of sessions and the time of the last one, so the mean gap of an interval is exact. Three
scores, each 0 to 1 (after RITA's): how even the gaps are, how even the sizes are, how much of the time is covered.
"""

from collections.abc import Iterator
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

import numpy as np

from agent.devices.records import EdgeDirection, EdgeGate, Scope
from agent.findings.case import Case, Mask, severity_of
from agent.findings.catalogue import UNKNOWN
from agent.findings.contract_table import OUTSIDE
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft, service_of
from agent.findings.records import NO_CONTRACT, Rows
from agent.findings.windows import Count, EdgeWindows
from agent.findings.words import NS_PER_S

WINDOW_NS: Final = 24 * 3600 * NS_PER_S
INTERVALS_KEPT: Final = 64
GAPS_MIN: Final = 6
ROWS_MIN: Final = 4  # intervals with sessions: fewer say nothing of evenness
SCORE_MIN: Final = 0.8
STRANGER_GAPS_MIN: Final = 60  # a device whose role is not known is allowed much, so much more is asked
STRANGER_SCORE_MIN: Final = 0.9
PERIOD_MIN_NS: Final = NS_PER_S  # faster is a busy program, not a call
_ORDINARY: Final = (53, 123, 853)  # names and time, which every device asks for evenly


class Beat(NamedTuple):
    """How even an edge's calls are."""

    gaps: int
    period_ns: float
    evenness: float
    sizes: float
    coverage: float

    @property
    def score(self) -> float:
        """The mean of the three."""
        return (self.evenness + self.sizes + self.coverage) / 3


def beat_of(counts: list[Count], span_ns: int) -> Beat | None:
    """From an edge's counts, oldest first; None when there are too few."""
    pairs = [(before, now) for before, now in pairwise(counts) if now.last_ns > before.last_ns]
    gaps = [((now.last_ns - before.last_ns) / now.flows, now.flows) for before, now in pairs]
    total = sum(flows for _, flows in gaps)
    if total < GAPS_MIN or len(gaps) < ROWS_MIN - 1:
        return None
    period = median(gap for gap, flows in gaps for _ in range(min(flows, 32)))
    sizes = [count.octets_out / count.flows for count in counts if count.flows]
    elapsed = counts[-1].end_ns - counts[0].end_ns + span_ns
    covered = len(counts) * max(span_ns, period) / max(elapsed, 1)
    return Beat(
        total, period, _evenness([gap for gap, _ in gaps], period), _evenness(sizes, median(sizes)), min(1.0, covered)
    )


def _evenness(values: list[float], middle: float) -> float:
    """1 - the median distance from the median, as a share of it."""
    return max(0.0, 1 - median(abs(value - middle) for value in values) / middle) if middle else 0.0


class Beacons:
    """Remembers the calls outside contracts of the last day."""

    def __init__(self) -> None:
        self._windows = EdgeWindows(WINDOW_NS, INTERVALS_KEPT)

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval."""
        rows = case.turn.counted
        codes = case.counted_codes()
        fits = (rows["direction"] == EdgeDirection.ORIGINATES) & (rows["flows"] > 0) & (rows["scope"] <= Scope.INTERNET)
        fits &= ((rows["gates"] & np.uint8(EdgeGate.ANSWERED)) != 0) & ~np.isin(rows["port"], _ORDINARY)
        fits &= ((codes == OUTSIDE) | (codes == NO_CONTRACT)) & (rows["device"] < case.roles.shape[0])
        if not np.any(fits):
            return
        fits &= np.isin(rows["protocol"], (6, 17))
        unknown = case.roles.take(np.minimum(rows["device"], case.roles.shape[0] - 1)) == case.contracts.roles.index(
            UNKNOWN
        )
        fits &= (codes == OUTSIDE) | (unknown & _public(rows))
        for edge, _, counts in self._windows.take(case, rows, fits, ROWS_MIN):
            slot = int(edge["device"])
            beat = beat_of(counts, case.turn.span_ns)
            if beat is None or beat.period_ns < PERIOD_MIN_NS or case.turn.devices.is_gateway(slot):
                continue
            if _suspicious(case, slot, beat):
                yield _draft(case, edge, beat)


def _suspicious(case: Case, slot: int, beat: Beat) -> bool:
    """Enough of it for a device whose contract does not know the peer; for one nobody knows, public peers only."""
    role = case.role(slot)
    if case.settings.in_change_window(role, case.turn.now_ns):
        return False
    if role != UNKNOWN:
        return case.contracts.contract(role) is not None and beat.score >= SCORE_MIN
    return beat.gaps >= STRANGER_GAPS_MIN and beat.score >= STRANGER_SCORE_MIN


def _draft(case: Case, edge: np.void, beat: Beat) -> Draft:
    role, period = case.role(int(edge["device"])), beat.period_ns / NS_PER_S
    text = (
        f"has called {case.peer_text(edge)} on {service_of(edge)} {beat.gaps + 1} times, every {period:.0f} seconds "
        "and with the same size, as programs do that wait for orders"
    )
    evidence = (
        ("calls", beat.gaps + 1),
        ("period-ms", round(beat.period_ns / 1e6)),
        ("evenness-permille", round(1000 * beat.evenness)),
        ("sizes-permille", round(1000 * beat.sizes)),
        ("coverage-permille", round(1000 * beat.coverage)),
    )
    return edge_draft(case, edge, Said("beacon", severity_of(role), text, evidence, "Its role has no such peer."))


def _public(rows: Rows) -> Mask:
    """Peers with a public address. One of them may look like a device of ours, where a router's frames are few."""
    address = rows["peer_lo"] & np.uint64(0xFFFFFFFF)
    top = address >> np.uint64(24)
    private = (top == 10) | (top == 127) | (address >> np.uint64(20) == 0xAC1) | (address >> np.uint64(16) == 0xC0A8)
    private |= (address >> np.uint64(16) == 0xA9FE) | (address >> np.uint64(22) == 0x191) | (top >= 224)
    mapped = (rows["peer_hi"] == 0) & (rows["peer_lo"] >> np.uint64(32) == 0xFFFF)
    public: Mask = (rows["scope"] == Scope.INTERNET) | (mapped & ~private)
    return public
