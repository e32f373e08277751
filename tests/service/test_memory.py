"""What a sensor knows over a restart."""

from pathlib import Path

import numpy as np

from agent.devices.memory import read
from agent.devices.roles import ROLES
from agent.service.memory import SAVE_EVERY_S, IdentityKeeper, Memory, identity_path
from agent.service.pipeline import Pipeline
from agent.tap.replay import ReplaySource
from tests.conftest import ROOT
from tests.devices.test_memory import MODULE, fresh, known
from tests.faults.conftest import eventually
from tests.flows.talks import START_S
from tests.service.bench import KEY, Kept, Sensor, parts, small
from tests.simulators.bursts import HASHES, SECRET

pytestmark = HASHES
WARD = ROOT / "tests" / "captures" / "ward.pcap.gz"


def roles(pipeline: Pipeline) -> dict[int, tuple[str, float]]:
    """Role by card, and how sure."""
    ward = pipeline.ward
    slots = np.flatnonzero(ward.macs())
    return {ward.mac(int(slot)): (ward.role(int(slot)), ward.confidence(int(slot))) for slot in slots}


def test_a_ward_is_known_again_before_it_has_said_anything(tmp_path: Path) -> None:
    sensor = Sensor()
    source = ReplaySource([WARD])
    frames = 0
    while (burst := source.next_burst()) is not None:
        for _ in sensor.pipeline.take_steps(sensor.pipeline.decode(burst, sensor.pipeline.buffer())):
            pass
        frames += burst.count
    sensor.end()
    now_s = sensor.pipeline.now_ns // 1_000_000_000
    said = list[str]()
    first = Memory(tmp_path, said.append)
    first.begin(sensor.pipeline, now_s)
    first.close(sensor.pipeline, now_s)
    before = roles(sensor.pipeline)
    again = Pipeline(small(), parts(), Kept(), SECRET)
    second = Memory(tmp_path, said.append)
    told = second.begin(again, now_s)()
    assert told["identity_recalled"] == len(read(identity_path(tmp_path))) > 20
    assert told["identity_damaged"] == told["identity_save_errors"] == told["learning_damaged"] == 0
    named = 0
    assert told["peers_damaged"] == told["peers_save_errors"] == 0
    assert again.engine.peers.resumed
    assert again.engine.peers.kept() == sensor.pipeline.engine.peers.kept()
    for mac, (role, sure) in before.items():
        assert again.engine.peers.knew(mac)
        if role != "unknown" and not mac >> 41 & 1:
            assert again.ward._identifier.assess(mac).role == role
            assert again.ward._identifier.assess(mac).confidence >= 0.8 * sure
            named += 1
    assert named > 20
    second.close(again, now_s)
    assert not said


def test_a_damaged_file_is_put_aside_and_the_sensor_starts_with_nothing(tmp_path: Path) -> None:
    path, said = identity_path(tmp_path), list[str]()
    _, ward = known()
    keeper = IdentityKeeper(path, said.append)
    keeper.close(ward, START_S + 60)
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 4
    path.write_bytes(raw)
    keeper = IdentityKeeper(path, said.append)
    _, empty = fresh()
    keeper.begin(empty, START_S + 60)
    assert keeper.health() == {"identity_recalled": 0, "identity_damaged": 1, "identity_save_errors": 0}
    assert len(empty._identifier) == 0
    assert "checksum is wrong" in said[0]
    assert "heard anew" in said[0]
    assert path.with_name("identity.damaged").read_bytes() == raw
    keeper.close(ward, START_S + 60)
    assert len(read(path)) == 3, "and goes on saving"


def test_it_is_saved_while_the_sensor_runs(tmp_path: Path) -> None:
    path = identity_path(tmp_path)
    _, ward = known()
    keeper = IdentityKeeper(path, print)
    keeper.look(ward, START_S)
    keeper.look(ward, START_S + SAVE_EVERY_S - 1)
    assert not path.exists()
    keeper.look(ward, START_S + SAVE_EVERY_S)
    eventually(path.is_file)
    assert {held.role for held in read(path) if held.mac == int(MODULE[1].replace(":", ""), 16)} == {"infusion-pump"}
    assert {held.role for held in read(path)} <= set(ROLES)
    assert KEY not in path.read_bytes()
    keeper.close(ward, START_S + SAVE_EVERY_S)


def test_how_much_roles_send_goes_on_over_a_restart(tmp_path: Path) -> None:
    first, again = (Pipeline(small(), parts(), Kept(), SECRET) for _ in range(2))
    first.engine.volumes.learn(np.array([3], np.int16), np.array([900], np.uint64), START_S * 1_000_000_000)
    memory = Memory(tmp_path, print)
    memory.begin(first, START_S)
    memory.close(first, START_S)
    memory = Memory(tmp_path, print)
    told = memory.begin(again, START_S)()
    assert again.engine.volumes.samples(3) == first.engine.volumes.samples(3) != []
    assert told["volumes_damaged"] == told["volumes_save_errors"] == 0
    memory.close(again, START_S)
