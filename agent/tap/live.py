"""Which live backend listens: the ring on Linux, libpcap elsewhere or when the configuration says so."""

import sys
from typing import TYPE_CHECKING, Literal

from agent.config import TapConfig
from agent.errors import InputError
from agent.tap.source import Source

if TYPE_CHECKING:
    from agent.tap.shared import SharedLive


def backend_of(tap: TapConfig, platform: str = sys.platform) -> Literal["ring", "pcapy"]:
    """What `auto` means here."""
    if tap.backend == "auto":
        return "ring" if platform.startswith("linux") else "pcapy"
    return "ring" if tap.backend == "ring" else "pcapy"


def open_shared(tap: TapConfig) -> "SharedLive":
    """Take up the legs for several workers."""
    if backend_of(tap) != "ring":
        raise InputError("only rings can be shared out", where="[tap] workers", todo="workers = 1")
    from agent.tap.shared import SharedLive  # noqa: PLC0415

    return SharedLive(list(tap.legs), tap.workers, tap.buffer_bytes, tap.filter)


def open_legs(tap: TapConfig) -> Source:
    """Take up the legs. Only the backend in use is imported: neither needs what the other does."""
    if backend_of(tap) == "ring":
        from agent.tap.ring import RingLive  # noqa: PLC0415

        return RingLive(list(tap.legs), tap.buffer_bytes, tap.filter)
    from agent.tap.pcapy_live import PcapyLive  # noqa: PLC0415

    return PcapyLive(list(tap.legs), tap.buffer_bytes, tap.filter)
