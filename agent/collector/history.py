"""Whether a new record contradicts what its agent signed before: equivocation (docs/wire.md, "Delivery").

A run is drawn at random before a process's first record and a key lives in one box; so two bodies under one number, two
runs that follow the same run, or a run that goes on after its successor began mean that key or storage was copied.
"""

from dataclasses import dataclass

from agent.wire.header import Header

NO_PREVIOUS = bytes(32)


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows around one new record."""

    stored_sha256: bytes | None  # of the record with the same key
    previous_sha256: bytes | None  # of seq - 1 in the same stream
    next_prev: bytes | None  # the `prev` of seq + 1 in the same stream
    run_before: tuple[bytes, int] | None  # (before_run, before_seq) that this run gave earlier
    siblings: int  # other runs of this agent and stream with the same, non-empty, before_run
    successor_before_seq: int | None  # lowest before_seq of runs that name this run as theirs
    predecessor_max_seq: int | None  # highest seq stored of the run named as before


def contradictions(header: Header, sha256: bytes, known: Known) -> list[str]:
    """Stable tokens of what is contradicted; empty for an honest record.

    >>> # same-key, two-successors, after-successor, before-changed, chain
    """
    found = []
    if known.stored_sha256 is not None:
        return ["same-key"] if known.stored_sha256 != sha256 else []
    if header.before_run and known.siblings:
        found.append("two-successors")
    after = known.successor_before_seq is not None and header.seq > known.successor_before_seq
    overtaken = known.predecessor_max_seq is not None and known.predecessor_max_seq > header.before_seq
    if after or overtaken:
        found.append("after-successor")
    if known.run_before is not None and known.run_before != (header.before_run, header.before_seq):
        found.append("before-changed")
    if _chain_breaks(header, sha256, known):
        found.append("chain")
    return found


def _chain_breaks(header: Header, sha256: bytes, known: Known) -> bool:
    if header.seq == 1 and header.prev != NO_PREVIOUS:
        return True
    if header.seq > 1 and known.previous_sha256 is not None and header.prev != known.previous_sha256:
        return True
    return known.next_prev is not None and known.next_prev != sha256


SENTENCES = {
    "same-key": "it signed two different records under one number",
    "two-successors": "two of its runs say that they follow the same earlier run",
    "after-successor": "a run went on after the run that replaced it had begun",
    "before-changed": "one run named two different predecessors",
    "chain": "a record does not follow from the one before it",
    "two-at-once": "two uplinks with its key take turns at the broker",
    "audit-log": "its audit log does not go on from what it reported: it was cut, replaced or written again",
}
