"""Compiles or loads every kernel: a few frames through the whole sensor, and a ring: the one signature that runs."""

import struct
import tempfile
from io import StringIO
from pathlib import Path

from agent.config import Config
from agent.flows.cache import FlowLimits
from agent.jit import compiled
from agent.packets.decoder import Decoder
from agent.service.batches import Batches
from agent.service.replay import Wanted, replay
from agent.service.worker import Worker, no_servers
from agent.tap.ring_reader import load_kernels

PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
# An ARP request, and a DNS question that is a hint to nobody: together they pass through every kernel of the hot path.
ARP = bytes.fromhex("ffffffffffff020000000001080600010800060400010200000000010a0000010000000000000a000002")
DNS = bytes.fromhex(
    "02000000000202000000000108004500003900010000401100000a0000010a000002"
    "c001003500250000000101000001000000000000037761726403746170000001000100000000000000"
)
LLDP = bytes.fromhex("0180c200000e02000000000188cc0207040200000000010403070161060200780000")
PCAPNG = bytes.fromhex(
    "0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c0000000100000014000000010000000000040014000000"
)


def warm_up() -> tuple[int, int]:
    """(kernel versions ready, of those compiled now)."""
    record = b"".join(struct.pack("<IIII", 1, 0, len(frame), len(frame)) + frame for frame in (ARP, DNS, LLDP))
    with tempfile.TemporaryDirectory() as folder:
        classic, modern = Path(folder) / "warm.pcap", Path(folder) / "warm.pcapng"
        classic.write_bytes(PCAP_HEADER + record)
        modern.write_bytes(PCAPNG)
        replay([classic, modern], Config(), Wanted(json=True), StringIO())
    load_kernels()
    Decoder().load_headers()  # what only an overloaded tap needs
    batches, worker = Batches(1, 1), Worker(FlowLimits(64), (0, 0), no_servers())  # and what only several workers do
    batches.load()
    worker.load(batches.of(0)[0])
    return compiled()
