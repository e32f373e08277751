"""Which hints are news: what was not heard from this card before, within a budget.

`select_hints` picks them, so that Python runs only for news. Nothing of a payload is kept but the keyed hash of its
gist. A storm costs no more than the looks allowed in a second; past them a hint is left unseen, and counted.
"""

import numpy as np

from agent.jit import Flags, Hashes, Words, fetch_line, kernel, leaf
from agent.keyed import sip3
from agent.packets.budgets import (
    COMMAND_OCTETS,
    HINT_OCTETS_MAX,
    JOINABLE,
    LEFT,
    LOOKS,
    LOOKS_LEFT,
    LOOKS_PER_KIND_MAX,
    LOOKS_WHEN_FULL,
    NEWS,
    PER_KIND_MAX,
    PER_SOURCE_MAX,
    REPEATED,
    SHAPE_OCTETS,
    SKIPPED,
    UNSEEN,
)
from agent.packets.gists import gist, tcp_header
from agent.packets.records import HintKind, Rows
from agent.tap.records import Octets

U64 = np.uint64
H_LLDP, H_CDP, H_STP, H_ARP = int(HintKind.LLDP), int(HintKind.CDP), int(HintKind.STP), int(HintKind.ARP)
H_SYN, H_ND, H_ANSWER = int(HintKind.TCP_SYN), int(HintKind.ND), int(HintKind.DNS_ANSWER)
H_FIRST_LOGIN, H_LAST_LOGIN = int(HintKind.FTP_LOGIN), int(HintKind.TELNET_LOGIN)
H_EXPLOIT = int(HintKind.SMB_EXPLOIT)
# A bit for each kind whose message may come in several segments (`kernels_join`).
JOINED = U64(
    1 << HintKind.TLS_CLIENT
    | 1 << HintKind.DICOM
    | 1 << HintKind.HL7
    | 1 << HintKind.HTTP_REQUEST
    | 1 << HintKind.HTTP_RESPONSE
)
AHEAD = 32  # rows between asking for a hint's octets and reading them: another core brought them
TCP_OPTIONLESS = 20  # octets of a header without options
H_FIRST_SHAPE, H_LAST_SHAPE = int(HintKind.SOURCE_ROUTE), int(HintKind.RARP_REPLY)


@leaf
def _region(frame: np.void, row: np.void, octets: Octets) -> tuple[int, int]:
    """(offset, octets) of what a hint's reader is given."""
    kind = np.int64(row["hint"])
    at, size = np.int64(row["payload"]), np.int64(row["payload_caplen"])
    if kind == H_LLDP or kind == H_CDP or kind == H_STP or kind == H_ARP:
        at, size = np.int64(frame["offset"]), np.int64(frame["caplen"])
    elif kind == H_SYN:
        end, at = at, tcp_header(row, octets)
        size = end - at if at >= 0 else 0
    elif kind == H_ND:
        at, size = at - 8, size + 8
    elif H_FIRST_LOGIN <= kind <= H_LAST_LOGIN:
        size = min(size, COMMAND_OCTETS)
    elif kind == H_EXPLOIT:
        size = min(size, SHAPE_OCTETS)
    elif H_FIRST_SHAPE <= kind <= H_LAST_SHAPE:
        at, size = np.int64(frame["offset"]), min(np.int64(frame["caplen"]), 1)
    return at, min(size, len(octets) - at, HINT_OCTETS_MAX)


@leaf
def _fetch(row: np.void, octets: Octets) -> None:
    """Ask for the octets of a hint and of the header before it; of a frame that is one as a whole, for its middle."""
    if row["hint"] != 0:
        fetch_line(octets, np.int64(row["payload"]), -TCP_OPTIONLESS)


@kernel
def select_hints(
    frames: Rows, rows: Rows, places: Words, octets: Octets, wanted: Flags, seen: Hashes, per_source: Words,
    per_kind: Words, key: Hashes, budget: Words, chosen: Words,
) -> int:  # fmt: skip
    """Rows among those at `places`, in that order, whose hint is news: `chosen[:n]` = (row, offset, octets). Returns n.

    `seen` remembers hashes of (source, kind, gist); `per_source` counts hints of one source and kind since it was last
    cleared, `per_kind` news and looks of one kind; `budget` says how many may pass, and counts what was skipped,
    left unseen, a repeat, and (JOINABLE) what `join_segments` has to look at. A DNS answer counts for who asked: one
    server answers everybody.
    """
    n, count, joinable = 0, len(places), U64(0)
    for place in range(count):
        i = U64(places[place])
        if place + AHEAD < count:
            _fetch(rows[U64(places[place + AHEAD])], octets)
        kind = np.int64(rows[i]["hint"])
        if kind == 0 or not wanted[kind]:
            continue
        row = rows[i]
        joinable += JOINED >> U64(kind) & U64(1)
        who = U64(row["dst_mac"] if kind == H_ANSWER else row["src_mac"])
        source = np.int64(sip3(key[0], key[1], who, U64(kind), U64(0)) & U64(len(per_source) - 1))
        full = budget[LEFT] <= 0 or per_kind[kind, NEWS] >= budget[PER_KIND_MAX] or n >= len(chosen)
        full = full or per_source[source] >= budget[PER_SOURCE_MAX]
        looks = per_kind[kind, LOOKS]
        if budget[LOOKS_LEFT] <= 0 or looks >= (LOOKS_WHEN_FULL if full else budget[LOOKS_PER_KIND_MAX]):
            budget[UNSEEN] += 1
            continue
        at, size = _region(frames[i], row, octets)
        if size <= 0:
            continue
        budget[LOOKS_LEFT] -= 1
        per_kind[kind, LOOKS] += 1
        start = U64(row["src_mac"]) | (U64(kind) << U64(56))
        if kind == H_SYN:
            start |= U64(row["ttl"]) << U64(48)
        found = gist(kind, row, octets, at, size, key, start) | U64(1)
        slot = np.int64(found & U64(len(seen) - 1))
        if seen[slot] == found:
            budget[REPEATED] += 1
            continue
        if full:
            budget[SKIPPED] += 1
            continue
        seen[slot] = found
        per_source[source] += 1
        per_kind[kind, NEWS] += 1
        budget[LEFT] -= 1
        chosen[n, 0], chosen[n, 1], chosen[n, 2] = i, at, size
        n += 1
    budget[JOINABLE] = np.int64(joinable)
    return n
