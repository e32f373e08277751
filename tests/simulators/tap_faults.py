"""What goes wrong with the tap itself, by the counts of its leg, its clock and what comes in at its port.

Plays for `misbehaviour.py`; nothing is sent anywhere.
"""

from tests.simulators import services
from tests.simulators.medium import US, Behaviour, Medium
from tests.simulators.reel import ALWAYS
from tests.simulators.stage import Stage

CONTACTS = 20_000  # that nobody answers
TOO_MANY = 128 + 1000  # so many are kept of one device at once, and a thousand more are pressure
STEP_S = 7200


def frames_lost(stage: Stage) -> None:
    """The tap's kernel loses two frames in a hundred."""
    stage.legs["dropped_permille"], stage.evidence_s = 20, 60


def cable_pulled(stage: Stage) -> None:
    """The tap's leg has no carrier."""
    stage.legs["blind"], stage.evidence_s = 1, 5


def tap_speaks(stage: Stage) -> None:
    """Somebody sends through the tap's interface."""
    stage.legs["tx_packets"], stage.evidence_s = 3, 0


def one_way_mirror(stage: Stage) -> None:
    """The mirror port gives what devices send and no longer what servers answer."""
    hosts, from_now = stage.life.ward.hosts, (stage.at_s, ALWAYS[1])
    servers = {hosts[address].mac for address in services.SERVER_NAMES.values()}
    stage.life.reel.mute += [(card, from_now) for card in sorted(servers)]
    stage.evidence_s = 43 + 2 * 60  # two whole intervals, after the one in which it begins


def clock_set(stage: Stage) -> None:
    """Somebody sets the tap's clock two hours back."""
    stage.legs["clock_steps_s"], stage.evidence_s = -STEP_S, 1


def tables_full(stage: Stage) -> None:
    """A laptop sends to more addresses than the tap keeps of one device, five thousand a second."""
    laptop = stage.intruder("laptop", "3c:52:82:01:02:60", 99)

    def scene(ward: Medium) -> Behaviour:
        for number in range(CONTACTS):
            ward.datagram(laptop, f"10.99.{number >> 8}.{number & 255}", (20_000, 9), b"\xff")
            yield 200 * US

    stage.plays(scene, 10)
    stage.evidence_s = 10 + TOO_MANY * 0.0002
