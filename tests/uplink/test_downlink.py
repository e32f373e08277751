"""Acknowledgements and bells: the collector's, for us, or nothing."""

import pytest

from agent.errors import Refused
from agent.signing.envelope import seal
from agent.signing.keys import PrivateKey
from agent.uplink.downlink import open_ack, open_epoch
from agent.wire import body
from agent.wire.delivery import Ack, Epoch
from agent.wire.types import MessageType
from tests.simulators.kit import AGENT, SITE, Kit

RUN = bytes(16)


def sealed_ack(key: PrivateKey, agent: str = AGENT, site: str = SITE) -> bytes:
    content = Ack(agent, site, RUN, "sensor", 7, ((9, 12),), b"").to_content()
    return seal(MessageType.ACK, body.encode(MessageType.ACK, None, content), [key])


def sealed_epoch(key: PrivateKey, site: str = SITE) -> bytes:
    return seal(MessageType.EPOCH, body.encode(MessageType.EPOCH, None, Epoch(site, RUN, 5).to_content()), [key])


def test_the_collectors_word_for_us_is_taken(kit: Kit) -> None:
    assert open_ack(sealed_ack(kit.collector), kit.trust, AGENT, SITE).ranges == ((9, 12),)
    assert open_epoch(sealed_epoch(kit.collector), kit.trust, SITE).wall_ns == 5


@pytest.mark.parametrize("agent", ["tap-2"])
def test_an_acknowledgement_for_another_is_not(kit: Kit, agent: str) -> None:
    with pytest.raises(Refused, match="tap-2"):
        open_ack(sealed_ack(kit.collector, agent), kit.trust, AGENT, SITE)
    with pytest.raises(Refused):
        open_ack(sealed_ack(kit.collector, AGENT, "elsewhere"), kit.trust, AGENT, SITE)
    with pytest.raises(Refused):
        open_epoch(sealed_epoch(kit.collector, "elsewhere"), kit.trust, SITE)


def test_nobody_elses_signature_counts(kit: Kit) -> None:
    for key in (kit.agent, kit.stranger, kit.abroad, *kit.people.values(), *kit.releases):
        with pytest.raises(Refused):
            open_ack(sealed_ack(key), kit.trust, AGENT, SITE)
        with pytest.raises(Refused):
            open_epoch(sealed_epoch(key), kit.trust, SITE)


def test_one_type_is_no_other(kit: Kit) -> None:
    with pytest.raises(Refused) as caught:
        open_ack(sealed_epoch(kit.collector), kit.trust, AGENT, SITE)
    assert caught.value.reason == "wrong-type"


def test_every_flipped_octet_is_refused(kit: Kit) -> None:
    good = sealed_ack(kit.collector)
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1
        with pytest.raises(Refused):
            open_ack(bytes(bad), kit.trust, AGENT, SITE)
