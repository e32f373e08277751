"""`wardtap replay`: the whole sensor over capture files; no root, no network, no broker."""

import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TextIO

from agent.clock import CaptureClock, process_age_s, stopwatch_s
from agent.config import Config
from agent.devices.names import DNS_ANSWER
from agent.devices.statistics import told
from agent.devices.table import address_text
from agent.devices.view import mac_text
from agent.findings.records import Finding
from agent.flows.records import Rows
from agent.jit import compiled
from agent.paragraphs import counted, terminal_width, wrapped
from agent.service.feed import decoded_bursts
from agent.service.intervals import memory_bytes
from agent.service.lines import (
    device_line,
    finding_line,
    flow_line,
    line,
    mac_or_none,
    names_told,
    responder_address,
)
from agent.service.pace import Pace
from agent.service.parts import judgement, unread_links
from agent.service.pipeline import Pipeline
from agent.service.startup import ready
from agent.service.ward_table import Entry
from agent.service.ward_table import lines as table_lines
from agent.summaries.privacy import Pseudonyms, gate
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


class Spent(NamedTuple):
    """Where the time of a replay went."""

    startup_s: float
    pipeline_s: float  # from the first frame to the last summary
    steady_per_s: float | None  # frames a second in the later part of the capture; None: too few to tell


def sealed_octets(kind: MessageType, body: bytes) -> int:
    """Size of the envelope that the uplink would make of a body."""
    return len(pack([1, str(kind), body, [[bytes(KEY_ID_OCTETS), bytes(SIGNATURE_OCTETS)]]]))


class Screen:
    """Outlet of a replay: prints what leaves and counts what would be sealed and sent."""

    def __init__(self, out: TextIO, wanted: Wanted, config: Config) -> None:
        self._write: Callable[[str], object] = out.write
        self._wanted = wanted
        self.name_of: Callable[[bytes], str] = lambda _: ""  # an address's name, as it may leave
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
            self._write(flow_line(record, self.name_of(responder_address(record))) + "\n")

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
    screen.name_of = _namer(pipeline, parts.pseudonyms, wanted)
    source = ReplaySource(paths)
    pipeline.load()
    ready()
    startup_s, began_s, pace = process_age_s(), stopwatch_s(), Pace()
    for decoded in decoded_bursts(source, pipeline.decode):
        pipeline.note_legs(source.legs())
        for _ in pipeline.take_steps(decoded):
            screen.clock.advance(pipeline.now_ns)
        pace.note(pipeline.frames.frames, stopwatch_s())
    steady_per_s = pace.steady_per_s(pipeline.frames.frames, stopwatch_s())
    pipeline.note_legs(source.legs())
    pipeline.settle()
    pipeline.drain()
    spent = Spent(startup_s, stopwatch_s() - began_s, steady_per_s)
    source.close()
    _devices(pipeline, parts.pseudonyms, wanted, out)
    if wanted.json:
        out.write(_coverage(pipeline, source) + "\n")
        out.write(_stats(pipeline, screen, spent) + "\n")
    else:
        _tell(pipeline, parts.pseudonyms, wanted, screen, out)
    out.flush()
    faults = [*source.faults, *unread_links(source)]
    for fault in faults:
        print(f"wardtap: {fault}", file=sys.stderr)
    return 2 if faults else 0


def _namer(pipeline: Pipeline, pseudonyms: Pseudonyms, wanted: Wanted) -> Callable[[bytes], str]:
    """Names of addresses, through the gate unless the person who runs the replay asked for plain ones."""

    def name_of(address: bytes) -> str:
        name = pipeline.ward.names.name(address)
        return name if wanted.plain_names else gate(DNS_ANSWER, name, pseudonyms) if name else ""

    return name_of


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
        hints_read=pipeline.ward.hints_read,
        hints_silent=pipeline.ward.hints_silent,
        conservation=pipeline.conserved() and received == frames.frames,
    )


def _stats(pipeline: Pipeline, screen: Screen, spent: Spent) -> str:
    versions, compiled_now = compiled()
    packets = pipeline.frames.frames
    overall_per_s = packets / spent.pipeline_s if spent.pipeline_s > 0 else 0
    return line(
        "stats",
        packets=packets,
        wall_s=round(process_age_s(), 3),
        startup_s=round(spent.startup_s, 3),
        pipeline_s=round(spent.pipeline_s, 3),
        packets_per_s=round(spent.steady_per_s or overall_per_s),
        peak_anonymous_bytes=max(screen.peak_bytes, memory_bytes()),
        flows=pipeline.cache.exported,
        devices=len(pipeline.table.occupied()),
        findings=len(screen.findings),
        summaries=screen.summaries,
        sealed_bytes=screen.sealed_bytes,
        compiled_kernels=versions,
        compiled_now=compiled_now,
    )


def _tell(pipeline: Pipeline, pseudonyms: Pseudonyms, wanted: Wanted, screen: Screen, out: TextIO) -> None:
    """What a person wants to read: devices, then findings, then what the numbers rest on."""
    slots = pipeline.table.occupied().tolist()
    folded = pipeline.ward.fold()
    also = f", {len(folded)} of them addresses that a phone had before" if folded else ""
    shown = [slot for slot in slots if pipeline.ward.mac(slot) not in folded]
    entries = [_entry(pipeline, slot, pseudonyms, plain_names=wanted.plain_names) for slot in shown]
    width = terminal_width() if out.isatty() else None
    told = [f"{counted(len(slots), 'device')}{also}", *table_lines(entries, width)]
    told += ["", counted(len(screen.findings), "finding")]
    for finding in screen.findings:
        told += [f"  {finding.severity:<8} {finding.id}", *wrapped(finding.sentence, width, " " * 11)]
    frames = pipeline.frames
    ignored = ", ".join(f"{count} {reason}" for reason, count in frames.ignored().items()) or "none"
    state = "every frame is accounted for" if pipeline.conserved() else "THE COUNTS DO NOT ADD UP"
    numbers = (
        f"{counted(frames.frames, 'frame')}, {counted(frames.octets, 'octet')}, "
        f"{counted(pipeline.cache.exported, 'flow')}; ignored: {ignored}; {state}"
    )
    out.writelines(f"{line}\n" for line in (*told, "", *wrapped(numbers, width)))


def _entry(pipeline: Pipeline, slot: int, pseudonyms: Pseudonyms, *, plain_names: bool) -> Entry:
    table, identity = pipeline.table, pipeline.ward.identity(slot)
    device = table.devices[slot]
    return Entry(
        mac=mac_text(int(device["mac"])),
        addresses=[address_text(hi, lo) for hi, lo in table.addresses(slot)],
        identity=identity,
        called=names_told(identity, pseudonyms, plain_names=plain_names),
        reasons=[pseudonyms.evidence(item) for item in identity.evidence],
        clinical=told(device, table.stats[slot])["clinical"],
        packets=int(device["tx_packets"]),
        posture=pipeline.ward.posture(slot),
        formerly=mac_or_none(pipeline.ward.former(slot)) or "",
        also=[mac_or_none(mac) or "" for mac in pipeline.ward.addresses_before(slot)],
    )
