"""Row B8: one identity in two boxes at one broker. Both are told, the collector finds it, and no record is lost."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.collector.store.database import FILE_NAME
from agent.collector.store.reader import reading
from tests.faults.conftest import eventually
from tests.faults.matrix import tally
from tests.faults.site import Program, Site, send
from tests.simulators.kit import AGENT

pytestmark = pytest.mark.broker
WORDS = "another client may use our name"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.end()


def found(site: Site) -> list[str]:
    """Sentences of the collector's page on this tap's identity."""
    if not (site.collected / FILE_NAME).exists():
        return []
    with reading(site.collected) as reader:
        rows = reader.rows("SELECT sentence FROM findings WHERE cause=?", (f"equivocation/{AGENT}",))
    return [row["sentence"] for row in rows]


def test_one_identity_in_two_boxes_is_found(site: Site, tmp_path: Path) -> None:
    assert eventually(lambda: site.tally().sent > 0 and site.tally().lost < site.tally().sent)
    assert found(site) == []
    copy = tmp_path / "copy" / "state"
    shutil.copytree(site.state / "uplink", copy / "uplink", ignore=shutil.ignore_patterns("spool"))  # key and name
    began_s = time.monotonic()
    twin = Program(send, copy, site.broker.url)
    twin.start()
    site.programs.append(twin)
    assert eventually(lambda: any("take turns at the broker" in sentence for sentence in found(site)))
    took_s = time.monotonic() - began_s
    assert eventually(lambda: all(WORDS in (state / "uplink.log").read_text() for state in (site.state, copy)))
    twin.kill()
    site.programs.remove(twin)
    site.rest()
    told = site.delivered()
    note = f"found after {took_s:.0f} s (bar 60 s)"
    tally("B8", sent=told.sent, faults=1, lost=told.lost, duplicated=told.duplicated, note=note)
    assert (told.lost, told.duplicated) == (0, 0)
