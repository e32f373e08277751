"""icmp-tunnel: echo messages whose answers are of other sizes than the questions. An echo gives back what it got."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection, Scope
from agent.findings.case import Case, severity_of
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft
from agent.findings.windows import EdgeWindows
from agent.findings.words import NS_PER_S

WINDOW_NS: Final = 1800 * NS_PER_S
PACKETS_MIN: Final = 50  # each way: some lost answers to pings of several sizes are no tunnel
OCTETS_MIN: Final = 8192
UNEQUAL_OCTETS: Final = 16  # between the mean sizes of both ways
INTERVALS_MIN: Final = 2
EXPECTED: Final = "A ping is answered with exactly what it held (RFC 792)."
_ECHO: Final = {1: 8, 58: 128}  # protocol -> type of an echo request


class IcmpTunnel:
    """Remembers the echoes of the last half hour."""

    def __init__(self) -> None:
        self._windows = EdgeWindows(WINDOW_NS)

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval."""
        rows = case.turn.counted
        echo = np.zeros(rows.shape[0], np.bool_)
        for protocol, kind in _ECHO.items():
            echo |= (rows["protocol"] == protocol) & (rows["port"] >> 8 == kind)
        echo &= (rows["direction"] == EdgeDirection.ORIGINATES) & (rows["scope"] <= Scope.INTERNET)
        echo &= (rows["packets_in"] > 0) & (rows["device"] < case.roles.shape[0])
        for edge, _, counts in self._windows.take(case, rows, echo, INTERVALS_MIN):
            out, back = sum(c.packets_out for c in counts), sum(c.packets_in for c in counts)
            octets_out, octets_in = sum(c.octets_out for c in counts), sum(c.octets_in for c in counts)
            if min(out, back) < PACKETS_MIN or octets_out + octets_in < OCTETS_MIN:
                continue
            means = octets_out / out, octets_in / back
            if abs(means[0] - means[1]) < UNEQUAL_OCTETS:
                continue
            slot = int(edge["device"])
            text = (
                f"exchanged {out + back} echo messages with {case.peer_text(edge)}, asked with {means[0]:.0f} octets "
                f"and answered with {means[1]:.0f} on average: a ping gives back what it got, so data travels in them"
            )
            evidence = (
                ("requests", out),
                ("replies", back),
                ("octets-asked", octets_out),
                ("octets-answered", octets_in),
            )
            yield edge_draft(case, edge, Said("icmp-tunnel", severity_of(case.role(slot)), text, evidence, EXPECTED))
