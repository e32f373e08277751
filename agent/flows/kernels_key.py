"""Hash: PACKET rows -> the keyed digest of each row's flow, in `flow`.

Before: decoded rows. After: rows of one biflow and one secret have one digest, whatever their direction. Two IPv4
addresses are one word, so most keys are two words, and those are hashed side by side in the processor's wide registers.
It stands apart from the meter so that it can run where there is time for it.
"""

import numpy as np

from agent.flows.keys import is_ipv4, key_of
from agent.flows.records import Rows
from agent.jit import Hashes, brief, leaf
from agent.keyed import sip2, sip5

U64 = np.uint64
ABREAST = 64  # rows whose words are gathered before they are hashed
WORD, PORTS, DIGEST, SCRATCH = 0, 1, 2, 3  # rows of `scratch`


@leaf
def _gather(rows: Rows, start: int, stop: int, scratch: Hashes) -> int:
    """The two words of each key; how many keys are longer."""
    longer = 0
    for i in range(start, stop):
        row, j = rows[i], U64(i - start)
        _, (a, b, c, d, ports) = key_of(row, np.int64(row["protocol"]))
        scratch[U64(WORD), j] = (b << U64(32)) | (d & U64(0xFFFFFFFF))
        scratch[U64(PORTS), j] = ports
        longer += np.int64(not is_ipv4(a, b, c, d))
    return longer


@leaf
def _hash_longer(rows: Rows, start: int, stop: int, secret: Hashes, scratch: Hashes) -> None:
    """IPv6: five words."""
    for i in range(start, stop):
        row = rows[i]
        _, (a, b, c, d, ports) = key_of(row, np.int64(row["protocol"]))
        if not is_ipv4(a, b, c, d):
            scratch[U64(DIGEST), U64(i - start)] = sip5(secret[0], secret[1], a, b, c, d, ports)


@brief
def hash_flows(rows: Rows, count: int, secret: Hashes, scratch: Hashes) -> None:
    """Set `flow` of rows[:count]. `scratch` is (SCRATCH, ABREAST)."""
    key0, key1 = secret[0], secret[1]
    words, ports, digests = scratch[WORD], scratch[PORTS], scratch[DIGEST]
    for start in range(0, count, ABREAST):
        stop = min(start + ABREAST, count)
        longer = _gather(rows, start, stop, scratch)
        for j in range(ABREAST):  # a fixed number, without a branch: the compiler takes several at once
            digests[j] = sip2(key0, key1, words[j], ports[j])
        if longer:
            _hash_longer(rows, start, stop, secret, scratch)
        for i in range(start, stop):
            rows[i]["flow"] = scratch[U64(DIGEST), U64(i - start)]
