"""`python -m tests.bench.delivery`: processor time for sealing records, and for verifying and storing summaries."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agent.collector.intake import judge
from agent.collector.records import Arrival, Batch, Record
from agent.collector.store.writer import Store
from agent.spool.records import Lane, Position, SpoolRecord
from agent.uplink.sealer import Sealer
from agent.wire.summary import Row
from agent.wire.types import MessageType
from tests.simulators.reporter import START_NS, Reporter, damaged, summary, trust_of

RECORDS, DEVICES, BATCH = 500, 100, 50


def seconds(work: Callable[[], None]) -> float:
    """Processor seconds of one call."""
    before = time.process_time()
    work()
    return time.process_time() - before


def main() -> None:
    """Three lines: what one core does in a second."""
    tap = Reporter()
    rows = tuple(Row(number, 100, 90, 9000, 8000, 3, 2, 1, 0, 2) for number in range(1, DEVICES + 1))
    spooled = []
    for _ in range(RECORDS):
        tap.clock.sleep(60)
        seq, octets = tap.chain.next(MessageType.SUMMARY, summary(tap.clock.now_ns, rows=rows).to_content())
        run = tap.chain.run
        spooled.append(SpoolRecord(run, "sensor", seq, MessageType.SUMMARY, octets, Lane.BULK, Position("", 0)))
    sealer, trust = Sealer(tap.agent, tap.site, [tap.key]), trust_of(tap)
    sealed: list[tuple[str, bytes]] = []
    topic = tap.topic(MessageType.SUMMARY)
    sealing = seconds(lambda: sealed.extend((topic, sealer.seal(record)[1]) for record in spooled))
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder))

        def collect() -> None:
            for at in range(0, RECORDS, BATCH):
                found = [judge(Arrival(*message, START_NS), trust) for message in sealed[at : at + BATCH]]
                store.commit(Batch(records=[record for record in found if isinstance(record, Record)]))

        storing = seconds(collect)
        store.close()
    forged = [damaged(message) for message in sealed]
    refusing = seconds(lambda: [judge(Arrival(*message, START_NS), trust) for message in forged] and None)
    print(f"sealed: {RECORDS / sealing:.0f} summaries of {DEVICES} devices a second and core")
    print(f"verified and stored: {RECORDS / storing:.0f} a second and core, {BATCH} a commit")
    print(f"refused: {RECORDS / refusing:.0f} forgeries a second and core")


if __name__ == "__main__":
    main()
