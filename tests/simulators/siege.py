"""A ward of established talks, a pipeline that listens, and somebody who attacks: second by second, at file time."""

import ctypes
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from agent.config import Config
from agent.findings.records import Finding, Severity
from agent.flows.records import Rows
from agent.service.intervals import memory_bytes
from agent.service.pipeline import Pipeline
from agent.wire.summary import Summary
from tests.flows.talks import Talk
from tests.forge.arp import gratuitous
from tests.forge.tcp import ACK, PSH
from tests.service.bench import parts
from tests.simulators.attacks import Attack
from tests.simulators.bursts import SECRET
from tests.simulators.floods import IP4_ID, TCP4_SEQ, Table, bursts, octets_of, stacked

S = 1_000_000_000
# glibc keeps freed memory: a table of frames more or less would count as growth. Elsewhere nothing is returned.
RETURN_FREE = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: 0)
START_S = 1_793_606_400  # a whole minute: intervals begin with the siege
PORT = 3613  # what the ward's devices speak
DEVICES = 100
SERVER = ("10.1.1.250", "00:0c:29:00:00:fa")
SERVER_PORTS_AT = 32  # in a biflow's key_ports: the lower end's port above, the higher's here


JOINERS = 20


def device(number: int) -> tuple[str, str]:
    """Address and card of a device of the ward."""
    return f"10.1.1.{number + 1}", f"00:d0:75:00:00:{number + 1:02x}"


def joiner(number: int) -> tuple[str, str]:
    """A device that comes later."""
    return f"10.1.2.{number + 1}", f"00:d0:75:00:09:{number + 1:02x}"


@dataclass
class Watch:
    """An outlet that keeps what is judged and the records of the ward's own talks, and counts the rest."""

    findings: list[Finding] = field(default_factory=list)
    postures: list[Finding] = field(default_factory=list)  # facts of the ward's own inventory, no news of an attack
    kept: Counter[int] = field(default_factory=Counter)  # records by key_ports of the ward's flows
    summaries: list[Summary] = field(default_factory=list)
    records: int = 0

    wants_flows = True

    def flows(self, records: Rows) -> None:
        """Of the ward's talks: how many records each has become."""
        self.records += len(records)
        ports = records["key_ports"]
        ours = ports[((ports >> np.uint64(48)) == PORT) | ((ports >> np.uint64(32) & np.uint64(0xFFFF)) == PORT)]
        self.kept.update(ours.tolist())

    def finding(self, finding: Finding) -> None:
        (self.postures if finding.severity is Severity.POSTURE else self.findings).append(finding)

    def summary(self, summary: Summary) -> None:
        """Without its tables: they are what a summary may hold, and a siege has hundreds."""
        self.summaries.append(
            Summary(
                summary.interval,
                summary.legs,
                summary.ignored,
                summary.duplicates,
                summary.truncated,
                summary.processed,
                summary.flows_exported,
                summary.flows_evicted,
                summary.health,
            )
        )

    def ids(self) -> Counter[str]:
        """How often each kind of finding was said."""
        return Counter(finding.id for finding in self.findings)


class Siege:
    """Drives one pipeline; `quiet` seconds hold the ward alone, seconds of an attack both."""

    def __init__(self, config: Config, *, seed: int = 1) -> None:
        self.watch = Watch()
        self.pipeline = Pipeline(config, parts(), self.watch, SECRET)
        self.rng = np.random.default_rng(seed)
        self.second = START_S
        self.memory: list[int] = []  # after each second
        self.frames = 0
        self._rows = self.pipeline.buffer()
        self._words = self._ward()
        self.play(self._handshakes())

    def _handshakes(self) -> Table:
        frames: list[bytes] = [gratuitous(SERVER[::-1])]
        for number in range(DEVICES):
            talk = Talk((device(number), SERVER), (40_000 + number, PORT))
            talk.handshake()
            frames += [gratuitous(device(number)[::-1]), *(frame.octets for frame in talk.frames)]
        return stacked(frames)

    @staticmethod
    def _ward() -> Table:
        frames = []
        for number in range(DEVICES):
            talk = Talk((device(number), SERVER), (40_000 + number, PORT))
            talk.tcp(0, PSH | ACK, b"pressure")
            talk.tcp(0, PSH | ACK, b"received", back=True)
            frames += [frame.octets for frame in talk.frames]
        return stacked(frames)

    def _said(self) -> Table:
        """What the ward says in this second: no two seconds are alike, or they would be a mirror's copies."""
        table = self._words.copy()
        numbers = self.second * len(table) + np.arange(len(table), dtype=np.int64)
        table[:, IP4_ID : IP4_ID + 2] = octets_of(numbers & 0xFFFF, 2)
        table[:, TCP4_SEQ : TCP4_SEQ + 4] = octets_of(numbers & 0xFFFFFFFF, 4)
        return table

    def play(self, *tables: Table) -> None:
        """One second: the tables one after the other, each spread over its share of it."""
        span = S // max(len(tables), 1)
        for index, table in enumerate(tables):
            self.frames += len(table)
            for burst in bursts(table, self.second * S + index * span, span):
                decoded = self.pipeline.decode(burst, self._rows)
                for _ in self.pipeline.take_steps(decoded):
                    pass
        self.second += 1
        self.pipeline.advance(self.second)
        self.memory.append(memory_bytes())

    def _at_rest(self) -> None:
        """A second is over and its frames are gone: what is held now is the pipeline's, not what made the frames."""
        RETURN_FREE(0)
        self.memory[-1] = memory_bytes()

    def quiet(self, seconds: int) -> "Siege":
        """The ward alone."""
        for _ in range(seconds):
            self.play(self._said())
            self._at_rest()
        return self

    def join(self) -> "Siege":
        """A second in which devices come that nobody has seen, announce themselves and talk."""
        frames = []
        for number in range(JOINERS):
            one = joiner(number)
            talk = Talk((one, SERVER), (50_000 + number, PORT + 1))
            talk.handshake()
            frames += [gratuitous(one[::-1]), *(frame.octets for frame in talk.frames)]
        self.play(stacked(frames), self._said())
        return self

    def attack(self, attack: Attack, seconds: int, a_second: int) -> "Siege":
        """The attack around the ward's words."""
        for _ in range(seconds):
            self._attacked(attack(self.rng, a_second))
            self._at_rest()
        return self

    def _attacked(self, table: Table) -> None:
        half = len(table) // 2
        self.play_around(table[:half], table[half:])

    def play_around(self, before: Table, after: Table) -> None:
        """A second in which the ward speaks in the middle."""
        self.play(before, self._said(), after)

    def end(self) -> Watch:
        """Drain; every count must add up."""
        self.pipeline.drain()
        assert self.pipeline.conserved()
        return self.watch

    def roles(self) -> dict[int, str]:
        """The role of every device that has a place, by its MAC."""
        table, ward = self.pipeline.table, self.pipeline.ward
        return {int(table.devices["mac"][slot]): ward.role(slot) for slot in table.occupied().tolist()}

    def unbroken(self) -> int:
        """After the end: how many of the ward's talks were one record from their first frame to the last."""
        return sum(count == 1 for count in self.watch.kept.values())
