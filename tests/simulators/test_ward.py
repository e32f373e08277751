"""The ward is deterministic, holds what its truth says, and the shipped capture is the one that it makes."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from tests.forge.pcap import Frame, Pcap
from tests.simulators import ward
from tests.simulators.medium import Medium, S

CAPTURES = Path(__file__).resolve().parents[1] / "captures"
SIZE_MAX = 1_500_000  # octets in the repository


@pytest.fixture(scope="module")
def told() -> Medium:
    """The default ward."""
    return ward.build(ward.SEED, ward.MINUTES)


def _addresses(frame: Frame) -> tuple[str, str]:
    return frame.octets[6:12].hex(":"), ".".join(map(str, frame.octets[30:34]))


def test_shipped_capture_is_what_the_simulator_makes(told: Medium) -> None:
    packed = (CAPTURES / "ward.pcap.gz").read_bytes()
    assert len(packed) <= SIZE_MAX
    assert packed[3:8] == bytes(5), "the gzip header holds a name or a time"
    # The octets inside are compared: two versions of zlib may pack the same input differently.
    assert gzip.decompress(packed) == Pcap().octets(told.frames)


def test_shipped_truth_is_what_the_simulator_tells(told: Medium) -> None:
    shipped = json.loads((CAPTURES / "ward.truth.json").read_text())
    assert shipped == ward.truth(told, ward.SEED, ward.MINUTES, incident=True)
    assert len(shipped["devices"]) >= 20
    assert len({device["role"] for device in shipped["devices"]}) >= 8


def test_same_seed_same_file_and_another_seed_another(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.pcap.gz", "b.pcap.gz", "c.pcap.gz")]
    for path, seed in zip(paths, ("7", "7", "8"), strict=True):
        assert ward.main([str(path), "--seed", seed, "--minutes", "1"]) == 0
    a, b, c = (path.read_bytes() for path in paths)
    assert a == b
    assert a != c


def test_every_device_speaks_and_time_never_goes_back(told: Medium) -> None:
    speakers = {frame.octets[6:12].hex(":") for frame in told.frames}
    assert {device.mac for device in ward.DEVICES} <= speakers
    times = [frame.time_ns for frame in told.frames]
    assert times == sorted(times)
    assert times[-1] < ward.START_NS + ward.MINUTES * 60 * S


def test_ward_is_quiet_before_the_incident_and_without_it(told: Medium) -> None:
    edge = ward.START_NS + ward.incident_ns(ward.MINUTES)
    public = [frame for frame in told.frames if _addresses(frame)[1] == ward.PUBLIC]
    assert public
    assert min(frame.time_ns for frame in public) >= edge
    calm = ward.build(ward.SEED, ward.MINUTES, incident=False)
    before = [frame for frame in told.frames if frame.time_ns < edge]
    assert [frame for frame in calm.frames if frame.time_ns < edge] == before
    assert not [frame for frame in calm.frames if _addresses(frame)[1] == ward.PUBLIC]


def test_the_pump_sweeps_both_subnets(told: Medium) -> None:
    zero = told.hosts[ward.PATIENT_ZERO]
    syns: Counter[str] = Counter()
    for frame in told.frames:
        source, target = _addresses(frame)
        is_syn = frame.octets[12:14] == b"\x08\x00" and frame.octets[23] == 6 and frame.octets[47] == 2
        if source == zero.mac and is_syn and frame.octets[36:38] == (445).to_bytes(2):
            syns[target.rsplit(".", 1)[0]] += 1
    assert syns["10.20.31"] > 254, "every address of the neighbouring subnet, unanswered ones twice"
    assert syns["10.20.30"] >= len(ward.DEVICES) - 1


def test_patients_stand_only_in_hl7_and_dicom(told: Medium) -> None:
    words = [word.encode() for word in ward.truth(told, 0, 15, incident=True)["canaries"]["never"]]
    ports: Counter[bytes] = Counter()
    for frame in told.frames:
        if any(word in frame.octets for word in words):
            ports[min(frame.octets[34:36], frame.octets[36:38])] += 1
    assert set(ports) == {(104).to_bytes(2), (2575).to_bytes(2)}
