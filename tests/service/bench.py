"""A whole pipeline over forged frames, and what came out of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from agent.config import Config
from agent.findings.records import Finding
from agent.flows.records import Rows
from agent.service.parts import Judgement, judgement
from agent.service.pipeline import Pipeline
from agent.service.status import LISTENING, VERSION, LegStatus, SpoolStatus, Status, Talker
from agent.wire.summary import Summary
from tests.forge.pcap import Frame
from tests.simulators.bursts import SECRET, Heard, burst_of

KEY = bytes(range(32))
S = 1_000_000_000


def small(**summaries: int) -> Config:
    """The defaults with small tables, so that a pipeline is quickly made."""
    base = Config()
    metering = base.metering._replace(flow_slots_max=4096, edge_slots_max=8192, device_slots_max=256, fan_slots_max=512)
    return base._replace(metering=metering, summaries=base.summaries._replace(**summaries))


@cache
def parts() -> Judgement:
    """Packs and contracts as shipped; read once."""
    return judgement(Config(), KEY)


@dataclass
class Kept:
    """An outlet that keeps everything."""

    records: list[Rows] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    summaries: list[Summary] = field(default_factory=list)

    wants_flows = True

    def flows(self, records: Rows) -> None:
        self.records.append(records.copy())

    def finding(self, finding: Finding) -> None:
        self.findings.append(finding)

    def summary(self, summary: Summary) -> None:
        self.summaries.append(summary)


class Sensor:
    """A pipeline, its outlet, and bursts of frames."""

    def __init__(self, config: Config | None = None) -> None:
        self.kept = Kept()
        self.pipeline = Pipeline(config or small(), parts(), self.kept, SECRET)

    def play(self, frames: Iterable[Frame], *, leg: int = 0) -> list[int]:
        """One burst at file time; the seconds it stepped through."""
        burst = burst_of(Heard(f.octets, f.wirelen or len(f.octets), leg=leg, time_ns=f.time_ns) for f in frames)
        rows = self.pipeline.buffer()
        return list(self.pipeline.take_steps(self.pipeline.decode(burst, rows)))

    def end(self) -> Kept:
        """Drain; every count must add up."""
        self.pipeline.drain()
        assert self.pipeline.conserved()
        return self.kept


def leg_status(name: str = "eth1", **fields: Any) -> LegStatus:
    """A leg that hears a thousand frames a second."""
    return LegStatus(name, "", 50_000, 30_000_000, 0, 0, 0, 0, 0, 0, 0, 1000, 600_000, 0)._replace(**fields)


def status_of(**fields: Any) -> Status:
    """A sensor's second on a small ward."""
    return Status(
        version=VERSION,
        state=LISTENING,
        boot="00" * 16,
        pid=1,
        agent="tap-1",
        site="ward",
        software="0.1.0",
        wall_ns=1_700_000_000 * S,
        mono_ns=1000 * S,
        started_ns=900 * S,
        interval_s=60,
        interval_age_s=20,
        devices=42,
        findings=3,
        summaries=1,
        flows_open=120,
        flows_slots=131_072,
        workers=1,
        flows_exported=900,
        flows_evicted=0,
        tcp_flows=80,
        tcp_both=76,
        tcp_one=1,
        ignored=5,
        duplicates=0,
        hints_skipped=0,
        legs=(leg_status(),),
        talkers=(Talker("00:d0:75:18:42:9b", "infusion-pump", "Alaris Medical", 120_000),),
        spool=SpoolStatus(12 << 20, 512 << 20, 0, 0, 0),
    )._replace(**fields)
