"""What a worker's rows tell the others: who serves, and the names of those who have no MAC address."""

import numpy as np

from agent.flows import kernels_shared
from agent.flows.lifecycle import SERVERS_FROM, SERVERS_KEY, SERVERS_SIZE
from agent.keyed import NO_MAC_BIT, address_name
from agent.packets.records import PacketFlag
from tests.devices.bench import Bench
from tests.flows.talks import Talk
from tests.forge.pcap import Frame
from tests.forge.tcp import ACK, RST, SYN
from tests.simulators.bursts import HASHES, SECRET, rows_of

pytestmark = HASHES


def shared(frames: list[Frame], link: int = 1) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """(rows, servers) after a look at them."""
    rows, servers, secret = rows_of(frames, link), np.zeros(SERVERS_SIZE, np.uint64), np.array(SECRET, np.uint64)
    servers[:SERVERS_KEY] = secret
    kernels_shared.share_rows(rows, len(rows), secret, servers)
    return rows, servers


def test_only_who_accepts_serves() -> None:
    for flags, learned in ((SYN | ACK, 2), (SYN, 0), (ACK, 0), (SYN | ACK | RST, 0)):
        talk = Talk()
        talk.tcp(1, flags, back=True)
        assert np.count_nonzero(shared(talk.frames)[1][SERVERS_FROM:]) == learned, "a digest and its time"


def test_without_mac_addresses_both_ends_are_named_as_the_device_table_names_them() -> None:
    talk = Talk()
    talk.tcp(1, SYN)
    bare = [Frame(frame.time_ns, frame.octets[14:]) for frame in talk.frames]
    rows, _ = shared(bare, link=101)
    assert rows["flags"][0] & PacketFlag.NO_MAC
    key, row = np.array(SECRET, np.uint64), rows[0]
    assert row["src_mac"] == address_name(key[0], key[1], row["src_hi"], row["src_lo"])
    assert row["src_mac"] & row["dst_mac"] & NO_MAC_BIT
    bench = Bench()
    bench.hear(bare, link=101)
    assert row["src_mac"] in bench.table._macs
    again = rows.copy()
    kernels_shared.share_rows(rows, len(rows), key, np.zeros(SERVERS_SIZE, np.uint64))
    assert (rows == again).all(), "a name is given once"


def test_with_mac_addresses_nothing_changes() -> None:
    talk = Talk()
    talk.handshake()
    rows, _ = shared(talk.frames)
    assert (rows == rows_of(talk.frames)).all()
