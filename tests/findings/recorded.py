"""The findings of a capture: the whole pipeline over it, as a replay has it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.config import Config
from agent.findings.records import Finding
from agent.service.ears import Ears
from agent.service.feed import decoded_bursts
from agent.service.parts import judgement
from agent.service.pipeline import Pipeline
from agent.tap.replay import ReplaySource


def found_in(path: Path, findings: Mapping[str, Any] | None = None) -> list[Finding]:
    """What the sensor says of a file; `findings` changes the section of that name of the configuration."""
    config, ears = Config(), Ears()
    config = config._replace(findings=config.findings._replace(**(findings or {})))
    pipeline = Pipeline(config, judgement(config, bytes(32)), ears)
    source = ReplaySource([path])
    for decoded in decoded_bursts(source, pipeline.decode):
        for _ in pipeline.take_steps(decoded):
            pass
    pipeline.settle()
    pipeline.drain()
    source.close()
    return ears.findings
