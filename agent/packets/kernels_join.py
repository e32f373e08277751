"""First messages that came in several segments: joined in order, up to what a reader may see of one.

A hello with a post-quantum key, a long request or association does not fit a segment. Its first part is told at once,
as ever; here the parts that follow in sequence are laid beside it, and the whole is told when it is whole. Nothing is
reordered, repaired or kept for a second try: a part that is lost, or comes out of turn, leaves the message as it was
heard. Bounded: SLOTS messages at a time, HINT_OCTETS_MAX octets each, a newer one takes an unfinished one's place; and
a message that is begun costs as much of a second's looks as its octets do.
"""

import numpy as np

from agent.jit import Flags, Hashes, Words, kernel, leaf
from agent.keyed import sip3
from agent.packets.budgets import HINT_OCTETS_MAX, LEFT, LOOKS_LEFT, NEWS, PER_KIND_MAX, REPEATED, SKIPPED
from agent.packets.cursor import u16, u32
from agent.packets.gists import HASHED_OCTETS, digest, gist
from agent.packets.records import HintKind, Rows, Verdict
from agent.tap.records import Octets

METERED, TCP = int(Verdict.METERED), 6
U64 = np.uint64
H_TLS, H_DICOM, H_HL7 = int(HintKind.TLS_CLIENT), int(HintKind.DICOM), int(HintKind.HL7)
H_REQUEST, H_RESPONSE = int(HintKind.HTTP_REQUEST), int(HintKind.HTTP_RESPONSE)
SLOTS = 64
LOOKS_OF_A_JOIN = 32  # to copy and hash eight kilobytes, in looks
HEADER_OCTETS = 512  # of an HL7 message: its header and acknowledgement
END_OF_HEAD = 0x0D0A0D0A  # of an HTTP message

# Columns of `parts`.
NEXT, HAVE, KIND, SOURCE, WANTED, WHOLE = 0, 1, 2, 3, 4, 5
PARTS_SIZE = 6


@leaf
def _wanted(octets: Octets, at: int, have: int, kind: int) -> int:
    """How long a message is by its own word; 0 for kinds that are not joined. Heads of text end with an empty line."""
    if kind == H_TLS and have >= 5:
        return 5 + u16(octets, at + 3)
    if kind == H_DICOM and have >= 6:
        return 6 + u32(octets, at + 2)
    if kind == H_HL7:
        return HEADER_OCTETS
    return HINT_OCTETS_MAX if kind == H_REQUEST or kind == H_RESPONSE else 0


@leaf
def _has_head(octets: Octets, at: int, end: int) -> bool:
    """Whether an empty line stands in [at, end)."""
    for i in range(at, end - 3):
        if octets[i] == 0x0D and u32(octets, i) == END_OF_HEAD:
            return True
    return False


@leaf
def _is_whole(octets: Octets, at: int, have: int, kind: int, wanted: int) -> bool:
    """Whether nothing more is needed of a message, or nothing more may be seen."""
    if have >= wanted or have >= HINT_OCTETS_MAX:
        return True
    return (kind == H_REQUEST or kind == H_RESPONSE) and _has_head(octets, at, at + have)


@leaf
def _begin(row: np.void, octets: Octets, flows: Hashes, parts: Words, store: Octets) -> bool:
    """Keep a first part that wants more. Whether it does, and there is room."""
    kind, at, have = np.int64(row["hint"]), np.int64(row["payload"]), np.int64(row["payload_caplen"])
    if have != row["payload_octets"]:
        return False
    wanted = _wanted(octets, at, have, kind)
    if wanted == 0 or _is_whole(octets, at, have, kind, wanted):
        return False
    slot = np.int64(row["flow"] & U64(SLOTS - 1))
    if parts[slot, WHOLE]:
        return False  # what lies there was not told yet
    flows[slot] = row["flow"]
    base = slot * HINT_OCTETS_MAX
    for i in range(have):
        store[base + i] = octets[at + i]
    parts[slot, NEXT] = (np.int64(row["tcp_seq"]) + have) & 0xFFFFFFFF
    parts[slot, HAVE], parts[slot, KIND] = have, kind
    parts[slot, SOURCE], parts[slot, WANTED] = row["src_port"], wanted
    return True


@leaf
def _append(row: np.void, octets: Octets, slot: int, parts: Words, store: Octets) -> bool:
    """Lay the next part beside what is there. Whether the message is whole."""
    have, captured = parts[slot, HAVE], np.int64(row["payload_caplen"])
    base, at = slot * HINT_OCTETS_MAX, np.int64(row["payload"])
    taken = min(captured, HINT_OCTETS_MAX - have)
    for i in range(taken):
        store[base + have + i] = octets[at + i]
    have += taken
    parts[slot, HAVE] = have
    parts[slot, NEXT] = (parts[slot, NEXT] + np.int64(row["payload_octets"])) & 0xFFFFFFFF
    cut = captured != row["payload_octets"]
    return cut or _is_whole(store, base, have, parts[slot, KIND], parts[slot, WANTED])


@leaf
def _gist(kind: int, row: np.void, store: Octets, at: int, have: int, key: Hashes, start: np.uint64) -> np.uint64:
    """The gist of a whole message: of a hello as ever, of others all octets, for the news may stand far behind."""
    if kind == H_TLS:
        return gist(kind, row, store, at, have, key, start)
    found = sip3(key[0], key[1], start, U64(have), U64(9))
    for done in range(0, have, HASHED_OCTETS):
        found = digest(store, at + done, have - done, key, found)
    return found


@kernel
def join_segments(
    rows: Rows, places: Words, octets: Octets, wanted: Flags, flows: Hashes, parts: Words, store: Octets,
    seen: Hashes, per_kind: Words, key: Hashes, budget: Words, chosen: Words,
) -> int:  # fmt: skip
    """Messages that the rows at `places` made whole and that are news: `chosen[:n]` = (row, slot, octets). Returns n.

    `store` holds HINT_OCTETS_MAX octets of each slot. A slot whose message is chosen has WHOLE set: the caller clears
    it when it has taken the octets. What was heard before, or is over the budget, is let go and counted.
    """
    n = 0
    for number in range(len(places)):
        i = U64(places[number])
        row = rows[i]
        if row["protocol"] != TCP or row["payload_caplen"] == 0 or row["verdict"] != METERED or row["flow"] == U64(0):
            continue
        slot = np.int64(row["flow"] & U64(SLOTS - 1))
        mine = flows[slot] == row["flow"] and parts[slot, SOURCE] == row["src_port"] and parts[slot, WHOLE] == 0
        if not mine or parts[slot, NEXT] != row["tcp_seq"]:
            if row["hint"] and wanted[row["hint"]] and budget[LOOKS_LEFT] >= LOOKS_OF_A_JOIN:
                budget[LOOKS_LEFT] -= LOOKS_OF_A_JOIN * _begin(row, octets, flows, parts, store)
            continue
        if not _append(row, octets, slot, parts, store):
            continue
        flows[slot] = U64(0)
        kind, have = parts[slot, KIND], parts[slot, HAVE]
        start = U64(row["src_mac"]) | (U64(kind) << U64(56))
        found = _gist(kind, row, store, slot * HINT_OCTETS_MAX, have, key, start) | U64(1)
        place = np.int64(found & U64(len(seen) - 1))
        if seen[place] == found:
            budget[REPEATED] += 1
        elif budget[LEFT] <= 0 or per_kind[kind, NEWS] >= budget[PER_KIND_MAX] or n >= len(chosen):
            budget[SKIPPED] += 1
        else:
            seen[place] = found
            per_kind[kind, NEWS] += 1
            budget[LEFT] -= 1
            parts[slot, WHOLE] = 1
            chosen[n, 0], chosen[n, 1], chosen[n, 2] = i, slot, have
            n += 1
    return n


@kernel
def is_joining(flows: Hashes) -> bool:
    """Whether any message is unfinished."""
    for slot in range(len(flows)):
        if flows[slot] != U64(0):
            return True
    return False
