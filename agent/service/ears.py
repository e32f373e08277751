"""Captures through the whole pipeline for somebody who asks what is said of them: nothing is stored or sent."""

from collections.abc import Sequence
from pathlib import Path

from agent.config import Config
from agent.findings.records import Finding
from agent.findings.suppressions import Explained
from agent.flows.records import Rows
from agent.service.feed import decoded_bursts
from agent.service.parts import Judgement, judgement
from agent.service.pipeline import Pipeline
from agent.tap.replay import ReplaySource
from agent.wire.summary import Summary

NO_SECRET = bytes(32)  # pseudonyms that nobody is shown


class Ears:
    """Outlet of a pipeline that keeps the findings."""

    wants_flows = False

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def flows(self, records: Rows) -> None:
        """None are asked for."""

    def finding(self, finding: Finding) -> None:
        """Kept."""
        self.findings.append(finding)

    def summary(self, summary: Summary) -> None:
        """Not of interest to everybody."""


def listen(
    paths: Sequence[Path], config: Config, ears: Ears, explained: Explained | None = None
) -> tuple[Pipeline, Judgement]:
    """The pipeline when all captures have gone through it. InputError for the first one that cannot be read whole."""
    parts = judgement(config, NO_SECRET)
    pipeline = Pipeline(config, parts, ears)
    if explained is not None:
        pipeline.engine.explain(explained)
    source = ReplaySource(list(paths))
    for decoded in decoded_bursts(source, pipeline.decode):
        pipeline.note_legs(source.legs())
        for _ in pipeline.take_steps(decoded):
            pass
    pipeline.settle()
    pipeline.drain()
    source.close()
    if source.faults:
        raise source.faults[0]
    return pipeline, parts
