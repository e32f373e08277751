"""Digests of rows against the hash of their key, one by one."""

import numpy as np
import pytest

from agent.flows import kernels_key
from agent.flows.keys import is_ipv4, key_of
from agent.flows.records import Rows
from agent.keyed import sip2, sip5
from agent.packets.records import PACKET
from tests.simulators.bursts import HASHES, SECRET, THIN

pytestmark = HASHES
KEY = np.array(SECRET, np.uint64)
MAPPED = np.uint64(0xFFFF << 32)


def rows_of(count: int, seed: int) -> Rows:
    """Random rows, two of three between IPv4 addresses."""
    dice = np.random.default_rng(seed)
    rows = np.zeros(count, PACKET)
    for name in ("src_lo", "dst_lo"):
        rows[name] = dice.integers(0, 1 << 32, count, np.uint64) | MAPPED
    longer = dice.random(count) < 1 / 3
    for name in ("src_hi", "src_lo", "dst_hi", "dst_lo"):
        rows[name][longer] = dice.integers(0, 1 << 63, int(longer.sum()), np.uint64)
    for name in ("src_port", "dst_port", "vlan"):
        rows[name] = dice.integers(0, 1 << 12, count)
    rows["protocol"] = dice.choice([1, 6, 17, 58], count)
    rows["flags"] = 64
    return rows


def digest(row: np.void) -> int:
    """The slow way."""
    a, b, c, d, ports = (np.uint64(word) for word in key_of(row, int(row["protocol"]))[1])
    if is_ipv4(a, b, c, d):
        return int(sip2(KEY[0], KEY[1], (b << np.uint64(32)) | (d & np.uint64(0xFFFFFFFF)), ports))
    return int(sip5(KEY[0], KEY[1], a, b, c, d, ports))


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 300 // THIN])
def test_every_row_has_the_digest_of_its_key(count: int) -> None:
    rows, scratch = rows_of(count, count), np.zeros((kernels_key.SCRATCH, kernels_key.ABREAST), np.uint64)
    kernels_key.hash_flows(rows, count, KEY, scratch)
    assert rows["flow"].tolist() == [digest(row) for row in rows]


def test_both_directions_have_one_digest_and_the_rest_is_untouched() -> None:
    rows = rows_of(200 // THIN, 7)
    back = rows.copy()
    for end in ("hi", "lo", "port"):
        back[f"src_{end}"], back[f"dst_{end}"] = rows[f"dst_{end}"], rows[f"src_{end}"]
    for protocol, asks, answers in ((1, 0x0800, 0x0000), (58, 0x8000, 0x8100)):  # a type stands in the source port
        echoes = rows["protocol"] == protocol
        rows["src_port"][echoes], back["src_port"][echoes] = asks, answers
    before, scratch = rows.copy(), np.zeros((kernels_key.SCRATCH, kernels_key.ABREAST), np.uint64)
    kernels_key.hash_flows(rows, len(rows), KEY, scratch)
    kernels_key.hash_flows(back, len(back), KEY, scratch)
    assert rows["flow"].tolist() == back["flow"].tolist()
    assert len(set(rows["flow"].tolist())) == len(rows)
    rows["flow"] = 0
    assert (rows == before).all()
