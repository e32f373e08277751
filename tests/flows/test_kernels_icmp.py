"""The meter and ICMP: questions with their answers, errors each way by itself, fragments without a type."""

import pytest

from agent.flows.records import Direction
from tests.flows.talks import HOSTS6, START_S, Talk
from tests.flows.test_kernels import agree
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.icmp import echo
from tests.forge.ipv4 import Ipv4
from tests.forge.pcap import Frame
from tests.naive.biflow import S
from tests.simulators.bursts import HASHES

pytestmark = HASHES


@pytest.mark.parametrize("six", [False, True])
def test_questions_and_answers_of_icmp(*, six: bool) -> None:
    ends = (("fd00::1", "00:d0:75:00:00:01"), ("fd00::2", "00:d0:75:00:00:02"))
    talk = Talk(ends) if six else Talk()
    talk.ping(0)
    talk.ping(0.1, back=True)
    talk.ping(1, back=True, kind=136 if six else 14)  # an answer whose question was not heard
    talk.ping(2, kind=1 if six else 3)
    records = agree(talk.frames)
    assert len(records) == 3
    assert {int(record["key_ports"]) >> 32 for record in records} == (
        {0x8000, 0x8700, 0x100} if six else {0x800, 0xD00, 0x300}
    ), "the type is the port of the end that is asked"


@pytest.mark.parametrize("six", [False, True])
def test_hosts_that_ask_each_other_are_two_biflows(*, six: bool) -> None:
    """As neighbours do (RFC 4861): each question has its answer, and each biflow its own Community ID."""
    talk = Talk((HOSTS6[0], HOSTS6[1])) if six else Talk()
    question, answer = (135, 136) if six else (8, 0)
    talk.ping(0, kind=question)
    talk.ping(0.1, back=True, kind=answer)
    talk.ping(1, back=True, kind=question)
    talk.ping(1.1, kind=answer)
    talk.ping(2, kind=3)
    talk.ping(3, back=True, kind=3)  # an error is no answer to an error
    records = agree(talk.frames)
    assert sorted(zip(records["forward_packets"].tolist(), records["reverse_packets"].tolist(), strict=True)) == [
        (1, 0), (1, 0), (1, 1), (1, 1),
    ]  # fmt: skip
    assert set(records["direction"].tolist()) == {Direction.FIRST_SEEN}


def test_fragments_of_an_echo_have_no_type() -> None:
    """A later fragment is no echo reply, though its ports are zero as an echo reply's are."""
    talk = Talk()
    (first, mac), (second, other) = talk.ends
    for number, piece in enumerate(Ipv4(first, second, 1, ident=9).fragments(echo(1, 1, b"x" * 4000), 1480)):
        talk.frames.append(Frame((START_S + number) * S, ethernet(other, mac, IPV4, piece)))
    records = agree(talk.frames)
    assert sorted(records["forward_packets"].tolist()) == [1, 2]
    assert records["reverse_packets"].tolist() == [0, 0]
