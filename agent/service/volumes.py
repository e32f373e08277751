"""How much each role sends, over a restart: the pools of `findings/volumes.py` as a file (`checked_file`).

    wardtap-volumes 1 <SHA-256 of the rest, hexadecimal>
    {"roles": {"patient-monitor": [[hour, power of two, intervals], ...], ...}}

No device and no address is in it. Roles stand in it by name, so that a release with another role list reads it; what it
does not know is left out. It lies in `sensor/volumes` of the state folder. A damaged file is put aside
(`volumes.damaged`), said and counted, and the pools begin anew.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agent.devices.checked_file import Form, read_octets, seal, unseal
from agent.devices.roles import ROLES
from agent.errors import StateError
from agent.findings.volumes import BINS, COUNT_MAX, HOURS, Sample, Volumes
from agent.service.saver import KeptFile, SaveThread, Say

SAVE_EVERY_S: Final = 900  # a power cut costs a quarter of an hour of learning
NAME: Final = "volumes"
VERSION: Final = 1
FILE_BYTES_MAX: Final = 2 << 20  # 30 roles of 24 hours of 64 sizes, each as often as can be
SAMPLES_MAX: Final = HOURS * BINS  # of one role
FORM: Final = Form("wardtap-volumes", VERSION, "a memory of volumes", FILE_BYTES_MAX)
Pools = Mapping[str, Sequence[Sample]]  # by role


def volumes_path(state: Path) -> Path:
    """Where the pools lie."""
    return state / "sensor" / NAME


def encode(volumes: Volumes) -> bytes:
    """The file's content: the same pools give the same octets."""
    pools = {role: volumes.samples(number) for number, role in enumerate(ROLES)}
    return seal(FORM, {"roles": {role: samples for role, samples in pools.items() if samples}})


def decode(raw: bytes) -> Pools:
    """What `encode` wrote. StateError, with the reason, for anything else."""
    content = unseal(FORM, raw)
    try:
        pools = {role: _samples(rows) for role, rows in content["roles"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StateError(f"the memory of volumes is damaged: {type(error).__name__}") from error
    return {role: samples for role, samples in pools.items() if role in ROLES}


def _samples(rows: Any) -> list[Sample]:
    samples = [Sample(*row) for row in rows]
    for sample in samples:
        bounds = zip(sample, (HOURS - 1, BINS - 1, COUNT_MAX), strict=True)
        if not all(type(value) is int and 0 <= value <= most for value, most in bounds):
            raise ValueError(str(sample))
    if len(samples) > SAMPLES_MAX:
        raise ValueError("more than there are")
    return samples


def read(path: Path) -> Pools:
    """The file's pools; none where there is no file. StateError when it is damaged or cannot be read."""
    raw = read_octets(FORM, path)
    try:
        return {} if raw is None else decode(raw)
    except StateError as error:
        raise StateError(str(error), where=str(path)) from error


class VolumesKeeper:
    """Reads them once, and saves them now and then on a thread of its own."""

    def __init__(self, path: Path, say: Say, shared: SaveThread | None = None) -> None:
        self._file = KeptFile(path, say, shared, SAVE_EVERY_S)
        self._read: Pools = self._file.read(read, {}, "how much each role sends is learned anew")

    def begin(self, volumes: Volumes) -> None:
        """The pools go on as they were."""
        for role, samples in self._read.items():
            volumes.resume(ROLES.index(role), samples)
        self._read = {}

    def look(self, volumes: Volumes, now_s: int) -> None:
        """Once a second: save what is due."""
        if self._file.is_due(now_s, changed=volumes.changed):
            self._save(volumes)

    def _save(self, volumes: Volumes) -> None:
        volumes.changed = False
        self._file.save(encode(volumes))

    def close(self, volumes: Volumes) -> None:
        """Save for the last time."""
        self._save(volumes)
        self._file.close()

    def health(self) -> dict[str, int | str]:
        """For summaries."""
        return {"volumes_damaged": self._file.damaged, "volumes_save_errors": self._file.failed}
