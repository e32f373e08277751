"""What `wardtap replay --json --flows` says of a capture, by the keys of the comparison."""

import contextlib
import io
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from agent.config import Config
from agent.service.replay import Wanted, replay
from tests.agreement.biflows import Ends, Key
from tests.agreement.packets import ICMP, ICMPV6, End


@dataclass(slots=True)
class Metered:
    """All records of a key, added up."""

    counts: Ends = field(default_factory=lambda: Ends(Counter(), Counter()))
    records: int = 0
    communities: set[str] = field(default_factory=set)


class Replayed(NamedTuple):
    """A whole capture file."""

    flows: dict[Key, Metered]
    coverage: dict[str, Any]

    @property
    def packets(self) -> int:
        """Of all records."""
        return sum(flow.counts.packets.total() for flow in self.flows.values())


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The lines of a replay, with the configuration as shipped."""
    out = io.StringIO()
    with contextlib.redirect_stderr(io.StringIO()):  # what a damaged file is told by
        replay([path], Config(), Wanted(json=True, flows=True), out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def _ends(line: dict[str, Any]) -> tuple[End, End]:
    one, other = line["originator_port"], line["responder_port"]
    if line["protocol"] in {ICMP, ICMPV6}:
        one, other = 0, one << 8 | other
    return (line["originator"], one), (line["responder"], other)


def replayed(path: Path) -> Replayed:
    """The records of a capture file."""
    flows: dict[Key, Metered] = {}
    coverage: dict[str, Any] = {}
    for line in lines_of(path):
        if line["type"] == "coverage":
            coverage = line
        if line["type"] != "flow":
            continue
        one, other = _ends(line)
        vlans = line["vlan"] or 0, line["vlan_inner"] or 0
        flow = flows.setdefault(Key(min(one, other), max(one, other), vlans, line["protocol"]), Metered())
        flow.records += 1
        flow.communities.add(line["community_id"])
        for end, side in ((one, "forward"), (other, "reverse")):
            flow.counts.packets[end] += line[f"{side}_packets"]
            flow.counts.octets[end] += line[f"{side}_octets"]
    return Replayed(flows, coverage)
