"""False findings of a ward that lives for days and comes to no harm: `python -m tests.bench.device_days --seed N`.

A hundred devices for ten days are a thousand device-days; `--seeds 10` are ten thousand. Each frame goes through the
whole pipeline - decoding, metering, identity, learning, judging - on the clock of the simulation. Bars
(docs/findings.md): no page, and at most one review on a ward's list a day once learning has ended. `--restart DAY`:
then the sensor is started anew, as for an update, and goes on with what it kept.
"""

import argparse
import json
import platform
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.clock import ClockState, stopwatch_s
from agent.config import Config
from agent.devices.baseline import LEARN_MIN_NS, Baseline, Phase
from agent.devices.roles import ROLES
from agent.findings.records import Finding, Severity
from agent.flows.records import Rows
from agent.service.clock_watch import ClockWatch
from agent.service.memory import Memory
from agent.service.pipeline import Pipeline
from agent.tap.records import Burst, Fault, LegCounts
from agent.wire.summary import Summary
from tests.service.bench import parts
from tests.simulators.bursts import SECRET
from tests.simulators.medium import S
from tests.simulators.reel import DAY_S
from tests.simulators.ward_cast import START_NS, Life
from tests.simulators.ward_days import FULL_DAYS, LOSS, LOSSY_DAY, OUTAGE_DAY, OUTAGE_S, at, life

PAGES_MAX, REVIEWS_A_DAY_MAX = 0, 1.0
OUTAGE_STEP_S = 60


@dataclass
class Told:
    """An outlet that keeps findings."""

    findings: list[Finding] = field(default_factory=list)
    summaries: int = 0

    wants_flows = False

    def flows(self, records: Rows) -> None:
        """Not wanted."""

    def finding(self, finding: Finding) -> None:
        """Kept."""
        self.findings.append(finding)

    def summary(self, summary: Summary) -> None:
        """Counted; as large as the interval needs it, so that its cost is in the run."""
        self.summaries += bool(summary.interval.end_ns)


class Hands:
    """The tap's clock: it goes with the simulation, until somebody sets the time of day."""

    def __init__(self, tap: "Tap") -> None:
        self._tap = tap

    def mono_ns(self) -> int:
        """Since the ward began."""
        return max(self._tap.pipeline.now_ns - START_NS, 0)

    def wall_ns(self) -> int:
        """The time of day, as it is told."""
        return START_NS + self.mono_ns() + int(self._tap.since("clock_steps_s") * S)

    def state(self) -> tuple[ClockState, int]:
        """Nothing keeps it."""
        return "holdover", -1

    def sleep(self, seconds: float) -> None:
        """Frames alone let time pass."""


class Tap:
    """A pipeline that hears a reel, with the tap's own losses and outages."""

    def __init__(self, ward: Life, config: Config | None = None) -> None:
        self.ward, self.told = ward, Told()
        self._config = config or Config()
        self._begin(Baseline(ROLES))
        self._rows = self.pipeline.buffer()
        self.frames = self.dropped = 0
        self._before = (0, 0)  # frames and dropped ones of the sensor before the restart: a leg counts from its start
        self.lossy: tuple[float, float] = (0.0, 0.0)
        self.outage: tuple[float, float] = (0.0, 0.0)
        self.settled_s: dict[str, float] = {}
        self.says: dict[
            str, float
        ] = {}  # of the tap itself, `from_s` on: losses, frames sent, no carrier, a clock's step
        self._watch = ClockWatch(Hands(self), lambda: None)

    def _begin(self, baseline: Baseline) -> None:
        self.baseline = baseline
        self.pipeline = Pipeline(self._config, replace(parts(), baseline=baseline), self.told, SECRET)

    def restart(self, state: Path) -> None:
        """The sensor ends, and the next one goes on with what it kept in the state folder."""
        now_s = self.pipeline.now_ns // S
        self.pipeline.drain()
        memory = Memory(state, print)
        memory.learning.baseline = self.baseline
        memory.close(self.pipeline, now_s)
        memory = Memory(state, print)
        self._begin(memory.learning.baseline)
        memory.begin(self.pipeline, now_s)
        self._before = (self.frames, self.dropped)

    def hear(self, start_s: float, stop_s: float) -> None:
        """Everything between two moments."""
        for number, rows in enumerate(self.ward.reel.chunks(start_s, stop_s)):
            self.take(rows)
            self._look(start_s + (number + 1) * self.ward.reel.chunk_s)

    def take(self, rows: npt.NDArray[np.void]) -> None:
        """Some frames, in order."""
        for part in self._parts(rows):
            for number, burst in enumerate(self.ward.reel.bursts(part)):
                whole = self._lost(burst, number)
                self.frames += whole.count
                for _ in self.pipeline.take_steps(self.pipeline.decode(whole, self._rows)):
                    pass
                self.pipeline.note_legs([self._leg()])
                noted = self._watch.look()
                held = self.pipeline.engine.clock.stepped_ns
                self.pipeline.engine.clock = noted._replace(stepped_ns=noted.stepped_ns + held)

    def since(self, name: str) -> float:
        """What a fault says of the tap, once it has begun."""
        begun = self.says and self.pipeline.now_ns >= START_NS + self.says["from_s"] * S
        return self.says.get(name, 0) if begun else 0

    def _leg(self, fault: Fault = Fault.NONE, blind_ns: int = 0) -> LegCounts:
        sent = int(self.since("tx_packets"))
        fault = Fault.NO_CARRIER if self.since("blind") else fault
        frames, dropped = self.frames - self._before[0], self.dropped - self._before[1]
        return LegCounts("eth1", frames, dropped, 0, sent, blind_ns=blind_ns, fault=fault)

    def _lost(self, burst: Burst, number: int) -> Burst:
        """Without what the tap itself loses, and counts."""
        times = (burst.frames["time_ns"] - START_NS) / S
        rng = np.random.default_rng((self.ward.reel.seed, int(times[0]), number))
        start, stop, share = *self.lossy, LOSS
        if "dropped_permille" in self.says:
            start, stop, share = self.says["from_s"], np.inf, self.says["dropped_permille"] / 1000
        lost = (times >= start) & (times < stop) & (rng.random(len(times)) < share)
        if not lost.any():
            return burst
        self.dropped += int(lost.sum())
        rows = burst.frames[~lost]
        return Burst(rows, len(rows), burst.octets)

    def _parts(self, rows: npt.NDArray[np.void]) -> Iterator[npt.NDArray[np.void]]:
        """Before and after an outage; during it time passes and the leg says that it is blind."""
        start, stop = self.outage
        times = (rows["time_ns"] - START_NS) / S
        if not len(rows) or stop <= times[0] or start > times[-1]:
            yield rows
            return
        yield rows[times < start]
        for second in range(int(start), int(min(stop, times[-1])), OUTAGE_STEP_S):
            blind_ns = (second - int(start) + 1) * S
            self.pipeline.note_legs([self._leg(Fault.NO_CARRIER, blind_ns)])
            self.pipeline.advance(START_NS // S + second)
        yield rows[times >= stop]

    def _look(self, now_s: float) -> None:
        """Which roles have learned enough by now."""
        for number, pool in self.baseline.pools.items():
            if pool.phase is not Phase.LEARNING:
                self.settled_s.setdefault(ROLES[number], now_s)


def run(seed: int, days: float = FULL_DAYS, share: float = 1.0, restart: float | None = None) -> dict[str, Any]:
    """One ward: what was said, and what it rests on. `restart`: the day on which the sensor is started anew."""
    began_s = stopwatch_s()
    ward = life(seed, days, share)
    tap = Tap(ward)
    tap.lossy = (at(ward, LOSSY_DAY), at(ward, LOSSY_DAY + 0.5))
    tap.outage = (at(ward, OUTAGE_DAY), at(ward, OUTAGE_DAY) + OUTAGE_S * days / FULL_DAYS)
    with tempfile.TemporaryDirectory() as state:
        again_s = days * DAY_S if restart is None else restart * DAY_S
        tap.hear(0.0, again_s)
        if restart is not None:
            tap.restart(Path(state))
            tap.hear(again_s, days * DAY_S)
    tap.pipeline.drain()
    return report(tap, days) | {"seed": seed, "seconds": round(stopwatch_s() - began_s, 1)}


def report(tap: Tap, days: float) -> dict[str, Any]:
    """Figures of a run. A review counts once on each day on which its cause is told."""
    findings, ward = tap.told.findings, tap.ward
    roles = Counter(tap.pipeline.ward.role(int(slot)) for slot in tap.pipeline.table.occupied())
    devices = Counter({role: len(ward.of(role)) for role in ROLES if ward.of(role)})
    learned_s = min(LEARN_MIN_NS / S, days * DAY_S)  # the least that learning takes; some roles learn for longer
    items = [f for f in findings if f.severity is Severity.REVIEW]
    fresh = {(f.cause, _day(f)): f for f in reversed(items)}.values()  # an item of each day on which it is told
    late = [f for f in fresh if (f.time_ns - START_NS) / S >= learned_s]
    by_day = Counter(map(_day, fresh))
    return {
        "devices": devices.total(),
        "days": days,
        "device_days": round(devices.total() * days),
        "frames": tap.frames,
        "conserved": tap.pipeline.conserved(),
        "pages": [_line(f) for f in findings if f.severity is Severity.PAGE],
        "reviews": len(fresh),
        "review_repeats": len(items) - len(fresh),
        "learned_after_days": round(learned_s / DAY_S, 2),
        "reviews_after_learning": len(late),
        "reviews_a_day_after_learning": round(len(late) / max(days - learned_s / DAY_S, 1e-9), 2) if late else 0.0,
        "reviews_by_day": [by_day.get(day, 0) for day in range(int(-(-days // 1)))],
        "review_ids": dict(Counter(f.id for f in fresh)),
        "other": dict(Counter(f"{f.severity} {f.id}" for f in findings if f.severity not in ("page", "review"))),
        "roles": dict(roles),
        "settled_after_days": {role: round(s / DAY_S, 1) for role, s in tap.settled_s.items()},
        "not_learned": {"refused": tap.baseline.refused, "late": tap.baseline.late},
        "lines": [_line(f) for f in items],
    }


def _day(finding: Finding) -> int:
    return int((finding.time_ns - START_NS) // S // DAY_S)


def _line(finding: Finding) -> str:
    seconds = (finding.time_ns - START_NS) // S
    day, rest = divmod(seconds, DAY_S)
    return f"day {day} {rest // 3600:02}:{rest // 60 % 60:02} {finding.severity} {finding.id}: {finding.sentence}"


def main(arguments: list[str] | None = None) -> int:
    """Print figures as JSON, one line a seed; exit code 1 when a bar is not met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="so many, from --seed on")
    parser.add_argument("--days", type=float, default=FULL_DAYS)
    parser.add_argument("--restart", type=float, metavar="DAY", help="start the sensor anew on that day, such as 6.4")
    parser.add_argument("--lines", action="store_true", help="every page and review, too")
    given = parser.parse_args(arguments)
    missed = 0
    for seed in range(given.seed, given.seed + given.seeds):
        found = run(seed, given.days, restart=given.restart)
        lines = found.pop("lines")
        missed += len(found["pages"]) > PAGES_MAX or found["reviews_a_day_after_learning"] > REVIEWS_A_DAY_MAX
        print(json.dumps(found | {"machine": platform.machine(), "date": datetime.now(UTC).date().isoformat()}))
        if given.lines:
            print(*lines, sep="\n", file=sys.stderr)
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
