"""tap-transmitted: the interface of a leg has sent frames. A tap that speaks is a fault of ours or a foothold."""

from collections.abc import Iterator
from typing import Final

from agent.findings.case import Case, Told
from agent.findings.draft import Draft, Subject
from agent.findings.records import Severity
from agent.findings.words import bounded, time_text
from agent.tap.records import LegCounts

EXPECTED: Final = "A tap never sends on a leg, not one frame."


class TapTransmitted:
    """Remembers how many frames of each leg were told."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def judge(self, case: Case) -> Iterator[Draft]:
        """At every increase; the ledger says the first at once and folds what follows."""
        for leg in case.turn.legs:
            if leg.tx_packets > self._told.get(leg.name, 0):
                self._told[leg.name] = leg.tx_packets
                yield _draft(case, leg)


def _draft(case: Case, leg: LegCounts) -> Draft:
    now_ns, name = case.turn.now_ns, bounded(leg.name)
    frames = "a frame" if leg.tx_packets == 1 else f"{leg.tx_packets} frames"
    told = Told(
        text=f"the tap has sent {frames} on its leg {name} since it took the leg over, and it must never send: "
        "somebody or something uses this interface",
        evidence=(("leg", name), ("tx-packets", leg.tx_packets), ("seen", time_text(now_ns))),
        cause=f"tap-transmitted|{name}",
        first_ns=now_ns,
        last_ns=now_ns,
        expected=EXPECTED,
    )
    return Draft(case.without_device("tap-transmitted", Severity.PAGE, told), Subject(0))
