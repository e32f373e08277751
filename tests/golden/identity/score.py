"""What identity says of devices against what is known: right, unknown or wrong; precision and recall per role."""

from collections.abc import Iterable
from typing import NamedTuple

from agent.devices.roles import ROLES, UNKNOWN

SURE = 0.6  # the confidence from which a role may page: a wrong role above it is the worst that can happen


class Row(NamedTuple):
    """One device of one capture. `truth` and `maker` are empty where nobody has said."""

    capture: str
    device: str
    truth: str
    said: str
    confidence: float
    maker: str
    vendor: str

    def verdict(self) -> str:
        """In a word."""
        if not self.truth:
            return "-"
        return "right" if self.said == self.truth else "unknown" if self.said == UNKNOWN else "WRONG"

    def surely_wrong(self) -> bool:
        """Whether a wrong role was said so surely that it may page."""
        return self.verdict() == "WRONG" and self.confidence > SURE

    def vendor_wrong(self) -> bool:
        """Whether another maker was told than the known one, or none."""
        return bool(self.maker) and not self.vendor.startswith(self.maker)


class Score(NamedTuple):
    """Of one role: devices that have it, of these told right and told unknown; devices wrongly given it."""

    role: str
    devices: int
    right: int
    unknown: int
    falsely: int

    @property
    def precision(self) -> float | None:
        """Of those that were given the role, the share that has it; None when nobody was."""
        given = self.right + self.falsely
        return self.right / given if given else None

    @property
    def recall(self) -> float | None:
        """Of those that have the role, the share that was given it."""
        return self.right / self.devices if self.devices else None


def scores(rows: Iterable[Row]) -> list[Score]:
    """Every role that a device has or was given, in the order of the roles; devices without a truth do not count."""
    known = [row for row in rows if row.truth]
    told = []
    for role in ROLES:
        having = [row for row in known if row.truth == role]
        right = sum(row.said == role for row in having)
        unknown = sum(row.said == UNKNOWN for row in having)
        falsely = sum(row.said == role != row.truth for row in known)
        if (having or falsely) and role != UNKNOWN:
            told.append(Score(role, len(having), right, unknown, falsely))
    return told


def total(rows: Iterable[Row]) -> Score:
    """All roles together."""
    known = [row for row in rows if row.truth]
    verdicts = [row.verdict() for row in known]
    return Score("all", len(known), verdicts.count("right"), verdicts.count("unknown"), verdicts.count("WRONG"))


def table(rows: list[Row]) -> list[str]:
    """Precision and recall in Markdown."""
    lines = [
        "| role | devices | right | unknown | wrongly given | precision | recall |",
        "|---|---|---|---|---|---|---|",
    ]
    for score in [*scores(rows), total(rows)]:
        shares = " | ".join("-" if part is None else f"{part:.2f}" for part in (score.precision, score.recall))
        counts = " | ".join(str(count) for count in score[1:])
        lines.append(f"| {score.role} | {counts} | {shares} |")
    return lines
