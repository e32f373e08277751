"""Row B6: a wire that dribbles, stalls, cuts packets in the middle or says things twice costs time and no record."""

import time
from pathlib import Path

import pytest

from tests.faults.conftest import eventually
from tests.faults.matrix import count, tally
from tests.faults.site import Program, Site
from tests.simulators.impaired import MODES, Impaired

pytestmark = pytest.mark.broker
A_MOMENT_S = 0.2


def held(program: Program) -> tuple[int, int]:
    """Its threads and open files."""
    process = Path(f"/proc/{program.pid}")
    return len(list((process / "task").iterdir())), len(list((process / "fd").iterdir()))


def test_a_bad_wire_loses_nothing_and_leaves_nothing_open(tmp_path: Path) -> None:
    site = Site(tmp_path)
    try:
        with Impaired(site.broker.port) as wire:
            site.through(wire.url)
            assert site.arrives()
            threads, files = held(site.uplink)
            waits_s = []
            for mode in MODES[1:]:
                before, wire.mode = wire.links, mode
                time.sleep(max(A_MOMENT_S, count("B6")))
                if mode in {"cut", "twice"}:
                    assert eventually(lambda seen=before: wire.links > seen), site.said()  # type: ignore[misc]
                wire.mode, began_s = "whole", time.monotonic()
                assert site.arrives(), site.said()[-1500:]
                waits_s.append(time.monotonic() - began_s)
            assert eventually(lambda: held(site.uplink)[0] <= threads and held(site.uplink)[1] <= files + 1)
            site.rest()
            found = site.delivered()
        note = f"{wire.links} links; the first record at most {max(waits_s):.0f} s after the wire was whole (bar 60 s)"
        tally("B6", sent=found.sent, faults=len(MODES) - 1, lost=found.lost, duplicated=found.duplicated, note=note)
        assert (found.lost, found.duplicated) == (0, 0)
    finally:
        site.end()
