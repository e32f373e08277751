"""A whole pipeline over forged frames, and what came out of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from agent.config import Config
from agent.findings.records import Finding
from agent.flows.records import Rows
from agent.service.parts import judgement
from agent.service.pipeline import Judgement, Pipeline
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
        rows = self.pipeline.decoder.buffer()
        return list(self.pipeline.take_steps(self.pipeline.decode(burst, rows)))

    def end(self) -> Kept:
        """Drain; every count must add up."""
        self.pipeline.drain()
        assert self.pipeline.conserved()
        return self.kept
