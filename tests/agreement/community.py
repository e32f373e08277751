"""Community IDs of a biflow: the reference library's over tshark's fields, tshark's own, and wardtap's."""

import importlib
from functools import cache
from typing import Any, NamedTuple

from tests.agreement.biflows import Biflow
from tests.agreement.packets import Packet
from tests.agreement.reasons import (
    FROM_INSIDE,
    HEADLESS,
    LATER_FRAGMENT,
    NO_PORTS,
    NO_TRANSPORT,
    OF_PARTS,
    TUNNEL,
    IdReason,
)

NEED_PORTS = {1, 6, 17, 58, 132}  # the reference refuses a flow of these without ports


class IdOutcome(NamedTuple):
    """Whether each witness has the same ID; else why not, or that there is no reason."""

    reference: bool
    tshark: bool
    reasons: list[IdReason]
    differences: list[str]


@cache
def library() -> Any:
    """`communityid`, by those who wrote the specification; None where it is not installed."""
    try:
        return importlib.import_module("communityid")
    except ImportError:
        return None


def reference_id(packet: Packet) -> str | None:
    """What the library says of a packet's flow; None where it refuses."""
    if packet.ports is None and packet.protocol in NEED_PORTS:
        return None
    flow = library().FlowTuple(packet.protocol, packet.source, packet.destination, *(packet.ports or ()))
    return str(library().CommunityID().calc(flow))


def _of_tshark(flow: Biflow, found: set[str]) -> tuple[bool, IdReason | None]:
    """tshark's own IDs: whether they are the same, or why not. Nothing at all: a difference without a reason."""
    if flow.communities == found:
        return True, None
    if TUNNEL in flow.reasons:
        return False, FROM_INSIDE
    if flow.reasons & {LATER_FRAGMENT, HEADLESS}:
        return False, OF_PARTS
    if all(packet.ports is None for packet in flow.packets.values()):
        return False, NO_TRANSPORT
    return False, None


def compare_ids(flow: Biflow, found: set[str]) -> IdOutcome:
    """`found` are wardtap's IDs of all records of the biflow."""
    wanted = {reference_id(packet) for packet in flow.packets.values()} if library() else set()
    told = wanted - {None}
    reasons, differences = [], []
    if wanted == {None}:
        reasons.append(NO_PORTS)
    elif library() and told != found:
        differences.append(f"the reference says {told}, wardtap {found}")
    same, reason = _of_tshark(flow, found)
    if reason:
        reasons.append(reason)
    elif not same:
        differences.append(f"tshark says {flow.communities}, wardtap {found}")
    return IdOutcome(bool(told) and told == found, same, reasons, differences)
