"""`python -m tests.bench.forgeries [SECONDS [RATE [PERCENT]]]`: how long findings take while another is flooded.

A real broker on loopback, the real uplink and collector; a client that is allowed to publish sends 10,000 messages a
second with a bad signature, at QoS 0 so that nothing slows it. Asked: whether a good tap waits more than 2 s, and what
a forgery costs the collector in processor time - the one figure that counts where others use the machine too. PERCENT
of a core is then all that the collector gets (a control group, root), a tenth of a second at a time.
"""

import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.collector.store.reader import reading
from tests.bench.carried import spent_s
from tests.faults.site import Program, Site
from tests.simulators.cgroup import Cgroup, cgroup
from tests.simulators.kit import SITE, key_of
from tests.simulators.reporter import Reporter, damaged

RATE, SECONDS, TURN_S, QUIET_S = 10_000, 60.0, 0.01, 5.0
PERIOD_US = 100_000
CONNECT = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05flood"  # MQTT 3.1.1, clean session


def publish(topic: str, payload: bytes) -> bytes:
    """A PUBLISH at QoS 0 (MQTT 3.1.1, 3.3)."""
    name = topic.encode()
    rest = len(name).to_bytes(2, "big") + name + payload
    length, left = b"", len(rest)
    while left > 127:
        length, left = length + bytes([left % 128 | 128]), left // 128
    return b"\x30" + length + bytes([left]) + rest


def flood(port: int, seconds: float, rate: int, told: Path) -> None:
    """Send at the rate, as far as the broker takes it; how many is written to a file at the end."""
    packet = publish(*damaged(Reporter("tap-2", SITE, key_of("other-agent")).summary()))
    with socket.create_connection(("127.0.0.1", port)) as wire:
        wire.sendall(CONNECT)
        wire.recv(4)
        began, sent = time.monotonic(), 0
        while (now := time.monotonic() - began) < seconds:
            due = int(now * rate) - sent
            wire.sendall(packet * due)
            sent += due
            time.sleep(TURN_S)
    told.write_text(f"{sent} {time.monotonic() - began}")
    signal.pause()  # whoever started it ends it


def main(seconds: float, rate: int, percent: int) -> None:
    """Lines: the flood, what the collector did with it and what that cost, and the good tap's findings."""
    with tempfile.TemporaryDirectory() as folder, share(percent) as group:
        site, told = Site(Path(folder), pause_s=0.2), Path(folder) / "flood"
        if group:
            group.take(site.collector.pid)
        flooder = Program(flood, site.broker.port, seconds, rate, told)
        try:
            time.sleep(QUIET_S)
            before_ns, spent = time.time_ns(), -spent_s(site.collector.pid)
            flooder.start()
            while not told.exists() or not told.read_text():
                site.idle()
            after_ns, spent = time.time_ns(), spent + spent_s(site.collector.pid)
            looked, refused = seen(site.collected)
            site.rest()
            found = site.delivered()
            waits = sorted(wait for at_ns, wait in site.waits_s() if before_ns < at_ns < after_ns)
        finally:
            flooder.kill()
            site.end()
        sent, took_s = (float(word) for word in told.read_text().split())
    print(f"sent: {sent:,.0f} forgeries in {took_s:.0f} s, {sent / took_s:,.0f} a second")
    print(f"reached the collector meanwhile: {looked:,}; verified {refused:,}, the rest not looked at")
    print(f"{looked / spent:,.0f} a second and core ({spent:.1f} s of processor time, its other work included)")
    print(
        f"a good tap: {len(waits)} findings, median {waits[len(waits) // 2]:.2f} s, worst {waits[-1]:.2f} s (bar 2 s)"
    )
    print(f"lost {found.lost}, stored twice {found.duplicated}, of {found.sent:,}")


@contextmanager
def share(percent: int) -> Iterator[Cgroup | None]:
    """A part of a core; all of it without a number."""
    if not percent:
        yield None
        return
    with cgroup(cpu_percent=percent, period_us=PERIOD_US) as group:
        yield group


def seen(folder: Path) -> tuple[int, int]:
    """Forgeries that reached the collector, and how many of them it verified."""
    with reading(folder) as store:
        counts = {row["name"]: row["value"] for row in store.rows("SELECT name, value FROM counters")}
        refused = store.rows("SELECT sum(count) AS n FROM refusals")[0]["n"] or 0
    return counts.get("not-verified-flood", 0) + refused, refused


if __name__ == "__main__":
    given = sys.argv[1:] + [str(SECONDS), str(RATE), "0"][len(sys.argv) - 1 :]
    main(float(given[0]), int(given[1]), int(given[2]))
