"""A sensor that has less than it would like: of time, memory, files, threads. What it did not look at is told exactly.

Load runs on a cable in a namespace of its own, bounded in frames and seconds; what came is what the interface counted.
`WARDTAP_SLOW=1` soaks for ten minutes, or for as many seconds as WARDTAP_SOAK_S says.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.faults.conftest import eventually
from tests.faults.sensing import Sensor, frames, sensing, stopped
from tests.simulators.attacks import ATTACKS
from tests.simulators.bursts import HASHES, THIN
from tests.simulators.cgroup import cgroup
from tests.simulators.namespace import Namespace, cable

pytestmark = [pytest.mark.root, pytest.mark.skipif(THIN > 1, reason="too long without the JIT"), HASHES]
LONG = bool(os.environ.get("WARDTAP_SLOW"))
SOAK_S = int(os.environ.get("WARDTAP_SOAK_S", "600")) if LONG else 0
UNIT = ROOT / "firmware_config" / "systemd" / "wardtap-sensor.service"
MIB = 1 << 20
RSS_SLACK = 8 * MIB  # what may still come while the tables are full: summaries, findings, the spool's open block
BIG = [one.ljust(1000, b"\0") for one in frames(20_000)]  # twenty times a ring of a megabyte


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    with cable() as made:
        yield made


def unit(key: str) -> int:
    """A limit of the shipped unit, with its M."""
    (line,) = [text for text in UNIT.read_text().splitlines() if text.startswith(f"{key}=")]
    value = line.partition("=")[2]
    return int(value.rstrip("M")) * (MIB if value.endswith("M") else 1)


def settled(sensor: Sensor, namespace: Namespace) -> bool:
    """Whether every frame that came is heard or told as lost, before long: a busy disk may keep a summary waiting."""
    return eventually(lambda: sensor.accounted() == namespace.received("eth1"))


def honest(sensor: Sensor, namespace: Namespace) -> float:
    """Ends it; its losses are the truth, each interval adds up. Gives the share that was lost."""
    assert settled(sensor, namespace), f"{sensor.heard()} + {sensor.dropped()} of {namespace.received('eth1')}"
    sensor.end()
    told = sensor.summaries()
    came = namespace.received("eth1")
    assert sensor.accounted() == came
    assert sum(one.processed + sum(one.ignored.values()) for one in told) == sensor.heard()
    lost = 1 - sensor.heard() / came
    assert abs(sensor.dropped() / came - lost) <= 0.001, "a tenth of a percentage point"
    return lost


def test_what_the_kernel_drops_is_told_to_the_frame(namespace: Namespace, tmp_path: Path) -> None:
    """C10: far more comes than the ring holds while nobody reads."""
    with sensing(namespace, tmp_path, buffer_mib=1) as sensor:
        namespace.put(frames(100))
        assert settled(sensor, namespace)
        with stopped(sensor):
            namespace.put(BIG)
        lost = honest(sensor, namespace)
        (found,) = sensor.findings("capture-loss")
        shares = [max(leg.dropped for leg in one.legs) for one in sensor.summaries() if one.legs]
    assert lost > 0.5, "the load was one"
    assert "critical" in found.text
    assert shares == sorted(shares), "every summary tells it"
    assert shares[0] == 0
    assert shares[-1] == sensor.dropped()


def descriptors(sensor: Sensor) -> int:
    """How many it has open just now."""
    return len(os.listdir(f"/proc/{sensor.child.pid}/fd"))  # noqa: PTH208 - numbers, not files


def test_sixty_four_files_are_enough(namespace: Namespace, tmp_path: Path) -> None:
    """C15: and none is left open by load, by a leg that goes, by one that comes back."""
    with sensing(namespace, tmp_path, under=("prlimit", "--nofile=64:64")) as sensor:
        opened = descriptors(sensor)
        for _ in range(2):
            namespace.put(frames(2000))
            namespace.link("eth1", "down")
            time.sleep(0.5)
            namespace.link("eth1", "up")
        assert eventually(lambda: sensor.heard() > 0)
        assert eventually(lambda: descriptors(sensor) <= opened + 1), "a file that is just being written is closed"
        sensor.end()


def test_the_threads_it_has_are_all_it_needs(namespace: Namespace, tmp_path: Path) -> None:
    """C15: one that listens, one that writes the spool, one that writes the status."""
    with cgroup(tasks=4) as group, sensing(namespace, tmp_path, under=group.command()) as sensor:
        namespace.put(frames(5000))
        assert honest(sensor, namespace) == 0
    assert unit("TasksMax") >= 4


@pytest.mark.parametrize("percent", [10, 1])
def test_little_of_a_processor_loses_frames_and_says_how_many(
    namespace: Namespace, tmp_path: Path, percent: int
) -> None:
    """C15: what it cannot read in time the kernel drops and it tells; it neither falls over nor stays behind."""
    with cgroup(cpu_percent=percent) as group, sensing(namespace, tmp_path, buffer_mib=1) as sensor:
        group.take(sensor.child.pid)
        namespace.put(BIG)
        group.free_cpu()
        lost = honest(sensor, namespace)
    assert 0 <= lost < 1
    assert percent > 1 or lost > 0, "the load was one"


def resident_bytes(process: int) -> int:
    """Anonymous memory."""
    (line,) = [text for text in Path(f"/proc/{process}/status").read_text().splitlines() if text.startswith("RssAnon")]
    return int(line.split()[1]) * 1024


def attacked(namespace: Namespace, sensor: Sensor, rng: np.random.Generator) -> list[int]:
    """Every attack in turn, some thousand frames each; its memory after each."""
    sizes = []
    for attack in ATTACKS.values():
        namespace.put([bytes(frame) for frame in attack(rng, 3000)])
        sizes.append(resident_bytes(sensor.child.pid))
    return sizes


def test_memory_stays_within_the_unit_s_limit(namespace: Namespace, tmp_path: Path) -> None:
    """C14: every attack in turn under the unit's limit; nothing is refused, and once all came nothing grows."""
    limit, rng = unit("MemoryMax"), np.random.default_rng(3)
    with cgroup(memory_bytes=limit) as group, sensing(namespace, tmp_path, under=group.command()) as sensor:
        attacked(namespace, sensor, rng)
        assert settled(sensor, namespace)
        sizes, end = [resident_bytes(sensor.child.pid)], time.monotonic() + SOAK_S
        while len(sizes) == 1 or time.monotonic() < end:
            sizes += attacked(namespace, sensor, rng)
        assert sensor.child.poll() is None
        refused, peak = group.refused(), group.peak_bytes()
        honest(sensor, namespace)
    assert refused == 0
    assert peak < limit
    assert max(sizes) - sizes[0] < RSS_SLACK, f"{[size // MIB for size in sizes]} MiB"
