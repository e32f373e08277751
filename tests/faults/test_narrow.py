"""Rows B4 and B5 on a real wire: silence without an answer, and 64 kbit/s. What is asserted is what must be true of any
machine; how long findings took is told to the table of the full form, which compares it with the row's bar.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.matrix import FULL, count, tally
from tests.simulators.namespace import Namespace, cable

pytestmark = [pytest.mark.root, pytest.mark.broker]


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A network of its own."""
    with cable() as made:
        yield made


def failing(namespace: Namespace, folder: Path, fault: str, seconds: int) -> dict[str, Any]:
    """What `narrow` says of such a wire."""
    words = (sys.executable, "-m", "tests.faults.narrow", str(folder), fault, str(seconds))
    told: dict[str, Any] = json.loads(namespace.run(*words, patience_s=seconds + 400))
    assert (told["lost"], told["duplicated"]) == (0, 0), told
    return told


@pytest.mark.skipif(not FULL, reason="the full form asks for WARDTAP_SLOW=1")
@pytest.mark.parametrize("fault", ["silence", "down"])
def test_a_wire_that_swallows_everything(namespace: Namespace, tmp_path: Path, fault: str) -> None:
    """B4: nobody answers and nobody says so, or the link is down; afterwards all of it arrives."""
    seconds = count("B4")
    told = failing(namespace, tmp_path, fault, seconds)
    assert told["behind"], "nothing had to wait, so the wire was whole"
    assert told["noticed"], f"a dead peer was not noticed within {seconds} s: twice the keepalive"
    note = f"{fault}: first record {told['resumed_s']:.1f} s after the wire was whole (bar 10 s)"
    tally("B4", sent=told["sent"], faults=1, lost=0, duplicated=0, note=note)


def test_sixty_four_kilobits(namespace: Namespace, tmp_path: Path) -> None:
    """B5: summaries queue and findings pass them; none is lost."""
    told = failing(namespace, tmp_path, "rate", count("B5"))
    waits = told["waits_s"]
    note = f"findings: median {waits[len(waits) // 2]:.1f} s, 99 of 100 within {waits[len(waits) * 99 // 100]:.1f} s"
    tally("B5", sent=told["sent"], faults=1, lost=0, duplicated=0, note=f"{note} (bar 30 s)")
