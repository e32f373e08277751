"""legacy-tls: a device agrees to, or asks for nothing newer than, a TLS that was withdrawn (RFC 8996, RFC 7568)."""

from collections.abc import Iterator
from typing import Final

from agent.findings.case import Case
from agent.findings.draft import Draft
from agent.findings.inventory import Fact, Inventory

EXPECTED: Final = "TLS on a ward is version 1.2 or 1.3; older ones were withdrawn in 2015 and 2021."
OLD: Final = {"ssl3": "SSL 3.0", "1.0": "TLS 1.0", "1.1": "TLS 1.1"}


class LegacyTls:
    """Remembers which versions were said."""

    def __init__(self) -> None:
        self._told = Inventory("legacy-tls")

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval, once for each device, side and version, the oldest one."""
        self._told.begin()
        for slot, posture in case.postures():
            for side, versions in (("answers", posture.tls_answers), ("asks", posture.tls_asks)):
                old = next((version for version in versions if version in OLD), "")
                if not old:
                    continue
                text = f"agreed to {OLD[old]} as a server" if side == "answers" else f"asked for {OLD[old]} at most"
                evidence = (("version", OLD[old]), ("side", "server" if side == "answers" else "client"))
                fact = Fact(slot, f"{side}-{old}", f"{text}, which was withdrawn", evidence, EXPECTED)
                draft = self._told.draft(case, fact)
                if draft is not None:
                    yield draft
