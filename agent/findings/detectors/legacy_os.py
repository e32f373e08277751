"""legacy-os: a device runs a system that nobody corrects any more."""

from collections.abc import Iterator
from typing import Final

from agent.findings.case import Case
from agent.findings.draft import Draft
from agent.findings.inventory import Fact, Inventory
from agent.findings.words import time_text

EXPECTED: Final = (
    "A system on the network is one that its maker still corrects, or it stands behind a filter of its own."
)


class LegacySystems:
    """Remembers which systems were said."""

    def __init__(self) -> None:
        self._told = Inventory("legacy-os")

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval, once for each device and system. The day is compared with the capture's own."""
        self._told.begin()
        today = time_text(case.turn.now_ns)[:10]
        for slot, posture in case.postures():
            if not posture.ended or posture.ended >= today:
                continue
            text = f"runs {posture.system}, for which there have been no public corrections since {posture.ended}"
            evidence = (
                ("system", posture.system),
                ("support-ended", posture.ended),
                ("said-by", ", ".join(posture.said_by)),
            )
            draft = self._told.draft(case, Fact(slot, posture.system, text, evidence, EXPECTED))
            if draft is not None:
                yield draft
