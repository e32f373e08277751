"""What the sensor tells of the last second: differences of the tables' counters, taken once a second.

All of it is read between two bursts by the thread that owns the tables, into arrays that are there from the start.
What may take its time (the board, the file) is `status_writer`'s, on a thread of its own.
"""

import os
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from agent import __version__
from agent.clock import NS_PER_S, Clock, boot_id
from agent.config import Config
from agent.devices.view import mac_text
from agent.jit import Hashes
from agent.service.pipeline import Pipeline
from agent.service.status import (
    LISTENING,
    TALKERS_MAX,
    VERSION,
    LegStatus,
    SpoolStatus,
    Status,
    Talker,
)
from agent.spool.records import SpoolCounts
from agent.tap.records import LEGS_MAX, LegCounts

TALKER_SECONDS = 5  # over which a talker's rate is taken: one second is a burst, a minute is the page's
NS_PER_MS = 1_000_000


class Spool(Protocol):
    """The spool's numbers."""

    @property
    def bytes_used(self) -> int:
        """Octets of all segments of the folder."""

    @property
    def backlog_bytes(self) -> int:
        """Octets in memory that are not durable."""

    @property
    def counts(self) -> SpoolCounts:
        """What happened since it was opened."""


@dataclass(slots=True)
class _LegBefore:
    """A leg as of the last status."""

    frames: int = 0
    octets: int = 0
    dropped: int = 0
    heard_ns: int | None = None  # monotonic time of the status that first had its newest frame


class Talkers:
    """Octets of every device in each of the last seconds; a slot that got another owner begins anew."""

    def __init__(self, slots: int) -> None:
        self._owners = np.zeros(slots, np.uint64)
        self._before = np.zeros(slots, np.uint64)
        self._steps = np.zeros((TALKER_SECONDS, slots), np.int64)
        self._spans_ns = [0] * TALKER_SECONDS
        self._turn = 0

    def note(self, macs: Hashes, octets: Hashes, span_ns: int) -> None:
        """Take in the cumulative octets of every slot, `span_ns` after the last time."""
        others = np.flatnonzero(self._owners != macs)
        step = self._steps[self._turn]
        np.subtract(octets.view(np.int64), self._before.view(np.int64), out=step)
        self._steps[:, others] = 0
        self._owners[others] = macs[others]
        self._before[:] = octets
        self._spans_ns[self._turn] = span_ns
        self._turn = (self._turn + 1) % TALKER_SECONDS

    def top(self, most: int = TALKERS_MAX) -> list[tuple[int, int]]:
        """(slot, octets a second) of the busiest, the busiest first."""
        totals, seconds = self._steps.sum(axis=0), sum(self._spans_ns) / NS_PER_S
        busiest = np.argsort(-totals, kind="stable")[:most].tolist()
        return [(slot, int(totals[slot] / seconds)) for slot in busiest if totals[slot] > 0 and seconds > 0]


class StatusBook:
    """Remembers the last status, so that each tells of its own second."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._started_ns = clock.mono_ns()
        self._last_ns = self._started_ns
        self._boot, self._pid = boot_id().hex(), os.getpid()
        self._legs = [_LegBefore() for _ in range(LEGS_MAX)]
        slots = config.metering.device_slots_max
        self._talkers = Talkers(slots)
        self._octets = np.zeros(slots, np.uint64)

    def take(self, pipeline: Pipeline, legs: list[LegCounts], spool: Spool, state: str = LISTENING) -> Status:
        """What is so now."""
        now_ns, wall_ns = self._clock.mono_ns(), self._clock.wall_ns()
        span_ns, self._last_ns = max(1, now_ns - self._last_ns), now_ns
        devices = pipeline.table.devices
        np.add(devices["tx_octets"], devices["rx_octets"], out=self._octets)
        self._talkers.note(devices["mac"], self._octets, span_ns)
        cache, frames, site = pipeline.cache, pipeline.frames, self._config.site
        ways, began_s = cache.tcp_ways(), pipeline.interval_start_s
        return Status(
            version=VERSION,
            state=state,
            boot=self._boot,
            pid=self._pid,
            agent=site.agent,
            site=site.site,
            software=__version__,
            wall_ns=wall_ns,
            mono_ns=now_ns,
            started_ns=self._started_ns,
            interval_s=self._config.summaries.interval_s,
            interval_age_s=max(0, wall_ns // NS_PER_S - began_s) if began_s else 0,
            devices=pipeline.devices,
            findings=pipeline.findings,
            summaries=pipeline.summaries,
            flows_open=cache.open,
            flows_slots=self._config.metering.flow_slots_max,
            workers=len(pipeline.workers),
            flows_exported=cache.exported,
            flows_evicted=cache.evicted,
            tcp_flows=ways.flows,
            tcp_both=ways.both,
            tcp_one=ways.one,
            ignored=sum(frames.ignored().values()),
            duplicates=frames.duplicates,
            hints_skipped=pipeline.hints_skipped,
            legs=self._legs_now(pipeline, legs, span_ns),
            talkers=tuple(self._talker(pipeline, slot, rate) for slot, rate in self._talkers.top()),
            spool=self._spool(spool),
        )

    def _legs_now(self, pipeline: Pipeline, legs: list[LegCounts], span_ns: int) -> tuple[LegStatus, ...]:
        counted = (pipeline.frames.leg_frames.tolist(), pipeline.frames.leg_octets.tolist())
        rows = zip(legs, self._legs, *counted, strict=False)
        return tuple(self._leg(leg, before, frames, octets, span_ns) for leg, before, frames, octets in rows)

    def _leg(self, leg: LegCounts, before: _LegBefore, frames: int, octets: int, span_ns: int) -> LegStatus:
        if frames > before.frames:
            before.heard_ns = self._last_ns
        silent_s = -1 if before.heard_ns is None else (self._last_ns - before.heard_ns) // NS_PER_S
        steps = (frames - before.frames, octets - before.octets, leg.dropped - before.dropped)
        before.frames, before.octets, before.dropped = frames, octets, leg.dropped
        frames_per_s, octets_per_s, dropped_per_s = (step * NS_PER_S // span_ns for step in steps)
        return LegStatus(
            name=leg.name,
            fault=leg.fault.value,
            frames=frames,
            octets=octets,
            dropped=leg.dropped,
            frozen=leg.frozen,
            tx_packets=leg.tx_packets,
            nic_errors=leg.nic_errors,
            waiting=max(0, leg.received - leg.frames - (leg.dropped - leg.nic_lost)),
            blind_ms=leg.blind_ns // NS_PER_MS,
            silent_s=silent_s,
            frames_per_s=frames_per_s,
            octets_per_s=octets_per_s,
            dropped_per_s=dropped_per_s,
        )

    def _talker(self, pipeline: Pipeline, slot: int, rate: int) -> Talker:
        ward = pipeline.ward
        return Talker(mac_text(ward.mac(slot)), ward.role(slot), ward.identity(slot).vendor, rate)

    def _spool(self, spool: Spool) -> SpoolStatus:
        counts = spool.counts
        return SpoolStatus(
            used_bytes=spool.bytes_used,
            limit_bytes=self._config.spool.limit_bytes,
            pending_bytes=spool.backlog_bytes,
            not_sent=counts.dropped + counts.given_up,
            write_errors=counts.write_errors,
        )
