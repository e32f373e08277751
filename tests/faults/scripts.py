"""`python -m tests.faults.scripts sensor|collector|uplink ...`: short lives of our programs, to be ended from outside.

They print what they promise, a line each: `RUN NUMBER` for all numbers of that run up to this one.
"""

import os
import sys
import threading
from pathlib import Path

from agent.clock import SystemClock
from agent.collector.intake import judge
from agent.collector.records import Arrival, Batch, Record
from agent.collector.store.writer import Store
from agent.service.uplink import run
from agent.signing.keys import PrivateKey
from agent.spool.records import Identity, SpoolLimits
from agent.spool.writer import SpoolWriter
from agent.wire.types import MessageType
from tests.simulators.kit import AGENT, SITE, Kit
from tests.simulators.reporter import START_NS, Reporter, finding_map, summary, trust_of

LIMITS = SpoolLimits(segment_bytes=4 * 1024, gather_bulk_s=0.01, gather_urgent_s=0.002)
LONG = SpoolLimits(gather_bulk_s=0.01, gather_urgent_s=0.002)
ROUNDS, BATCH = 4, 5
SEED = bytes(32)


def identity() -> Identity:
    """Whose spool it is; the boot is not this machine's, so that a test may say which."""
    return Identity(AGENT, SITE, "sensor", bytes(16))


def promise(run_id: bytes, last: int) -> None:
    """One line, in one call: a reader sees it whole or not at all."""
    os.write(sys.stdout.fileno(), f"{run_id.hex()} {last}\n".encode())


def sensor(folder: Path, rounds: int = ROUNDS) -> None:
    """Some sixty calls: batches, marks, full segments. `rounds` of 0 go on for ever."""
    limits = LIMITS if rounds else LONG
    writer, number = SpoolWriter.open(folder, identity(), SystemClock(), limits, folder.parent / "progress.json"), 0
    while not rounds or number < rounds:
        number += 1
        writer.append(MessageType.SUMMARY, summary().to_content())
        last = writer.append(MessageType.FINDING, finding_map())
        if writer.flush():
            promise(writer.run, last)
    writer.close()


def collector(folder: Path, rounds: int = ROUNDS) -> None:
    """Batches of summaries and findings into a database; the run continues where the file says."""
    tap = Reporter(key=PrivateKey.from_seed(SEED))
    trust, store, number = trust_of(tap), Store.open(folder), 0
    while not rounds or number < rounds:
        number += 1
        messages = [tap.summary() if at % BATCH else tap.finding() for at in range(BATCH)]
        judged = [judge(Arrival(*message, START_NS), trust) for message in messages]
        for position in store.commit(Batch(records=[one for one in judged if isinstance(one, Record)])).positions:
            promise(position.key.run, position.upto)
    store.close()


def uplink(state: Path, broker: str) -> None:
    """`wardtap uplink` until it is ended."""
    run(Kit(state).config(resend_after_s=1), state, broker, stop=threading.Event())


if __name__ == "__main__":
    place = Path(sys.argv[2])
    if sys.argv[1] == "uplink":
        uplink(place, sys.argv[3])
    else:
        {"sensor": sensor, "collector": collector}[sys.argv[1]](place, *map(int, sys.argv[3:4]))
