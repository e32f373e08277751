"""Bursts made of memory: frames as a leg would give them, and the rows that the real decoder makes of them."""

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pytest

from agent.jit import Words
from agent.packets import cursor, kernels
from agent.packets.records import PACKET, VERDICTS, Rows
from agent.tap.records import FRAME, Burst
from tests.forge.pcap import EN10MB, Frame

# Without the JIT a kernel takes a hundred times longer: long inputs are thinned to every twentieth frame.
THIN = 20 if os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"} else 1
# SipHash, the memo's and the mirror's mix and a sum of hashes count modulo 2**64; compiled code does so silently,
# numpy's scalars say so. Only there is it meant.
HASHES = pytest.mark.filterwarnings(
    "ignore:overflow encountered:RuntimeWarning:agent.keyed",
    "ignore:overflow encountered:RuntimeWarning:agent.devices.placing",
    "ignore:overflow encountered:RuntimeWarning:agent.packets.kernels_mirror",
    "ignore:overflow encountered:RuntimeWarning:agent.packets.kernels_fragments",
    "ignore:overflow encountered:RuntimeWarning:agent.packets.gists",
)
LONG = pytest.mark.skipif(not os.environ.get("WARDTAP_SLOW"), reason="long form: set WARDTAP_SLOW=1 to run it")
SECRET = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
MARGIN = 7  # octets before the first frame and after the last: nobody may read them


class Heard(NamedTuple):
    """What one frame is to the decoder."""

    octets: bytes
    wirelen: int = 0  # 0: not known
    link: int = EN10MB
    vlan: int = 0  # taken out by the ring
    leg: int = 0
    time_ns: int = 0


def burst_of(frames: Iterable[Heard]) -> Burst:
    """A burst whose octets begin and end with a margin that belongs to no frame."""
    heard = list(frames)
    table = np.zeros(len(heard), FRAME)
    at = MARGIN
    for row, frame in zip(table, heard, strict=True):
        row["time_ns"], row["offset"], row["caplen"], row["wirelen"] = (
            frame.time_ns,
            at,
            len(frame.octets),
            frame.wirelen,
        )
        row["link"], row["vlan"], row["leg"] = frame.link, frame.vlan, frame.leg
        at += len(frame.octets)
    octets = b"\xee" * MARGIN + b"".join(frame.octets for frame in heard) + b"\xee" * MARGIN
    return Burst(table, len(heard), np.frombuffer(bytearray(octets), np.uint8))


def decode_into(burst: Burst, rows: Rows) -> Words:
    """Fill the rows of a burst; gives the counts by verdict."""
    verdicts, walk = np.zeros(VERDICTS, np.int64), np.zeros(cursor.CURSOR_SIZE, np.int64)
    kernels.decode_burst(burst.frames, burst.count, burst.octets, rows, verdicts, walk, np.zeros(64, PACKET))
    assert verdicts.sum() == burst.count
    return verdicts


def decode(burst: Burst) -> Rows:
    """The rows of a burst."""
    rows = np.zeros(max(burst.count, 1), PACKET)
    decode_into(burst, rows)
    return rows[: burst.count]


def rows_of(frames: Iterable[Frame], link: int = EN10MB) -> Rows:
    """The rows of forged frames, with their times."""
    return decode(burst_of(Heard(f.octets, f.wirelen or len(f.octets), link, time_ns=f.time_ns) for f in frames))


def as_dicts(rows: Rows) -> Iterator[dict[str, int]]:
    """Rows as the slow twins take them."""
    names = rows.dtype.names or ()
    return (dict(zip(names, row, strict=True)) for row in rows.tolist())
