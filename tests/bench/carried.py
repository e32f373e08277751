"""`python -m tests.bench.carried [RECORDS]`: what carrying a summary costs, in processor time of uplink and collector.

A full spool, a real broker on loopback, the real programs: read, seal, send, verify, unpack, store (WAL, FULL), roll
up, acknowledge. Processor time is /proc's, from the first stored record to the last, so other load counts little.
"""

import os
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from agent.clock import SystemClock, boot_id
from agent.collector.store.database import FILE_NAME
from agent.spool.records import Identity, SpoolLimits
from agent.spool.writer import SpoolWriter
from agent.wire.summary import Row
from agent.wire.types import MessageType
from tests.faults.site import Site
from tests.simulators.kit import AGENT, SITE
from tests.simulators.reporter import START_NS, cards, summary

RECORDS, DEVICES, MINUTE_NS = 4000, 100, 60_000_000_000
CARDS_EVERY = 60  # an hour: who the devices are is told when it changes
BARS = {"uplink": 500, "collector": 200}


def fill(state: Path, records: int) -> None:
    """A spool with that many summaries of a hundred devices, each different."""
    identity = Identity(AGENT, SITE, "sensor", boot_id())
    writer = SpoolWriter.open(state / "sensor" / "spool", identity, SystemClock(), SpoolLimits(gather_bulk_s=0.01))
    everybody = tuple(
        cards()[0]._replace(number=at, mac=(0x00D07500_0000 + at).to_bytes(6), names=()) for at in range(1, DEVICES + 1)
    )
    for number in range(records):
        rows = tuple(Row(at, 100 + number % 97, 90, 9000 + number, 8000, 3, 2, 1, 0, 2) for at in range(1, DEVICES + 1))
        known = () if number % CARDS_EVERY else everybody
        one = summary(START_NS + number * MINUTE_NS, rows=rows, cards=known)
        writer.append(MessageType.SUMMARY, one.to_content())
        if number % 500 == 0:
            writer.flush()
    writer.close(60)


def spent_s(pid: int) -> float:
    """Processor time of a process and its threads (proc(5): fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stored(folder: Path) -> int:
    """How many records there are."""
    with closing(sqlite3.connect(f"file:{folder / FILE_NAME}?mode=ro", uri=True, timeout=30)) as store:
        return int(store.execute("SELECT count(*) FROM records WHERE stream='sensor'").fetchone()[0])


def main(records: int) -> None:
    """A line for each program."""
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder))
        try:
            site.sensor.kill()
            site.uplink.kill()
            fill(site.state, records)
            pids = {"collector": site.collector.pid}
            beginning = spent_s(pids["collector"])
            first = stored(site.collected)
            site.uplink.start()
            pids["uplink"] = site.uplink.pid
            spent = {"collector": -beginning, "uplink": -spent_s(pids["uplink"])}
            began = time.monotonic()
            while (have := stored(site.collected)) < first + records:
                time.sleep(0.2)
            took_s = time.monotonic() - began
            spent = {name: spent[name] + spent_s(pid) for name, pid in pids.items()}
        finally:
            site.end()
    carried = have - first
    for name, bar in BARS.items():
        rate = carried / spent[name]
        print(f"{name}: {rate:,.0f} summaries of {DEVICES} devices a second and core (bar {bar})")
    print(f"together {carried / took_s:,.0f} a second by the clock of a machine that others use")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS)
