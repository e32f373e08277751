"""The table of docs/findings.md: what was played, what was said, how long it took; and what this build cannot say."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from agent.findings.catalogue import CATALOGUE
from agent.service.pipeline import Pipeline
from agent.tap.replay import ReplaySource
from tests.bench.device_days import Told
from tests.service.bench import parts, small
from tests.simulators.bursts import SECRET
from tests.simulators.medium import S
from tests.simulators.stage import Misbehaviour

PAGE = Path(__file__).resolve().parents[2] / "docs" / "findings.md"
BEGIN, END = "<!-- made by tests.bench.detection: begin -->", "<!-- made by tests.bench.detection: end -->"
# Every id of the design that is raised of a device. What the catalogue of a build does not have is not in that build.
DESIGNED = (
    *("smb-exploit", "cleartext-credentials", "exploit-header", "dhcp-starvation", "rogue-router", "rogue-dns"),
    *("neighbour-changed", "rogue-bridge", "on-path-suspected", "dns-tunnel", "dga", "covert-channel"),
    *("dicom-unknown-peer", "dicom-probe", "hl7-second-receiver", "hl7-new-sender", "policy-site", "legacy-tls"),
    *("legacy-os", "cleartext-web", "advisory-match"),
)
HEAD = (
    "| what goes wrong | finding | severity | s from its first frame | s from enough evidence | what is said |",
    "|---|---|---|---|---|---|",
)
CAPTURE_HEAD = ("| capture | finding | severity | seconds from the capture's first frame |", "|---|---|---|---|")
ABSENT, UNPLAYED = "not in this build", "no play"


class Outcome(NamedTuple):
    """What became of a row."""

    title: str
    finding: str
    raised: bool
    severity: str = ""
    after_first_s: float = 0.0  # from the first frame of it
    after_evidence_s: float = 0.0
    within_s: int = 60
    sentence: str = ""
    besides: tuple[str, ...] = ()  # other ids that were raised meanwhile

    @property
    def good(self) -> bool:
        """Raised in time, with a sentence."""
        return self.raised and self.after_evidence_s <= self.within_s and self.sentence.endswith(".")

    def line(self) -> str:
        """As the table has it."""
        if not self.raised:
            return f"| {self.title} | `{self.finding}` | **missed** | | | |"
        late = "" if self.good else " **late**"
        times = f"{self.after_first_s:.0f} | {self.after_evidence_s:.0f}{late}"
        return f"| {self.title} | `{self.finding}` | {self.severity} | {times} | {self.sentence} |"


def others(rows: Iterable[Misbehaviour]) -> list[str]:
    """Lines of ids that nothing was played for: computed from the catalogue, so that none can look passed."""
    played = {row.finding for row in rows}
    lines = [f"| | `{one}` | {UNPLAYED} | | | |" for one in sorted(set(CATALOGUE) - played)]
    return lines + [f"| | `{one}` | {ABSENT} | | | |" for one in sorted(set(DESIGNED) - set(CATALOGUE))]


def section(page: str) -> str:
    """What stands between the marks."""
    found = re.search(re.escape(BEGIN) + r"\n(.*?)" + re.escape(END), page, re.DOTALL)
    assert found, "docs/findings.md has lost the marks of its table"
    return found[1]


def lines_by_title(page: str) -> dict[str, str]:
    """Lines of plays that stand on the page."""
    lines = [line for line in section(page).splitlines() if line.startswith("| ") and line.count("|") == 7]
    return {
        line.split("|")[1].strip(): line for line in lines if line.split("|")[1].strip() not in ("", "what goes wrong")
    }


def capture_lines(page: str) -> list[str]:
    """Lines of captures that stand on the page."""
    return [line for line in section(page).splitlines() if line.startswith("| `") and line.count("|") == 5]


def rewritten(page: str, plays: Sequence[str], captures: Sequence[str], rows: Iterable[Misbehaviour], said: str) -> str:
    """The page with another table."""
    body = [said, "", *HEAD, *plays, *others(rows), "", *CAPTURE_HEAD, *captures]
    return page.replace(BEGIN + "\n" + section(page), BEGIN + "\n" + "\n".join(body) + "\n")


def of_captures(folder: Path, expected: dict[str, set[str]]) -> list[str]:
    """For each real capture and finding that is expected of it: when it was said."""
    lines = []
    for name in sorted(expected):
        told, first_ns = _heard(folder / name)
        for wanted in sorted(expected[name]):
            hit = next((one for one in told.findings if one.id == wanted), None)
            when = f"{hit.severity} | {max(0, hit.time_ns - first_ns) / S:.0f}" if hit else "**missed** | "
            lines.append(f"| `{name}` | `{wanted}` | {when} |")
    return lines


def _heard(path: Path) -> tuple[Told, int]:
    told, source = Told(), ReplaySource([path])
    pipeline, first_ns = Pipeline(small(), parts(), told, SECRET), 0
    rows = pipeline.buffer()
    while (burst := source.next_burst()) is not None:
        first_ns = first_ns or int(burst.frames["time_ns"][0])
        pipeline.note_legs(source.legs())
        for _ in pipeline.take_steps(pipeline.decode(burst, rows)):
            pass
    pipeline.settle()
    pipeline.drain()
    source.close()
    return told, first_ns
