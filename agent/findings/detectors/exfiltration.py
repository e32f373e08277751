"""exfiltration: a device sends far more than its role ever does, to a peer that is new, window after window."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from agent.devices.records import EdgeDirection, Scope
from agent.findings.case import Case, severity_of
from agent.findings.contract_table import NO_CONTRACT, OUTSIDE
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft, service_of
from agent.findings.windows import EdgeWindows
from agent.findings.words import NS_PER_S

SAMPLES_MIN: Final = 2000  # edge intervals of a role before its profile says anything
FACTOR: Final = 4  # times what one edge interval in a thousand reaches
OCTETS_MIN: Final = 4 << 20  # in an interval: less is no theft that a volume shows
WINDOWS: Final = 4
WINDOWS_MIN: Final = 3  # of them
NEW_NS: Final = 24 * 3600 * NS_PER_S  # a peer that is known for longer is not new
_BINS: Final = 64  # octets by their power of two


class Exfiltration:
    """Remembers how much edges of each role send in an interval, pooled, and the newest windows of large ones."""

    def __init__(self) -> None:
        self._profile: npt.NDArray[np.int64] = np.zeros((0, _BINS), np.int64)
        self._windows = EdgeWindows(WINDOWS * 120 * NS_PER_S, WINDOWS)

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval; peers that a contract names are no theft, and neither is a gateway's traffic."""
        rows = case.turn.counted
        rows = rows.compress((rows["device"] < case.roles.shape[0]) & (rows["scope"] <= Scope.INTERNET))
        if not rows.shape[0]:
            return
        if not self._profile.shape[0]:
            self._profile = np.zeros((len(case.contracts.roles), _BINS), np.int64)
        roles = case.roles.take(rows["device"])
        codes = case.contracts.judge(rows, case.roles)
        fits = rows["octets_out"] >= np.maximum(OCTETS_MIN, self._limits().take(roles))
        fits &= rows["octets_out"] > rows["octets_in"]
        fits &= (codes == OUTSIDE) | (codes == NO_CONTRACT)
        fits &= case.turn.now_ns - rows["first_ns"] < NEW_NS
        drafts = list(self._large(case, rows, fits)) if case.turn.settled else []
        bins = np.minimum(np.log2(rows["octets_out"].astype(np.float64) + 1).astype(np.int64), _BINS - 1)
        np.add.at(self._profile, (roles[~fits], bins[~fits]), 1)
        yield from drafts

    def _limits(self) -> npt.NDArray[np.float64]:
        """Octets by role: FACTOR times the 999th permille of its edge intervals; without enough of them endless."""
        counts = self._profile.sum(axis=1)
        above = np.cumsum(self._profile[:, ::-1], axis=1)[:, ::-1]  # samples of this bin and larger ones
        reached = (above * 1000 >= np.maximum(counts, 1)[:, None]).sum(axis=1)
        limits: npt.NDArray[np.float64] = np.where(counts >= SAMPLES_MIN, FACTOR * 2.0**reached, np.inf)
        return limits

    def _large(self, case: Case, rows: np.ndarray, fits: npt.NDArray[np.bool_]) -> Iterator[Draft]:
        for edge, key, counts in self._windows.take(case, rows, fits):
            slot = int(edge["device"])
            if len(counts) < WINDOWS_MIN or case.turn.devices.is_gateway(slot):
                continue
            if case.settings.in_change_window(case.role(slot), case.turn.now_ns):
                continue
            sent = sum(count.octets_out for count in counts)
            deed = "sent" if key.direction == EdgeDirection.ORIGINATES else "handed out"
            text = (
                f"{deed} {sent >> 20} MiB to {case.peer_text(edge)} on {service_of(edge)} in {len(counts)} intervals, "
                "far more than devices of its role do, and it has not had this peer before today"
            )
            evidence = (("octets", sent), ("intervals", len(counts)))
            said = Said("exfiltration", severity_of(case.role(slot)), text, evidence, "It sends little, to few.")
            yield edge_draft(case, edge, said)
