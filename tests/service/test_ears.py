"""Who listens to a capture hears what a sensor would say; one that cannot be read whole is an error."""

from pathlib import Path

import pytest

from agent.config import Config
from agent.errors import InputError
from agent.service.ears import Ears, listen
from agent.wire.summary import Summary
from tests.devices.bench import hello
from tests.flows.talks import HOSTS
from tests.forge.pcap import Pcap
from tests.simulators.bursts import HASHES

pytestmark = HASHES


class Counting(Ears):
    """Counts the devices of the cards that an interval brings."""

    cards = 0

    def summary(self, summary: Summary) -> None:
        self.cards += len(summary.cards)


def test_a_capture_is_heard_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(Pcap().octets([hello(HOSTS[0]), hello(HOSTS[1])]))
    ears = Counting()
    pipeline, parts = listen([path], Config(), ears)
    assert (pipeline.devices, ears.cards) == (2, 2)
    assert parts.contracts.contract("infusion-pump") is not None
    assert pipeline.conserved()


def test_a_damaged_capture_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(Pcap().octets([hello(HOSTS[0])])[:-3])
    with pytest.raises(InputError, match=r"a\.pcap"):
        listen([path], Config(), Ears())
