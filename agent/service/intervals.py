"""The book of intervals: when one ends, what the counters were when it began, how many empty ones were passed over."""

import os
import resource
from typing import NamedTuple

from agent import __version__
from agent.clock import NS_PER_S
from agent.config import SummariesConfig
from agent.findings.records import Pressure
from agent.packets.counts import FrameCounts
from agent.summaries.builder import Coverage
from agent.tap.records import LegCounts
from agent.wire.summary import Interval, Leg

NS_PER_MS = 1_000_000


class Counted(NamedTuple):
    """Cumulative counters of the stages, read together."""

    frames: FrameCounts
    flows_exported: int
    flows_evicted: int
    findings: int
    hints_skipped: int
    edges_waiting: int
    legs: list[LegCounts]
    pressure: Pressure = Pressure()
    detail: str = "full"  # the coarsest level of the overload ladder in the open interval
    shares: tuple[int, ...] = ()  # frames of each worker

    @property
    def dropped(self) -> int:
        """Frames that the kernel lost on all legs since takeover."""
        return sum(leg.dropped for leg in self.legs)

    @property
    def of_the_tap(self) -> tuple[int, int]:
        """What no interval passes over in silence: frames that the tap sent, and time in which it heard nothing."""
        return sum(leg.tx_packets for leg in self.legs), sum(leg.blind_ns for leg in self.legs)


def memory_bytes() -> int:
    """Anonymous memory of this process now; 0 where the system does not say."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - a pseudo file
            for line in status:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _of_the_tables(grown: Pressure) -> dict[str, int | str]:
    """What full tables had to give up in the interval, beside flows, which stand in the coverage."""
    given_up = {"edges_evicted": grown.edges, "devices_evicted": grown.devices, "frames_unplaced": grown.frames}
    return {key: value for key, value in given_up.items() if value}


def _of_the_workers(now: tuple[int, ...], before: tuple[int, ...]) -> dict[str, int | str]:
    """How the frames of the interval were shared out; nothing is said of one worker."""
    if len(now) < 2:
        return {}
    grown = [count - then for count, then in zip(now, before or (0,) * len(now), strict=True)]
    return {"workers": len(now), **{f"worker{number}_frames": count for number, count in enumerate(grown)}}


def _of_the_legs(legs: list[LegCounts]) -> dict[str, int | str]:
    """What a leg's own row has no place for, since takeover; what is zero is left out."""
    told: dict[str, int | str] = {}
    for number, leg in enumerate(legs):
        waiting = leg.received - leg.frames - (leg.dropped - leg.nic_lost)  # negative: counts read a moment apart
        told |= {
            f"leg{number}_waiting": max(0, waiting),
            f"leg{number}_nic_received": leg.nic_received,
            f"leg{number}_nic_lost": leg.nic_lost,
            f"leg{number}_nic_errors": leg.nic_errors,
            f"leg{number}_blind_ms": leg.blind_ns // NS_PER_MS,
            f"leg{number}_fault": leg.fault.value,
        }
    return {key: value for key, value in told.items() if value}


class IntervalBook:
    """Interval ends are multiples of the interval's length, so that all taps of a site cut time alike."""

    def __init__(self, config: SummariesConfig, contracts_version: str, config_digest: str) -> None:
        self._length_s, self._cards_every_s = config.interval_s, config.cards_every_s
        self._contracts_version, self._config_digest = contracts_version, config_digest
        self._start_s = 0
        self.end_s = 0
        self._empty = 0
        self.heard_s = 0  # intervals that closed with something in them, from the first on
        self._before = Counted(FrameCounts(), 0, 0, 0, 0, 0, [])
        self._cards_s: int | None = None

    def begin(self, second: int) -> None:
        """The first frame or the first tick opens the first interval."""
        self._start_s = second - second % self._length_s
        self.end_s = self._start_s + self._length_s

    def is_active(self, now: Counted) -> bool:
        """Whether anything was counted since the interval began."""
        before = self._before
        counts = (now.frames.frames, now.flows_exported, now.findings, now.dropped, now.of_the_tap)
        return counts != (
            before.frames.frames,
            before.flows_exported,
            before.findings,
            before.dropped,
            before.of_the_tap,
        )

    @property
    def start_s(self) -> int:
        """When the open interval began."""
        return self._start_s

    def skip_empty(self, second: int) -> None:
        """Pass over whole empty intervals that end at or before `second`."""
        empty = max(0, (second - self._start_s) // self._length_s)
        self._empty += empty
        self._start_s += empty * self._length_s
        self.end_s = self._start_s + self._length_s

    def losses(self, now: Counted) -> tuple[int, int]:
        """(frames, dropped) of the open interval."""
        return now.frames.frames - self._before.frames.frames, now.dropped - self._before.dropped

    def cards_asked(self) -> None:
        """Every card is due at the next close."""
        self._cards_s = None

    def all_cards_due(self, second: int) -> bool:
        """Once an hour every card is told again, for a collector that came late."""
        if self._cards_s is None or second - self._cards_s >= self._cards_every_s:
            self._cards_s = second
            return True
        return False

    def coverage(self, now: Counted) -> Coverage:
        """What the open interval's numbers rest on."""
        before, frames = self._before, now.frames.minus(self._before.frames)
        health: dict[str, int | str] = {
            "memory_bytes": memory_bytes(),
            "cpu_ms": int(sum(os.times()[:2]) * 1000),
            "software": __version__,
            "contracts": self._contracts_version,
            "config": self._config_digest[:16],
            "hints_skipped": now.hints_skipped - before.hints_skipped,
            "edges_waiting": now.edges_waiting,
            "unseen_frames": frames.unseen,
            "detail": now.detail,
            **_of_the_tables(now.pressure.since(before.pressure)),
            **_of_the_workers(now.shares, before.shares),
            **_of_the_legs(now.legs),
        }
        counted = zip(now.legs, frames.leg_frames.tolist(), frames.leg_octets.tolist(), strict=False)
        return Coverage(
            legs=tuple(Leg(leg.name, n, octets, leg.dropped, leg.frozen, leg.tx_packets) for leg, n, octets in counted),
            ignored=frames.ignored(),
            duplicates=frames.duplicates,
            truncated=frames.cut,
            processed=frames.processed,
            flows_exported=now.flows_exported - before.flows_exported,
            flows_evicted=now.flows_evicted - before.flows_evicted,
            health=health,
        )

    def close(self, second: int, now: Counted) -> Interval:
        """The interval that ends now; the next one begins with today's counters."""
        interval = Interval(self._start_s * NS_PER_S, min(self.end_s, second) * NS_PER_S, self._empty)
        self.heard_s += self._length_s
        self._before = now._replace(frames=now.frames.copy())
        self._empty = 0
        self.begin(second)
        return interval
