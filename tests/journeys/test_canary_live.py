"""The canaries on a real leg: what a listening sensor says, shows each second and leaves; and it cannot be dumped."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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


def test_a_listening_sensor(namespace: Namespace, tmp_path: Path) -> None:
    frames = [
        f.octets for f in canary.ward({**canary_clinic.PLACES, **canary_names.PLACES}) if len(f.octets) <= FRAME_MAX
    ]
    pumps = [octets for octets in frames if octets[6:10] == bytes.fromhex(canary.PUMP.replace(":", ""))]
    whole = Whole(tmp_path / "whole", Path())
    state = tmp_path / "state"
    with sensing(namespace, tmp_path) as sensor:
        limits = Path(f"/proc/{sensor.child.pid}/limits").read_text("ascii")
        assert next(line for line in limits.splitlines() if line.startswith("Max core")).split()[4:6] == ["0", "0"]
        look = ("agent", "top", "--once", "--state", str(state))
        with ThreadPoolExecutor(1) as sender:
            sent = sender.submit(namespace.put, frames, gap_ms=GAP_MS)
            assert eventually(status_file(state).is_file, 15)
            shown = [whole.done("top", *look, "--json").stdout]
            while not sent.done():  # who talks is told second by second
                shown.append(whole.done("top", *look, "--json").stdout)
        assert eventually(lambda: sensor.heard() == len(frames), 15)

        def pump_shown() -> bool:
            """Whether a pump is a talker while pumps alone talk; in the ward's rush others were louder."""
            namespace.put(pumps, gap_ms=GAP_MS)
            shown.extend(whole.done("top", *look, *form).stdout for form in ((), ("--json",)))
            return any(b"infusion-pump" in one for one in shown)

        assert eventually(pump_shown, 60), "a talker of the status"
        said = sensor.end()
        cards = {card.role for summary in sensor.summaries() for card in summary.cards}
        names = {name for summary in sensor.summaries() for card in summary.cards for name in card.names}
    assert "infusion-pump" in cards
    assert len(names) > 10
    assert all(name.startswith("~") for name in names)
    left = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not leaks(b"\n".join([*left, *shown, said.encode()]))
