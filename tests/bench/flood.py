"""What a frame costs in peace and under attack: `python -m tests.bench.flood [--seconds N] [--rate N] [ATTACK ...]`.

Peace is a ward of ten thousand talks that goes on, at the same number of frames a second. Each
attack plays its frames into a pipeline of its own, tables as shipped, after some seconds of peace; peace and attack are
measured in alternation. Thread time, the median of the seconds. Beside it: what the attack made the tables give up.
"""

import argparse
import statistics
import time

import numpy as np

from agent.config import Config
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.ipv4 import TCP as TCP_NUMBER
from tests.forge.ipv4 import Ipv4
from tests.forge.tcp import ACK, PSH, Tcp
from tests.simulators.attacks import ATTACKS, Attack
from tests.simulators.floods import IP4_DST, IP4_ID, IP4_SRC, SRC_MAC, TCP4_SEQ, Table, drawn, octets_of, stamped
from tests.simulators.siege import Siege

TALKS, HOSTS = 10_000, 700
WARM_SECONDS = 4


def peace(rng: np.random.Generator, count: int) -> Table:
    """Segments of talks that go on: popular ones more often (Zipf), no two frames alike."""
    weight = 1 / np.arange(1, TALKS + 1) ** 0.8
    talk = rng.choice(TALKS, count, p=weight / weight.sum())
    segment = Tcp(40_000, 443, flags=PSH | ACK).octets("10.2.0.1", "10.3.0.1", bytes(300))
    packet = Ipv4("10.2.0.1", "10.3.0.1", TCP_NUMBER).octets(segment)
    frame = ethernet("00:0c:29:00:00:01", "00:d0:75:02:00:00", IPV4, packet)
    host = octets_of(talk % HOSTS, 2)
    columns = {SRC_MAC + 4: host, IP4_SRC + 2: host, IP4_DST + 2: octets_of(talk // HOSTS, 2)}
    return stamped(frame, count, columns | {IP4_ID: drawn(rng, count, 2), TCP4_SEQ: drawn(rng, count, 4)})


def costs(siege: Siege, attack: Attack, seconds: int, rate: int) -> list[float]:
    """Nanoseconds a frame of each second; making the frames is not counted, their way through the pipeline is."""
    spent = []
    for _ in range(seconds):
        table = attack(siege.rng, rate)
        began = time.thread_time_ns()
        siege.play(table)
        spent.append((time.thread_time_ns() - began) / rate)
    return spent


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("attacks", nargs="*", default=list(ATTACKS), metavar="ATTACK")
    parser.add_argument("--seconds", type=int, default=12)
    parser.add_argument("--rate", type=int, default=100_000, help="frames a second")
    options = parser.parse_args()
    print(f"{'attack':<18}{'idle ns':>9}{'attack ns':>11}{'ratio':>7}{'flows':>9}{'edges':>9}{'devices':>9}")
    for name in options.attacks:
        siege = Siege(Config())
        siege.watch.wants_flows = False  # as the sensor: flow records stay inside
        idle = costs(siege, peace, WARM_SECONDS + options.seconds // 2, options.rate)[WARM_SECONDS:]
        under = costs(siege, ATTACKS[name], options.seconds, options.rate)
        siege.quiet(5)
        idle += costs(siege, peace, options.seconds // 2, options.rate)
        evicted, (edges, devices, _) = siege.pipeline.cache.evicted, siege.pipeline.table.pressure()
        siege.end()
        calm, stormy = statistics.median(idle), statistics.median(under)
        gave_up = f"{evicted:>9}{edges:>9}{devices:>9}"
        print(f"{name:<18}{calm:>9.0f}{stormy:>11.0f}{stormy / calm:>7.2f}{gave_up}", flush=True)


if __name__ == "__main__":
    main()
