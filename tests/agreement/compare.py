"""One capture, two tools: what is equal, what is left out and why, and what differs without a reason."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.agreement.biflows import Biflow, Ends, Grouping, Key, grouped
from tests.agreement.community import compare_ids
from tests.agreement.packets import End
from tests.agreement.reasons import AROUND_NO_IP, COPY, INSIDE, LATER_FRAGMENT, ROUTED, IdReason, Reason
from tests.agreement.records import Metered, Replayed, replayed
from tests.agreement.tshark import Conversation, Told, told

NOT_AS_CONVERSATIONS = {COPY, INSIDE, AROUND_NO_IP, LATER_FRAGMENT, ROUTED}
AHEAD = 2
NAMES = {6: "tcp", 17: "udp"}


@dataclass(slots=True)
class Outcome:
    """Counts of one capture, or of several added up. `differences` without a reason are faults."""

    captures: int = 0
    frames: int = 0
    no_ip: int = 0
    packets: int = 0  # of equal biflows
    octets: int = 0
    biflows: int = 0  # compared
    equal: int = 0
    bounded: int = 0  # unequal, and inside the bounds that a reason sets
    left_out: int = 0  # biflows of which wardtap counts nothing, for a reason
    conversations: int = 0  # directions of tshark's own conversations, equal in packets
    not_as_conversations: int = 0  # those that it counts in another way
    ids: int = 0  # biflows whose Community ID is the reference's
    ids_of_tshark: int = 0
    frames_by: Counter[Reason] = field(default_factory=Counter)
    biflows_by: Counter[Reason] = field(default_factory=Counter)
    ids_by: Counter[IdReason] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        """Another capture's."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def _positive(ends: Ends) -> tuple[Counter[End], Counter[End]]:
    return +ends.packets, +ends.octets


def _within(flow: Biflow, metered: Metered) -> bool:
    """Whether wardtap counts at least what is no late copy, and at most all."""
    for kind in range(2):
        least, late, found = flow.counts[kind], flow.late[kind], metered.counts[kind]
        if any(not least[end] <= found[end] <= least[end] + late[end] for end in {*least, *late, *found}):
            return False
    return True


def _compare(key: Key, flow: Biflow, metered: Metered | None, outcome: Outcome) -> None:
    """One biflow's counts."""
    outcome.biflows_by.update(flow.reasons)
    if metered is None and flow.left_out and not flow.counts.packets:
        outcome.left_out += 1
        return
    outcome.biflows += 1
    if metered is not None and _positive(flow.counts) == _positive(metered.counts):
        outcome.equal += 1
        outcome.packets += flow.counts.packets.total()
        outcome.octets += flow.counts.octets.total()
    elif metered is not None and flow.late.packets and _within(flow, metered):
        outcome.bounded += 1
    else:
        outcome.differences.append(f"{key}: tshark {flow.counts}, wardtap {metered and metered.counts}")
    if metered is not None:
        ids = compare_ids(flow, metered.communities)
        outcome.ids += ids.reference
        outcome.ids_of_tshark += ids.tshark
        outcome.ids_by.update(ids.reasons)
        outcome.differences += [f"{key}: {text}" for text in ids.differences]


def _conserved(heard: Told, grouping: Grouping, found: Replayed, outcome: Outcome) -> None:
    """Every frame is somewhere, and what wardtap left out as a copy is what tshark's fields call one."""
    frames, copies = found.coverage["frames"], found.coverage["ignored"].get("duplicate", 0)
    if len(heard.frames) != frames:
        outcome.differences.append(f"frames: tshark {len(heard.frames)}, wardtap {frames}")
    late = sum(flow.late.packets.total() for flow in grouping.flows.values())
    counted = sum(flow.counts.packets.total() for flow in grouping.flows.values())
    wanted = counted + late + grouping.by_reason[COPY]
    if found.packets + copies != wanted:
        outcome.differences.append(f"packets and copies: tshark {wanted}, wardtap {found.packets} and {copies}")


def _ended(end: End) -> str:
    return f"{end[0]}:{end[1]}"


def _conversations(heard: Told, grouping: Grouping, found: Replayed, outcome: Outcome) -> None:
    """tshark's own conversations, which know no VLAN, against records, where no reason speaks against it."""
    sides: Counter[Conversation] = Counter()
    excused: set[Conversation] = set()
    for key, flow in grouping.flows.items():
        pair = (key.low, key.high)
        for end, peer in (pair, pair[::-1]):
            side = (NAMES.get(key.protocol, ""), _ended(end), _ended(peer))
            otherwise = bool(flow.reasons & NOT_AS_CONVERSATIONS or flow.late.packets)
            if otherwise or key.low == key.high or key not in found.flows:
                excused.add(side)
            else:
                sides[side] += found.flows[key].counts.packets[end]
    for side, packets in heard.conversations.items():
        if side in excused or side not in sides:
            outcome.not_as_conversations += 1
        elif packets == sides[side]:
            outcome.conversations += 1
        else:
            outcome.differences.append(f"conversation {side}: tshark {packets}, wardtap {sides[side]}")


def compare(heard: Told, found: Replayed) -> Outcome:
    """What tshark and wardtap say of the same capture."""
    grouping = grouped(heard.frames)
    outcome = Outcome(captures=1, frames=len(heard.frames), no_ip=grouping.no_ip, frames_by=grouping.by_reason)
    for key, flow in grouping.flows.items():
        _compare(key, flow, found.flows.get(key), outcome)
    for key in found.flows.keys() - grouping.flows.keys():
        outcome.differences.append(f"{key}: wardtap alone, {found.flows[key].counts}")
    _conserved(heard, grouping, found, outcome)
    _conversations(heard, grouping, found, outcome)
    return outcome


def _told_ahead(paths: Iterable[Path]) -> Iterator[tuple[Path, Told]]:
    """tshark runs on one core while the other compares; few captures are held at a time."""
    waiting: deque[tuple[Path, Future[Told]]] = deque()
    with ThreadPoolExecutor(AHEAD) as pool:
        for path in paths:
            waiting.append((path, pool.submit(told, path)))
            if len(waiting) > AHEAD:
                oldest, future = waiting.popleft()
                yield oldest, future.result()
        for path, future in waiting:
            yield path, future.result()


def compare_files(paths: Iterable[Path]) -> Iterator[tuple[Path, Outcome]]:
    """Capture files, one after the other."""
    for path, heard in _told_ahead(paths):
        yield path, compare(heard, replayed(path))
