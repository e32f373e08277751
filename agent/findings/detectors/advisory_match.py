"""advisory-match: there are public advisories about products like this device."""

from collections.abc import Iterator
from typing import Final

from agent.devices.records import Posture
from agent.findings.case import Case
from agent.findings.draft import Draft
from agent.findings.inventory import Fact, Inventory

EXPECTED: Final = "Biomedical engineering knows the advisories about its devices and which versions they run."
LISTED_MAX: Final = 6  # advisories whose ids stand in the finding, the newest first
TITLE_MAX: Final = 80


class AdvisoryMatches:
    """Remembers which advisories were said."""

    def __init__(self) -> None:
        self._told = Inventory("advisory-match")

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval, once for each device, and again when there is another advisory."""
        self._told.begin()
        for slot, posture in case.postures():
            if posture.advisories:
                draft = self._told.draft(case, _fact(slot, posture))
                if draft is not None:
                    yield draft


def _fact(slot: int, posture: Posture) -> Fact:
    found = posture.advisories
    newest, product = found[0], any(advisory.match == "product" for advisory in found)
    count = "is one public advisory" if len(found) == 1 else f"are {len(found)} public advisories"
    like = "its product" if product else "products of its maker for this use"
    text = (
        f"is a device for which there {count} about {like}, the newest {newest.id} ({newest.title[:TITLE_MAX]}); "
        "whether this one has the flaws cannot be heard on the network"
    )
    evidence = (
        ("advisories", ", ".join(advisory.id for advisory in found[:LISTED_MAX])),
        ("advisories-count", len(found)),
        ("flaws", sum(advisory.flaws for advisory in found)),
        ("match", "product" if product else "maker"),
    )
    return Fact(slot, f"{newest.id}-{len(found)}-{'product' if product else 'maker'}", text, evidence, EXPECTED)
