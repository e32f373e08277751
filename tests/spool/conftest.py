"""A spool folder, and what to put into it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.spool.records import Identity, SpoolLimits
from agent.spool.writer import SpoolWriter
from agent.wire.command import Receipt
from agent.wire.presence import UplinkReport
from agent.wire.types import MessageType

BOOT = bytes(range(16))
IDENTITY = Identity("tap-1", "ward", "uplink", BOOT)
QUICK = SpoolLimits(gather_bulk_s=0.02, gather_urgent_s=0.002, retry_s=0.05)
Open = Callable[..., SpoolWriter]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "uplink" / "spool"


@pytest.fixture
def open_spool(folder: Path) -> Iterator[Open]:
    """Opens the folder; closes whatever the test left open."""
    opened: list[SpoolWriter] = []

    def make(limits: SpoolLimits = QUICK, progress: Path | None = None) -> SpoolWriter:
        opened.append(SpoolWriter.open(folder, IDENTITY, SystemClock(), limits, progress))
        return opened[-1]

    yield make
    for writer in opened:
        writer.close(0.2)


def bulk(writer: SpoolWriter, waiting: int = 0, size: int = 0) -> int:
    """Append a record of the class that goes first; `size` octets that do not deflate."""
    counts = {os.urandom(20).hex()[:39]: 1 for _ in range(min(size // 20, 64))}
    return writer.append(MessageType.UPLINK, UplinkReport(waiting=waiting, counts=counts).to_content())


def urgent(writer: SpoolWriter, reason: str = "", size: int = 0) -> int:
    """Append a record of the class that goes last."""
    result = {"noise": os.urandom(size)} if size else {}
    return writer.append(MessageType.RECEIPT, Receipt(bytes(16), "status", "done", reason, result).to_content())
