"""A stage for one misbehaviour: the ward, the moment, and what a play leaves behind; and what several plays share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.simulators import services
from tests.simulators.medium import MS, Behaviour, Conversation, Host, Medium, S, Step
from tests.simulators.reel import Scene
from tests.simulators.ward_cast import PREFIX, Life, add_host
from tests.simulators.ward_life import lives

ELSEWHERE = "10.20.31."  # a neighbouring subnet behind the gateway
ODD_SERVER, PUBLIC = "10.20.9.9", "203.0.113.77"
BUSY = 100 * MS


@dataclass(slots=True)
class Stage:
    """A ward, the moment at which something begins, and what a play leaves behind."""

    life: Life
    at_s: float
    mac: str = ""  # of the device that the finding must name
    evidence_s: float = 0.0  # after the beginning: from here on there is enough to tell
    legs: dict[str, int] = field(default_factory=dict)  # what the tap's leg says of itself: dropped, tx_packets, fault

    def one(self, role: str, number: int = 0) -> Host:
        """A host of the ward that is on at this moment."""
        there = [h for h in self.life.of(role) if any(a <= self.at_s < b for a, b in self.life.windows(h.ip))]
        return there[number % len(there)]

    def far(self, address: str) -> Host:
        """Somebody behind the gateway."""
        known = self.life.ward.hosts.get(address)
        gateway = self.life.ward.hosts[services.GATEWAY].mac
        return known or add_host(self.life, address, gateway, address)

    def intruder(self, name: str, card: str, last: int, vendor_class: str = "") -> Host:
        """Somebody who was never there before; what it does begins after its lease."""
        one = add_host(self.life, name, card, f"{PREFIX}{last}")
        self.life.on[one.ip] = ((self.at_s, 1e11),)
        lives(self.life, one, vendor_class or "dhcpcd-9.4.1")
        return one

    def plays(self, scene: Scene, after_s: float = 0.0) -> float:
        """Put a scene between the ward's frames; gives how long it lasts, in seconds."""
        strip = self.life.strip(scene)
        self.life.reel.once(self.at_s + after_s, strip)
        return float(strip.waits_ns[-1]) / S

    def session(
        self, client: Host, server: Host, port: int, steps: Sequence[Step] | None = None, after_s: float = 0.0
    ) -> float:
        """A TCP session in which something is said."""
        said = steps or (Step(BUSY, True, bytes(200)), Step(BUSY, False, bytes(300))) * 2
        return self.plays(lambda ward: ward.session(client, server, port, said), after_s)


Play = Callable[[Stage], None]


class Misbehaviour(NamedTuple):
    """A row."""

    title: str
    finding: str  # catalogue id that tells it
    play: Play
    within_s: int = 60  # after the evidence
    lasts_s: int = 300  # how long the ward is heard from the beginning on


def tries(client: Host, targets: Sequence[tuple[Host, int]], *, refused: bool = False, each_ns: int = 90 * MS) -> Scene:
    """One SYN after the other, refused or never answered (and then sent once more)."""

    def scene(ward: Medium) -> Behaviour:
        for target, port in targets:
            talk = Conversation(ward, client, target, port)
            ward.add(talk.probe(refused=refused), ward.now_ns)
            yield each_ns

    return scene


def sweep(stage: Stage, source: Host, port: int, count: int = 40) -> None:
    targets = [(stage.far(f"{ELSEWHERE}{n}"), port) for n in range(1, count + 1)]
    stage.plays(tries(source, targets))
    stage.mac, stage.evidence_s = source.mac, 12 * 0.09 + 5  # twelve tries, and the time in which an answer may come
