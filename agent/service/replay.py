"""`wardtap replay`: the whole sensor over capture files; no root, no network, no broker."""

import secrets
import sys
from collections.abc import Callable  # noqa: TC003 - NamedTuple fields beside it are read at run time
from pathlib import Path
from typing import NamedTuple, TextIO

from agent.clock import CaptureClock, process_age_s, stopwatch_s
from agent.config import Config
from agent.findings.records import Finding
from agent.flows.records import Rows
from agent.jit import compiled
from agent.service.feed import decoded_bursts
from agent.service.intervals import memory_bytes
from agent.service.lines import device_line, finding_line, flow_line, line
from agent.service.parts import judgement, unread_links
from agent.service.pipeline import Pipeline
from agent.service.startup import ready
from agent.summaries.privacy import Pseudonyms
from agent.tap.replay import ReplaySource
from agent.wire.chain import Chain
from agent.wire.codec import pack
from agent.wire.finding import finding_content
from agent.wire.parts import split
from agent.wire.summary import Summary
from agent.wire.types import MessageType

NO_ID = b"\x00" * 16
KEY_ID_OCTETS, SIGNATURE_OCTETS = 8, 64  # what one Ed25519 signer adds to an envelope


class Wanted(NamedTuple):
    """What a person asked of a replay."""

    json: bool = False
    flows: bool = False
    plain_names: bool = False


def sealed_octets(kind: MessageType, body: bytes) -> int:
    """Size of the envelope that the uplink would make of a body."""
    return len(pack([1, str(kind), body, [[bytes(KEY_ID_OCTETS), bytes(SIGNATURE_OCTETS)]]]))


class Screen:
    """Outlet of a replay: prints what leaves and counts what would be sealed and sent."""

    def __init__(self, out: TextIO, wanted: Wanted, config: Config) -> None:
        self._write: Callable[[str], object] = out.write
        self._wanted = wanted
        self.wants_flows = wanted.flows and wanted.json
        self.clock = CaptureClock()
        self._chain = Chain(config.site.agent, config.site.site, "sensor", NO_ID, NO_ID, b"", 0, self.clock)
        self.findings: list[Finding] = []
        self.summaries = 0
        self.sealed_bytes = 0
        self.peak_bytes = 0

    def flows(self, records: Rows) -> None:
        """Flow lines."""
        for record in records:
            self._write(flow_line(record) + "\n")

    def finding(self, finding: Finding) -> None:
        """A finding line."""
        self.findings.append(finding)
        self._seal(MessageType.FINDING, finding_content(finding))
        if self._wanted.json:
            self._write(finding_line(finding) + "\n")

    def summary(self, summary: Summary) -> None:
        """Counted and sized as it would be sent."""
        for part in split(summary):
            self._seal(MessageType.SUMMARY, part.to_content())
            self.summaries += 1
        self.peak_bytes = max(self.peak_bytes, memory_bytes())

    def _seal(self, kind: MessageType, content: dict[str, object]) -> None:
        _, body = self._chain.next(kind, content)
        self.sealed_bytes += sealed_octets(kind, body)


def replay(paths: list[Path], config: Config, wanted: Wanted, out: TextIO = sys.stdout) -> int:
    """Run the sensor over the files and print. Exit code 0, or 2 when any input could not be used to its end."""
    screen = Screen(out, wanted, config)
    parts = judgement(config, secrets.token_bytes(32))
    pipeline = Pipeline(config, parts, screen)
    source = ReplaySource(paths)
    pipeline.load()
    ready()
    startup_s, began_s = process_age_s(), stopwatch_s()
    for decoded in decoded_bursts(source, pipeline.decode):
        pipeline.note_legs(source.legs())
        for _ in pipeline.take_steps(decoded):
            screen.clock.advance(pipeline.now_ns)
    pipeline.note_legs(source.legs())
    pipeline.settle()
    pipeline.drain()
    pipeline_s = stopwatch_s() - began_s
    _devices(pipeline, parts.pseudonyms, wanted, out)
    if wanted.json:
        out.write(_coverage(pipeline, source) + "\n")
        out.write(_stats(pipeline, screen, startup_s, pipeline_s) + "\n")
    else:
        _tell(pipeline, screen, out)
    out.flush()
    faults = [*source.faults, *unread_links(source)]
    for fault in faults:
        print(f"wardtap: {fault}", file=sys.stderr)
    return 2 if faults else 0


def _devices(pipeline: Pipeline, pseudonyms: Pseudonyms, wanted: Wanted, out: TextIO) -> None:
    for slot in pipeline.table.occupied().tolist():
        if wanted.json:
            text = device_line(pipeline.table, slot, pipeline.ward, pseudonyms, plain_names=wanted.plain_names)
            out.write(text + "\n")


def _coverage(pipeline: Pipeline, source: ReplaySource) -> str:
    frames = pipeline.frames
    dropped = sum(leg.dropped for leg in source.legs())
    received = sum(leg.frames for leg in source.legs())
    return line(
        "coverage",
        frames=frames.frames,
        octets=frames.octets,
        processed=frames.processed,
        ignored=frames.ignored(),
        truncated=frames.cut,
        unseen=frames.unseen,
        dropped=dropped,
        flows_exported=pipeline.cache.exported,
        flows_evicted=pipeline.cache.evicted,
        hints_skipped=pipeline.hints_skipped,
        conservation=pipeline.conserved() and received == frames.frames,
    )


def _stats(pipeline: Pipeline, screen: Screen, startup_s: float, pipeline_s: float) -> str:
    versions, compiled_now = compiled()
    packets = pipeline.frames.frames
    return line(
        "stats",
        packets=packets,
        wall_s=round(process_age_s(), 3),
        startup_s=round(startup_s, 3),
        pipeline_s=round(pipeline_s, 3),
        packets_per_s=round(packets / pipeline_s) if pipeline_s > 0 else 0,
        peak_anonymous_bytes=max(screen.peak_bytes, memory_bytes()),
        flows=pipeline.cache.exported,
        devices=len(pipeline.table.occupied()),
        findings=len(screen.findings),
        summaries=screen.summaries,
        sealed_bytes=screen.sealed_bytes,
        compiled_kernels=versions,
        compiled_now=compiled_now,
    )


def _tell(pipeline: Pipeline, screen: Screen, out: TextIO) -> None:
    """What a person wants to read: devices, then findings, then what the numbers rest on."""
    slots = pipeline.table.occupied().tolist()
    out.write(f"{len(slots)} devices\n")
    for slot in slots:
        identity = pipeline.ward.identity(slot)
        sure = f"{identity.confidence:4.0%}" if identity.role != "unknown" else "    "
        packets = int(pipeline.table.devices["tx_packets"][slot])
        out.write(f"  {sure}  {pipeline.ward.label(slot):<60} {packets:>9} packets\n")
    out.write(f"{len(screen.findings)} findings\n")
    out.writelines(
        f"  {finding.severity:<8} {finding.id}\n           {finding.sentence}\n" for finding in screen.findings
    )
    frames = pipeline.frames
    ignored = ", ".join(f"{count} {reason}" for reason, count in frames.ignored().items()) or "none"
    state = "every frame is accounted for" if pipeline.conserved() else "THE COUNTS DO NOT ADD UP"
    out.write(
        f"{frames.frames} frames, {frames.octets} octets, {pipeline.cache.exported} flows; "
        f"ignored: {ignored}; {state}\n"
    )
