"""`python -m tests.bench.bad_input`: what refusing each hostile message costs in time and memory; the worst first."""

import time
import tracemalloc

from agent.collector.intake import judge
from agent.collector.records import Arrival
from tests.simulators.hostile import every
from tests.simulators.reporter import START_NS, Reporter, trust_of

REPEATS = 7
BAR_MS, BAR_BYTES = 5.0, 10 << 20


def main() -> None:
    """Every message, the ten dearest by name, and how many are over the bars."""
    tap = Reporter()
    trust, found = trust_of(tap), []
    for message in every(tap):
        arrival = Arrival(message.topic, message.octets, START_NS)
        best_s = []
        for _ in range(REPEATS):
            before = time.process_time()
            judge(arrival, trust)
            best_s.append(time.process_time() - before)
        tracemalloc.start()
        judge(arrival, trust)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        found.append((sorted(best_s)[REPEATS // 2] * 1000, peak_bytes, message))
    found.sort(key=lambda row: -row[0])
    for took_ms, peak_bytes, message in found[:10]:
        print(f"{took_ms:7.2f} ms {peak_bytes / (1 << 20):6.2f} MiB  {message.reason:14} {message.name[:60]}")
    over = sum(took_ms > BAR_MS or peak_bytes > BAR_BYTES for took_ms, peak_bytes, _ in found)
    middle_ms, most_bytes = found[len(found) // 2][0], max(row[1] for row in found)
    print(f"{len(found)} messages: {over} over {BAR_MS:.0f} ms or {BAR_BYTES >> 20} MiB; median {middle_ms:.2f} ms, ")
    print(f"dearest {found[0][0]:.2f} ms, most memory {most_bytes / (1 << 20):.2f} MiB")


if __name__ == "__main__":
    main()
