"""How much each role sends, over a restart: the same judgement as without, and never half a memory."""

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest

from agent.devices.checked_file import seal
from agent.devices.roles import ROLES
from agent.errors import StateError
from agent.findings.engine import Engine
from agent.findings.records import Finding
from agent.findings.volumes import BINS, COUNT_MAX, HOURS, Volumes
from agent.service.saver import SaveThread
from agent.service.volumes import (
    FILE_BYTES_MAX,
    FORM,
    SAMPLES_MAX,
    SAVE_EVERY_S,
    VolumesKeeper,
    decode,
    encode,
    read,
    volumes_path,
)  # fmt: skip
from tests.faults.conftest import eventually
from tests.findings.bench import CONTRACTS, LISTS, Bench
from tests.findings.detectors.test_exfiltration import MIB, sends

MONITOR = ROLES.index("patient-monitor")


def taught(seed: int = 1) -> Volumes:
    """Pools of three roles with something in many hours."""
    volumes, random = Volumes(len(ROLES)), Random(seed)
    for hour in range(0, 24, 5):
        roles = np.array([random.randrange(3) for _ in range(20)], np.int16)
        octets = np.array([random.randrange(1 << random.randrange(1, 40)) for _ in range(20)], np.uint64)
        volumes.learn(roles, octets, hour * 3600 * 10**9)
    return volumes


def kept(path: Path, volumes: Volumes) -> None:
    """A sensor that ends."""
    keeper = VolumesKeeper(path, print)
    keeper.close(volumes)
    assert not keeper.health()["volumes_save_errors"]


def resumed(path: Path, volumes: Volumes | None = None) -> Volumes:
    """And the next one."""
    volumes, said, thread = volumes or Volumes(len(ROLES)), list[str](), SaveThread()
    VolumesKeeper(path, said.append, thread).begin(volumes)
    thread.close()
    assert not said
    return volumes


def test_they_come_back_as_they_were(tmp_path: Path) -> None:
    path, volumes = volumes_path(tmp_path), taught()
    kept(path, volumes)
    again = resumed(path)
    assert encode(again) == encode(volumes) == path.read_bytes()
    for hour in range(24):
        before, after = volumes.limits(hour * 3600 * 10**9), again.limits(hour * 3600 * 10**9)
        assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    assert not again.heard_a_day(30 * 3600 * 10**9), "after a restart every peer looks like one of today"


def half(bench: Bench, slots: list[int]) -> None:
    """Half an hour of ordinary work: half of what a pool needs before it says anything."""
    for minute in range(30):
        rows = [bench.edge(s, "10.1.1.1", 443, octets_out=20_000 + 500 * (minute % 7)) for s in slots]
        assert not bench.interval(rows)


def told_after_learning(tmp_path: Path, *, restarts: bool, keeps: bool = True) -> list[Finding]:
    """A monitor that sends far too much, after an hour of learning with or without a restart in the middle."""
    bench = Bench()
    slots = [bench.add("patient-monitor") for _ in range(40)]
    half(bench, slots)
    if restarts:
        kept(volumes_path(tmp_path), bench.engine.volumes)
        bench.engine = Engine(CONTRACTS, bench.settings, bench.baseline, LISTS)
        if keeps:
            resumed(volumes_path(tmp_path), bench.engine.volumes)
    half(bench, slots)
    return sends(bench, slots[0], 50 * MIB)


def test_a_restart_in_the_middle_of_learning_changes_no_judgement(tmp_path: Path) -> None:
    through = told_after_learning(tmp_path, restarts=False)
    assert len(through) == 1
    assert told_after_learning(tmp_path, restarts=True) == through
    assert not told_after_learning(tmp_path, restarts=True, keeps=False), "without the file nothing would be told"


def test_a_file_cut_anywhere_is_a_fresh_start_that_is_told(tmp_path: Path) -> None:
    path, thread, volumes = volumes_path(tmp_path), SaveThread(), Volumes(len(ROLES))
    path.parent.mkdir()
    volumes.learn(np.array([0, MONITOR, MONITOR], np.int16), np.array([9, 900, 90_000], np.uint64), 10**9)
    whole = encode(volumes)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        said, volumes = list[str](), Volumes(len(ROLES))
        keeper = VolumesKeeper(path, said.append, thread)
        keeper.begin(volumes)
        assert keeper.health()["volumes_damaged"] == 1
        assert "learned anew" in said[0]
        assert encode(volumes) == encode(Volumes(len(ROLES)))
        assert path.with_name("volumes.damaged").read_bytes() == whole[:length]
        assert not path.exists()
    thread.close()


def test_a_save_cut_anywhere_leaves_what_was_there(tmp_path: Path) -> None:
    """The power goes while the next content is written beside the old one."""
    path, old, new = volumes_path(tmp_path), taught(1), encode(taught(2))
    kept(path, old)
    for length in range(0, len(new) + 1, 40):
        path.with_name(".volumes.new").write_bytes(new[:length])
        assert encode(resumed(path)) == encode(old)
    kept(path, taught(2))
    assert path.read_bytes() == new


def test_any_flipped_bit_is_found() -> None:
    whole = encode(taught())
    for at in range(0, len(whole), 5):
        broken = bytearray(whole)
        broken[at] ^= 1 << at % 8
        with pytest.raises(StateError):
            decode(bytes(broken))


@pytest.mark.parametrize(
    "roles",
    [
        None, [], 5, {"pacs": 5}, {"pacs": [5]}, {"pacs": [[1, 2]]}, {"pacs": [[1, 2, 3, 4]]}, {"pacs": [["1", 2, 3]]},
        {"pacs": [[HOURS, 2, 3]]}, {"pacs": [[-1, 2, 3]]}, {"pacs": [[1, BINS, 3]]}, {"pacs": [[1, 2, COUNT_MAX + 1]]},
        {"pacs": [[1, 2, -1]]}, {"pacs": [[1, 2, 1.5]]}, {"pacs": [[True, 2, 3]]},
        {"pacs": [[1, 2, 3]] * (SAMPLES_MAX + 1)},
    ],
)  # fmt: skip
def test_what_is_none_is_refused_whatever_its_checksum(roles: object) -> None:
    with pytest.raises(StateError):
        decode(seal(FORM, {"roles": roles}))
    with pytest.raises(StateError):
        decode(seal(FORM, {}))


def test_a_role_of_another_release_is_left_out_and_another_version_is_refused() -> None:
    assert decode(seal(FORM, {"roles": {"nobody": [[1, 2, 3]], "pacs": [[1, 2, 3]]}})) == {"pacs": [(1, 2, 3)]}
    with pytest.raises(StateError, match="of version 2, this release reads version 1"):
        decode(seal(FORM._replace(version=2), {"roles": {}}))


def test_the_fullest_there_can_be_fits(tmp_path: Path) -> None:
    """Each role with each size in each hour, as often as can be; counts are cut where they end."""
    volumes, path = Volumes(len(ROLES)), volumes_path(tmp_path)
    volumes._counts[:] = COUNT_MAX
    volumes._counts[MONITOR, 0, 0] = 1 << 62
    assert len(encode(volumes)) < FILE_BYTES_MAX
    kept(path, volumes)
    assert read(path)["patient-monitor"][0].intervals == COUNT_MAX
    assert np.isfinite(resumed(path).limits(0).usual[MONITOR])


def test_they_are_saved_every_quarter_of_an_hour_when_something_was_learned(tmp_path: Path) -> None:
    path, volumes = volumes_path(tmp_path), Volumes(len(ROLES))
    keeper = VolumesKeeper(path, print)
    for second in (0, SAVE_EVERY_S):
        keeper.look(volumes, second)
    volumes.learn(np.array([MONITOR], np.int16), np.array([900], np.uint64), 10**9)
    keeper.look(volumes, SAVE_EVERY_S + 1)
    eventually(path.is_file)
    assert json.loads(path.read_bytes().partition(b"\n")[2]) == {"roles": {"patient-monitor": [[0, 9, 1]]}}
    assert not volumes.changed
    keeper.close(volumes)


def test_what_is_no_file_of_ours_is_told(tmp_path: Path) -> None:
    path, said = volumes_path(tmp_path), list[str]()
    path.mkdir(parents=True)
    keeper = VolumesKeeper(path, said.append)
    assert (keeper.health()["volumes_damaged"], "cannot be read" in said[0]) == (1, True)
    keeper._file.close()
