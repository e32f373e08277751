"""Where a kernel's row and the twin's differ, leaving out what has no meaning in such a row."""

from collections.abc import Mapping
from typing import Any

from agent.packets.records import PACKET, Verdict

LATER = {"application", "dns"}  # set by the step after decoding; of `hint` the walk sets what a header shows
KEPT = {"time_ns", "wire_octets", "leg", "verdict"}  # all that an ignored row is asked for


def differences(twin: Mapping[str, int], row: Mapping[str, Any], frame_offset: int = 0) -> dict[str, tuple[int, int]]:
    """Field -> (twin, kernel); `frame_offset` is where the frame begins in the burst's octets."""
    told = {name: int(row[name]) for name in PACKET.names or ()}
    told["payload"] -= frame_offset
    asked = KEPT if twin["verdict"] > Verdict.LINK else set(told) - LATER
    if not twin["payload_caplen"]:
        asked = asked - {"payload"}  # an offset to nothing
    return {name: (twin[name], told[name]) for name in sorted(asked) if twin[name] != told[name]}
