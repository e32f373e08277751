"""Ward-like traffic for measuring throughput: `python -m tests.bench.trace OUT.pcap [--packets N] [--scan]`.

Sizes are bimodal, flow popularity follows a Zipf law, both directions occur. With --scan every packet is a SYN of a
new flow: the worst case for a flow cache. The same seed gives the same octets.
"""

import argparse
import struct
from pathlib import Path

import numpy as np

PORTS = np.array([443, 80, 53, 2575, 104, 445, 24105, 123, 11112, 8883])
UDP_PORTS = (53, 123, 24105)
CHUNK = 100_000
HEADERS = 54  # Ethernet, IPv4, TCP
RECORD = np.dtype([("sec", "<u4"), ("usec", "<u4"), ("caplen", "<u4"), ("wirelen", "<u4")])


def _headers(rng: np.random.Generator, flows: int, packets: int, *, scan: bool) -> dict[str, np.ndarray]:
    """Per flow: client, server and ports; per packet: which flow, which way, what size."""
    weight = 1 / np.arange(1, flows + 1) ** 0.8
    order = np.arange(packets) if scan else rng.choice(flows, packets, p=weight / weight.sum())
    small, middle = rng.integers(60, 100, packets), rng.integers(100, 1514, packets)
    size = np.where(rng.random(packets) < 0.45, small, np.where(rng.random(packets) < 0.5, 1514, middle))
    return {
        "client": rng.integers(0, 200, flows),
        "server": rng.integers(0, 60_000 if scan else 500, flows),
        "source": rng.integers(1024, 65535, flows),
        "port": rng.choice(PORTS, flows),
        "order": order,
        "back": np.zeros(packets, bool) if scan else rng.random(packets) < 0.45,
        "size": np.full(packets, 60) if scan else size,
    }


def _frame(plan: dict[str, np.ndarray], seen: set[int], number: int) -> bytes:
    flow = int(plan["order"][number])
    first = flow not in seen
    seen.add(flow)
    client, server = 0x0A000000 | int(plan["client"][flow]), 0x0A010000 | int(plan["server"][flow])
    source, port = int(plan["source"][flow]), int(plan["port"][flow])
    ends = ((client, source), (server, port))
    if plan["back"][number] and not first:
        ends = ends[::-1]
    (a, a_port), (b, b_port) = ends
    macs = [
        b"\x02\x00\x00" + (address >> 16 & 1).to_bytes(1, "big") + (address & 0xFFFF).to_bytes(2, "big")
        for address in (b, a)
    ]
    length = int(plan["size"][number])
    udp = port in UDP_PORTS
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, length - 14, number & 0xFFFF, 0, 64, 17 if udp else 6, 0, a, b)
    if udp:
        transport = struct.pack(">HHHH", a_port, b_port, length - 34, 0)
    else:
        flags = 0x02 if first else 0x10
        transport = struct.pack(">HHIIBBHHH", a_port, b_port, number, number, 0x50, flags, 1000, 0, 0)
    return b"".join(macs) + b"\x08\x00" + ip + transport


def write(path: Path, packets: int, flows: int, seed: int, *, scan: bool) -> None:
    """Write the trace."""
    rng = np.random.default_rng(seed)
    plan = _headers(rng, packets if scan else flows, packets, scan=scan)
    when_us = 1_700_000_000_000_000 + np.cumsum(rng.exponential(20, packets)).astype(np.int64)
    filler, seen = bytes(rng.integers(0, 256, 1600, dtype=np.uint8)), set[int]()
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for start in range(0, packets, CHUNK):
            parts: list[bytes] = []
            for number in range(start, min(start + CHUNK, packets)):
                size, time_us = int(plan["size"][number]), int(when_us[number])
                head = _frame(plan, seen, number)
                parts += [
                    struct.pack("<IIII", time_us // 1_000_000, time_us % 1_000_000, size, size),
                    head,
                    filler[: size - len(head)],
                ]
            out.write(b"".join(parts))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--flows", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scan", action="store_true")
    options = parser.parse_args()
    write(options.out, options.packets, options.flows, options.seed, scan=options.scan)


if __name__ == "__main__":
    main()
