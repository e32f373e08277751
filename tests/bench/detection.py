"""What the tap sees of a ward that goes wrong: `python -m tests.bench.detection`, with `--write` into docs/findings.md.

The ward of device_days.py lives until its roles have learned; then, for each row of misbehaviour.py, a copy of that
process (a fork) hears the ward go on with the one misbehaviour in it. Raised is what bears the right id and the right
device. Time runs from the moment at which there was enough to tell, which each row states, to the finding.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from agent.findings.words import mac_text
from tests.bench import tradeoff
from tests.bench.detection_page import (
    PAGE,
    Outcome,
    capture_lines,
    lines_by_title,
    of_captures,
    rewritten,
    section,
)
from tests.bench.device_days import Tap
from tests.conftest import captures_folder
from tests.service.test_replay_findings import EXPECTED
from tests.simulators.medium import S
from tests.simulators.misbehaviour import MISBEHAVIOURS
from tests.simulators.reel import DAY_S
from tests.simulators.stage import Misbehaviour, Stage
from tests.simulators.ward_cast import START_NS
from tests.simulators.ward_days import life

SEED, SHARE_MIN = 1, 0.95
BEGINS_S = 3.5 * DAY_S + 1037.0  # noon of the fourth day; not where an interval begins
CHUNK_S = 60


def played(tap: Tap, row: Misbehaviour, at_s: float = BEGINS_S) -> Outcome:
    """Hear the ward go on with one misbehaviour in it; it has been heard until the interval in which that begins."""
    stage = Stage(tap.ward, at_s)
    row.play(stage)
    before = len(tap.told.findings)
    tap.ward.reel.chunk_s = CHUNK_S
    began_s = at_s - at_s % CHUNK_S
    tap.says = {**stage.legs, "from_s": at_s} if stage.legs else {}
    tap.hear(began_s, began_s + row.lasts_s + 2 * CHUNK_S)
    said = [f for f in tap.told.findings[before:] if (f.time_ns - START_NS) / S >= at_s]
    hits = [f for f in said if f.id == row.finding and (not stage.mac or mac_text(f.mac) == stage.mac)]
    besides = tuple(sorted({f.id for f in said} - {row.finding}))
    if not hits:
        return Outcome(row.title, row.finding, raised=False, within_s=row.within_s, besides=besides)
    first = hits[0]
    after_s = (first.time_ns - START_NS) / S - at_s
    return Outcome(
        row.title, row.finding, True, str(first.severity), round(after_s, 1),
        round(max(0.0, after_s - stage.evidence_s), 1), row.within_s, first.sentence, besides,
    )  # fmt: skip


def warm(seed: int, until_s: float, share: float = 1.0) -> Tap:
    """A ward whose roles have learned."""
    tap = Tap(life(seed, share=share))
    tap.hear(0.0, until_s)
    return tap


def forked(tap: Tap, row: Misbehaviour, at_s: float = BEGINS_S) -> Outcome:
    """Play a row in a copy of this process."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        code = 1
        try:
            with os.fdopen(writing, "w") as pipe:
                json.dump(played(tap, row, at_s), pipe)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    fields = json.loads(text)
    return Outcome(*fields[:-1], besides=tuple(fields[-1]))


def every(seed: int, rows: Sequence[Misbehaviour] = MISBEHAVIOURS) -> list[Outcome]:
    """All rows on one ward."""
    tap = warm(seed, BEGINS_S - BEGINS_S % CHUNK_S)
    outcomes = []
    for row in rows:
        outcomes.append(forked(tap, row))
        print(json.dumps(outcomes[-1]._asdict()), flush=True)
    return outcomes


def write(outcomes: Sequence[Outcome] | None, seed: int) -> None:
    """Put the table on its page: with these outcomes, or with the lines that stand there and the ids of this build."""
    page, folder = PAGE.read_text(encoding="utf-8"), captures_folder()
    captures = of_captures(folder, EXPECTED) if folder else capture_lines(page)
    if outcomes is None:
        standing = lines_by_title(page)
        plays = [standing[row.title] for row in MISBEHAVIOURS if row.title in standing]
        said = section(page).splitlines()[0]
    else:
        plays = [one.line() for one in outcomes]
        good, day = sum(one.good for one in outcomes), datetime.now(UTC).date().isoformat()
        said = f"{good} of {len(outcomes)} told in time (ward of seed {seed}, {day})."
    PAGE.write_text(rewritten(page, plays, captures, MISBEHAVIOURS, said), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Play them; exit code 1 when fewer than 95 in a hundred are told in time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", default="", help="rows whose id or title has this in it")
    parser.add_argument("--write", action="store_true", help="into docs/findings.md, and the picture")
    parser.add_argument("--rows", action="store_true", help="play nothing: only captures and ids of this build anew")
    given = parser.parse_args(arguments)
    if given.rows:
        write(None, given.seed)
        return 0
    rows = [row for row in MISBEHAVIOURS if given.only in f"{row.finding} {row.title}"]
    outcomes = every(given.seed, rows)
    if given.write and not given.only:
        write(outcomes, given.seed)
        tradeoff.draw()
    good = sum(one.good for one in outcomes)
    print(f"{good} of {len(outcomes)} told in time", file=sys.stderr)
    return 0 if good >= SHARE_MIN * len(outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
