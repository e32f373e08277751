"""What a sensor knows over a restart: what was learned (`learning`, `volumes`, `peers`), and who the devices are.

Who is who lies in `sensor/identity` of the state folder. A damaged file is put aside (`identity.damaged`), said and
counted, and the sensor starts with nothing: it hears everything anew within minutes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from agent.devices.memory import Remembered, encode, read
from agent.devices.view import Ward
from agent.service.learning import BaselineKeeper, baseline_path
from agent.service.peers import PeersKeeper, peers_path
from agent.service.pipeline import Pipeline
from agent.service.saver import KeptFile, SaveThread, Say
from agent.service.volumes import VolumesKeeper, volumes_path

SAVE_EVERY_S: Final = 300  # a power cut costs what was first heard in five minutes
NAME: Final = "identity"
Health = Callable[[], dict[str, int | str]]


def identity_path(state: Path) -> Path:
    """Where it lies who the devices are."""
    return state / "sensor" / NAME


class IdentityKeeper:
    """Reads it once, and saves it now and then on a thread of its own."""

    def __init__(self, path: Path, say: Say, shared: SaveThread | None = None) -> None:
        self.recalled = 0  # devices that were known before
        self._file = KeptFile(path, say, shared, SAVE_EVERY_S)
        nobody: list[Remembered] = []
        self._read = self._file.read(read, nobody, "who is who is heard anew")

    def begin(self, ward: Ward, now_s: int) -> None:
        """The devices that were known before are known again."""
        self.recalled = ward.recall(self._read, now_s)
        self._read = []

    def look(self, ward: Ward, now_s: int) -> None:
        """Once a second: save what is due."""
        if self._file.is_due(now_s):
            self._file.save(encode(ward.remember(now_s)))

    def close(self, ward: Ward, now_s: int) -> None:
        """Save for the last time."""
        self._file.save(encode(ward.remember(now_s)))
        self._file.close()

    def health(self) -> dict[str, int | str]:
        """For summaries."""
        return {
            "identity_recalled": self.recalled,
            "identity_damaged": self._file.damaged,
            "identity_save_errors": self._file.failed,
        }


class Memory:
    """All together, as the sensor uses them."""

    def __init__(self, state: Path, say: Say) -> None:
        self._thread = SaveThread()  # one for all files: a sensor's threads are counted
        self.volumes = VolumesKeeper(volumes_path(state), say, self._thread)
        self.learning = BaselineKeeper(baseline_path(state), say, self._thread)
        self.identity = IdentityKeeper(identity_path(state), say, self._thread)
        self.peers = PeersKeeper(peers_path(state), say, self._thread)

    def begin(self, pipeline: Pipeline, now_s: int) -> Health:
        """What was known is known again. Returns what summaries tell of it."""
        learning = self.learning.begin(pipeline.engine)
        self.identity.begin(pipeline.ward, now_s)
        self.volumes.begin(pipeline.engine.volumes)
        self.peers.begin(pipeline.engine.peers, now_s)
        keepers = (self.identity, self.volumes, self.peers)
        return lambda: learning() | {name: value for keeper in keepers for name, value in keeper.health().items()}

    def look(self, pipeline: Pipeline, now_s: int) -> None:
        """Once a second: save what is due."""
        self.learning.look(pipeline.engine, now_s)
        self.identity.look(pipeline.ward, now_s)
        self.volumes.look(pipeline.engine.volumes, now_s)
        self.peers.look(pipeline.engine.peers, now_s)

    def close(self, pipeline: Pipeline, now_s: int) -> None:
        """Save for the last time."""
        self.learning.close(pipeline.engine)
        self.identity.close(pipeline.ward, now_s)
        self.volumes.close(pipeline.engine.volumes)
        self.peers.close(pipeline.engine.peers)
        self._thread.close()
