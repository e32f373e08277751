"""A chain with a still clock, and one message of every type."""

import pytest

from agent.clock import CaptureClock
from agent.wire.chain import Chain
from tests.wire.samples import BOOT, RUN


@pytest.fixture
def sensor() -> Chain:
    """The sensor's stream of `tap-1`, first run, at a fixed time."""
    return Chain("tap-1", "ward", "sensor", BOOT, RUN, b"", 0, CaptureClock(1_790_000_000_000_000_000))


@pytest.fixture
def uplink() -> Chain:
    """The uplink's stream."""
    return Chain("tap-1", "ward", "uplink", BOOT, RUN, b"", 0, CaptureClock(1_790_000_000_000_000_000))
