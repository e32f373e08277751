"""on-path-suspected: an address moved to another card, and its traffic shows that it passes through something new.

Each sign by itself has harmless reasons; fused they are how an image is altered on its way: the claimer forwards what
it gets, so the owner's packets come a hop later, or with the stack or the DICOM program of a proxy, or slower.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Final

from agent.findings.case import Case, Told
from agent.findings.draft import Draft, Subject
from agent.findings.paths import Mark, Move, Paths
from agent.findings.records import Severity
from agent.findings.words import NS_PER_S, address_text, mac_text, time_text

WINDOW_NS: Final = 900 * NS_PER_S  # a sign that comes later has another reason
MOVES_MAX: Final = 256  # open at once; a sweep of claims leaves the newest
EXPECTED: Final = "What comes from an address comes from one card, the same number of hops away, by the same programs."
_LOWER: Final = 0xFFFF_FFFF_FFFF_FFFF


class OnPath:
    """Remembers addresses that moved of late, and what was said of them."""

    def __init__(self) -> None:
        self._paths = Paths()
        self._moves: OrderedDict[tuple[int, int], Move] = OrderedDict()  # by address and new card
        self._said: dict[tuple[int, int], int] = {}  # how many signs
        self._blind_ns = 0
        self._flap_ns = 0

    def judge(self, case: Case, moves: Sequence[Move]) -> Iterator[Draft]:
        """Moves of the turn, and signs for those of the last quarter of an hour."""
        self._paths.observe(case)
        self._note_flap(case)
        for move in moves:
            self._moves[move.address, move.mac] = move
            self._moves.move_to_end((move.address, move.mac))
        while self._moves and (len(self._moves) > MOVES_MAX or self._is_over(case.turn.now_ns)):
            self._said.pop(self._moves.popitem(last=False)[0], None)
        for key, move in self._moves.items():
            marks = self._marks(move)
            if len(marks) > self._said.get(key, 0):
                self._said[key] = len(marks)
                slot = case.slot_of(move.mac)
                if slot is not None:
                    yield _draft(case, slot, move, marks)

    def _is_over(self, now_ns: int) -> bool:
        return now_ns - next(iter(self._moves.values())).time_ns > WINDOW_NS

    def _note_flap(self, case: Case) -> None:
        """A leg that heard nothing for a moment: a cable was pulled, and perhaps something put between."""
        blind_ns = sum(leg.blind_ns for leg in case.turn.legs)
        if blind_ns > self._blind_ns:
            self._flap_ns = case.turn.now_ns
        self._blind_ns = blind_ns

    def _marks(self, move: Move) -> list[Mark]:
        marks = self._paths.marks(move)
        if self._flap_ns and 0 <= move.time_ns - self._flap_ns <= WINDOW_NS:
            marks.append(Mark("flap", move.was, "the link was down for a moment before"))
        return marks


def _draft(case: Case, slot: int, move: Move, marks: list[Mark]) -> Draft:
    address = address_text(move.address >> 64, move.address & _LOWER)
    whose = case.end_text(move.was, 0)
    signs = " and ".join(mark.text for mark in marks)
    told = Told(
        text=f"{case.label(slot)} may stand between {whose} and those who talk to it: it took the address {address}, "
        f"and since then {signs}; what is sent there, images too, can be read and altered on its way",
        evidence=(
            ("address", address),
            ("owner", mac_text(move.was)),
            ("signs", ", ".join(["binding", *(mark.kind for mark in marks)])),
            ("first", time_text(move.time_ns)),
            ("last", time_text(case.turn.now_ns)),
        ),
        cause=f"on-path-suspected|{mac_text(move.mac)}",
        first_ns=move.time_ns,
        last_ns=max(move.time_ns, case.turn.now_ns),
        expected=EXPECTED,
    )
    finding = case.finding("on-path-suspected", Severity.PAGE, slot, told)
    return Draft(finding, Subject(move.mac, move.was, address), explains=(Subject(move.mac, move.was, address),))
