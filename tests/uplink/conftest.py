"""Brokers for the session, spools for the courier."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.spool.records import Identity, SpoolLimits
from agent.spool.writer import SpoolWriter
from tests.simulators.broker import Mosquitto
from tests.simulators.kit import AGENT, SITE, Kit

QUICK = SpoolLimits(gather_bulk_s=0.01, gather_urgent_s=0.002, segment_bytes=4096)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path / "broker").start()
    yield made
    made.kill()


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path / "state")


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[SpoolWriter]:
    identity = Identity(AGENT, SITE, "sensor", bytes(16))
    made = SpoolWriter.open(tmp_path / "state" / "sensor" / "spool", identity, SystemClock(), QUICK)
    yield made
    made.close(1)
