from pathlib import Path

from agent.collector.store.reader import reading
from tests.collector.conftest import Deliver
from tests.simulators.reporter import Reporter


def row(state: Path) -> dict[str, object]:
    with reading(state) as reader:
        return reader.rows("SELECT * FROM taps")[0]


def test_an_old_birth_of_the_same_boot_changes_nothing(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    old = tap.birth(version="0.0.1")
    tap.clock.sleep(10)
    deliver(tap.birth())
    deliver(old)
    assert row(tmp_path)["version"] == "0.1.0"


def test_a_birth_of_another_boot_counts_whatever_its_clock_says(
    tap: Reporter, deliver: Deliver, tmp_path: Path
) -> None:
    deliver(tap.birth())
    tap.boot = bytes(16)
    deliver(tap.birth(mono_ns=1, version="0.2.0"))
    assert (row(tmp_path)["version"], row(tmp_path)["boot"]) == ("0.2.0", bytes(16))


def test_a_will_is_kept_as_a_hint_until_the_tap_speaks(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    deliver(tap.will())
    assert (row(tmp_path)["state"], row(tmp_path)["state_signed"]) == ("lost", 0)
    deliver(tap.state("ready"))
    assert (row(tmp_path)["state"], row(tmp_path)["state_signed"]) == ("ready", 1)
