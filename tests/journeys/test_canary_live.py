"""The canaries on a real leg: what a listening sensor says, shows each second and leaves; and it cannot be dumped."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.service.status import status_file
from tests.faults.conftest import eventually
from tests.faults.test_capture import sensing
from tests.journeys.whole import Whole
from tests.simulators import canary, canary_clinic, canary_names
from tests.simulators.bursts import HASHES, THIN
from tests.simulators.leaks import leaks
from tests.simulators.namespace import Namespace, cable

pytestmark = [pytest.mark.root, pytest.mark.skipif(THIN > 1, reason="too long without the JIT"), HASHES]
FRAME_MAX = 1514  # what a cable of this kind takes; a few forged datagrams are longer
GAP_MS = 2.0


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    with cable() as made:
        yield made


@contextmanager
def talking(namespace: Namespace, frames: list[bytes]) -> Iterator[None]:
    """These frames over and over, and no others."""
    stop = threading.Event()

    def talk() -> None:
        while not stop.is_set():
            namespace.put(frames * (1 + 500 // len(frames)), gap_ms=GAP_MS)

    with ThreadPoolExecutor(1) as sender:
        talk_ends = sender.submit(talk)
        try:
            yield
        finally:
            stop.set()
            talk_ends.result()


def test_a_listening_sensor(namespace: Namespace, tmp_path: Path) -> None:
    frames = [
        f.octets for f in canary.ward({**canary_clinic.PLACES, **canary_names.PLACES}) if len(f.octets) <= FRAME_MAX
    ]
    pumps = [octets for octets in frames if octets[6:10] == bytes.fromhex(canary.PUMP.replace(":", ""))]
    whole = Whole(tmp_path / "whole", Path())
    state = tmp_path / "state"
    with sensing(namespace, tmp_path, buffer_mib=128) as sensor:  # nobody may read for 20 s
        limits = Path(f"/proc/{sensor.child.pid}/limits").read_text("ascii")
        assert next(line for line in limits.splitlines() if line.startswith("Max core")).split()[4:6] == ["0", "0"]
        look = ("agent", "top", "--once", "--state", str(state))
        with ThreadPoolExecutor(1) as sender:
            sent = sender.submit(namespace.put, frames, gap_ms=GAP_MS)
            assert eventually(status_file(state).is_file)
            shown = [whole.done("top", *look, "--json", codes=(0, 7)).stdout]
            while not sent.done():  # who talks is told second by second
                shown.append(whole.done("top", *look, "--json", codes=(0, 7)).stdout)
        assert eventually(lambda: sensor.heard() == len(frames))

        def pump_shown() -> bool:
            """Whether a pump is a talker just now; each second is told once, so the file itself is looked at."""
            shown.append(status_file(state).read_bytes())
            return b"infusion-pump" in shown[-1]

        with talking(namespace, pumps):  # in the ward's rush others were louder
            assert eventually(pump_shown), "a talker of the status"
            shown.extend(whole.done("top", *look, *form, codes=(0, 7)).stdout for form in ((), ("--json",)))
        said = sensor.end()
        cards = {card.role for summary in sensor.summaries() for card in summary.cards}
        names = {name for summary in sensor.summaries() for card in summary.cards for name in card.names}
    assert "infusion-pump" in cards
    assert len(names) > 10
    assert all(name.startswith("~") for name in names)
    left = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not leaks(b"\n".join([*left, *shown, said.encode()]))
