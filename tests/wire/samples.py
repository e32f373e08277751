"""One small, complete message of every type: fixed values, so golden vectors can be made of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from agent.wire import summary_v1
from agent.wire.command import Command, Receipt
from agent.wire.delivery import Ack, Epoch, Gap
from agent.wire.finding import finding_content
from agent.wire.header import Header
from agent.wire.presence import Birth, ClockAnchor, State, UplinkReport
from agent.wire.summary import Card, EdgeRow, Interval, Leg, Row, Summary
from agent.wire.types import SEQUENCED, MessageType

BOOT = bytes(range(16))
RUN = bytes(range(16, 32))
EPOCH_ID = bytes(range(32, 48))
COMMAND_ID = bytes(range(48, 64))
START_NS = 1_790_000_000_000_000_000
SUMMARY = Summary(
    interval=Interval(START_NS, START_NS + 60_000_000_000, empty_before=2),
    legs=(Leg("eth1", 1000, 640_000, 3, 0, 0), Leg("eth2", 900, 500_000, 0, 0, 0)),
    ignored={"empty": 1, "malformed": 2},
    duplicates=4,
    truncated=1,
    processed=1893,
    flows_exported=70,
    flows_evicted=0,
    health={"memory_bytes": 99_000_000, "version": "0.1.0"},
    cards=(
        Card(
            3,
            bytes.fromhex("00d07518429b"),
            20,
            "infusion-pump",
            930,
            vendor="Alaris Medical",
            addresses=(bytes([10, 0, 0, 7]),),
            names=("~abcdefghij",),
            evidence=(("oui", "Alaris Medical", 400), ("port", "3613/tcp", -50)),
            first_ns=START_NS,
            last_ns=START_NS + 1,
            posture=(("system", "Windows XP"), ("ended", "2014-04-08"), ("tls-answers", "1.0")),
        ),
    ),
    rows=(Row(3, 500, 480, 300_000, 200_000, 4, 3, 1, 0, 2), Row(9, 120, 130, 50_000, 60_000, 0, 0, 0, 4, 1)),
    edges=(
        EdgeRow(3, 0, 6, 443, -1, bytes([203, 0, 113, 9]), 2, 4, 1, 6, 5, 900, 4_000),
        EdgeRow(3, 0, 6, 3613, 9, b"", 0, 43, 4, 400, 380, 250_000, 150_000),
        EdgeRow(3, 0, 17, 53, 9, b"", 0, 1, 2, 2, 2, 140, 300),
        EdgeRow(9, 0, 6, 443, -1, bytes.fromhex("20010db8" + "00" * 11 + "07"), 2, 4, 1, 3, 3, 300, 260),
        EdgeRow(9, 0, 6, 443, -1, bytes([203, 0, 113, 9]), 2, 4, 2, 8, 7, 1_100, 70_000),
        EdgeRow(9, 1, 6, 3613, 3, b"", 0, 43, 4, 380, 400, 150_000, 250_000),  # the other side of the second
        EdgeRow(9, 1, 17, 53, 3, b"", 0, 1, 2, 2, 1, 300, 70),  # not that of the third: something was missed
    ),
)
OLDER = replace(
    SUMMARY,
    cards=tuple(card._replace(posture=()) for card in SUMMARY.cards),
    edges=(SUMMARY.edges[1], SUMMARY.edges[0]),
)


def content_v1(summary: Summary) -> dict[str, Any]:
    """As an agent of the first version would write it; this release reads it only."""
    content = {key: value for key, value in summary.to_content().items() if key in summary_v1.SCHEMA.fields}
    cards = [card.to_list()[:-1] for card in summary.cards]
    return content | {"ca": cards, "dv": _columns_v1(summary.rows, 10), "ed": _columns_v1(summary.edges, 13)}


def _columns_v1(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    if not rows:
        return [[] for _ in range(width)]
    numbers, *columns = map(list, zip(*sorted(rows, key=itemgetter(0)), strict=True))
    return [[now - before for now, before in zip(numbers, [0, *numbers], strict=False)], *columns]


@dataclass(frozen=True)
class Judged:
    """A finding as the judge has it, without numpy."""

    id: str = "internet-contact"
    severity: str = "page"
    mac: int = 0x00D07518429B
    role: str = "infusion-pump"
    tier: str = "clinical"
    time_ns: int = START_NS + 5
    first_ns: int = START_NS + 1
    last_ns: int = START_NS + 4
    count: int = 1
    sentence: str = "Infusion pump 00:d0:75:18:42:9b exchanged data with 203.0.113.9 on the internet."
    evidence: tuple[tuple[str, str | int], ...] = (("address", "203.0.113.9"), ("packets", 11))
    attack: tuple[str, ...] = ("T1071",)
    cause: str = "internet-contact/00d07518429b/203.0.113.9"
    expected: str = "It talks to its gateway on port 3613."
    next_step: str = "Ask clinical engineering whether this destination is known."


CONTENTS: dict[MessageType, dict[str, Any]] = {
    MessageType.SUMMARY: SUMMARY.to_content(),
    MessageType.FINDING: finding_content(Judged()),
    MessageType.GAP: Gap("sensor", RUN, ((4, 9, "summary", "spool-full"),)).to_content(),
    MessageType.BIRTH: Birth(
        "tap-1", "ward", BOOT, RUN, "0.1.0", ("eth1",), "2026.1", {"devices": 4096}, bytes(8), 1000
    ).to_content(),
    MessageType.STATE: State("tap-1", "ready", 1000, RUN).to_content(),
    MessageType.RECEIPT: Receipt(COMMAND_ID, "status", "done", "", {"devices": 20}).to_content(),
    MessageType.CLOCK_ANCHOR: ClockAnchor(BOOT, 1000, START_NS, -1, EPOCH_ID).to_content(),
    MessageType.UPLINK: UplinkReport(EPOCH_ID, 900, bytes(32), 1_048_576, 3, {"bad-signature": 1}).to_content(),
    MessageType.ACK: Ack("tap-1", "ward", RUN, "sensor", 7, ((9, 9), (11, 14)), EPOCH_ID).to_content(),
    MessageType.EPOCH: Epoch("ward", EPOCH_ID, START_NS).to_content(),
    MessageType.CONFIG: {
        "agent": "tap-1",
        "site": "ward",
        "key_id": bytes(8),
        "version": 3,
        "text": "[summaries]\ninterval_s = 60\n",
    },
    MessageType.COMMAND: Command(
        "tap-1", "ward", "status", {"detail": 1}, BOOT, COMMAND_ID, 90_000_000_000, "operator"
    ).to_content(),
    MessageType.ENROL: {
        "agent": "tap-1",
        "site": "ward",
        "token": bytes(16),
        "public": bytes(32),
        "algorithm": "ed25519",
        "hardware": "serial 1",
        "boot": BOOT,
    },
    MessageType.TRUST: {"version": 1, "site": "ward", "not_after_ns": START_NS, "entries": []},
    MessageType.RELEASE: {
        "version": "0.1.0",
        "serial": 1,
        "floor": 0,
        "not_after_ns": START_NS,
        "files": [["agent/clock.py", 100, bytes(32)]],
    },
    MessageType.PACK: {
        "name": "ward-devices",
        "site": "ward",
        "serial": 1,
        "not_after_ns": START_NS,
        "files": [["signals.toml", 100, bytes(32)], ["contracts/infusion-pump.toml", 100, bytes(32)]],
    },
    MessageType.SUMMARY_V1: content_v1(OLDER),
}


def header(**changes: Any) -> Header:
    """A header of the sensor's stream."""
    values: dict[str, Any] = {
        "agent": "tap-1",
        "site": "ward",
        "stream": "sensor",
        "boot": BOOT,
        "run": RUN,
        "before_run": b"",
        "before_seq": 0,
        "seq": 1,
        "prev": bytes(32),
        "mono_ns": 1000,
        "wall_ns": START_NS,
        "clock_state": "synced",
        "clock_error_ns": 1_000_000,
    }
    return Header(**(values | changes))


def header_for(kind: MessageType) -> Header | None:
    """What a message of that type carries in front."""
    if kind not in SEQUENCED:
        return None
    stream = "uplink" if kind in {MessageType.RECEIPT, MessageType.CLOCK_ANCHOR, MessageType.UPLINK} else "sensor"
    return header(stream=stream)
