"""What is libpcap's own: a leg that breaks ends the source, and filters are compiled. The rest: test_live.py."""

import json
import sys
from collections.abc import Iterator

import pytest

from agent.errors import InputError
from agent.tap import pcapy_live
from agent.tap.pcapy_live import compiled_filter
from tests.forge.ethernet import IPV4, ethernet
from tests.simulators.namespace import Namespace, cable

BREAKER = """
import json, subprocess
from agent.tap.pcapy_live import PcapyLive
source = PcapyLive(["eth1"])
subprocess.run(["ip", "link", "set", "eth1", "down"], check=True)
ended = [source.next_burst() is None for _ in range(20)]
(leg,) = source.legs()
source.close()
print(json.dumps({"ended": any(ended), "faults": [str(fault) for fault in source.faults], "fault": leg.fault}))
"""


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    with cable() as made:
        yield made


@pytest.mark.root
def test_a_leg_that_goes_down_ends_the_source_with_a_reason(namespace: Namespace) -> None:
    """The service starts the process anew."""
    told = json.loads(namespace.run(sys.executable, "-c", BREAKER))
    assert told["ended"]
    assert told["faults"][0].startswith("eth1: the leg stopped: ")
    assert told["fault"] == "down"


def passes(program: list[tuple[int, int, int, int]], frame: bytes) -> bool:
    """Run a classic BPF program that only loads, masks, compares and returns (linux/bpf_common.h)."""
    at, accumulator = 0, 0
    while True:
        code, yes, no, constant = program[at]
        at += 1
        if code in {0x28, 0x30}:  # load a half word, an octet, from the frame
            size = 2 if code == 0x28 else 1
            if constant + size > len(frame):
                return False
            accumulator = int.from_bytes(frame[constant : constant + size])
        elif code == 0x54:  # and
            accumulator &= constant
        elif code == 0x15:  # jump if equal
            at += yes if accumulator == constant else no
        elif code == 0x06:  # return
            return constant > 0
        else:
            raise AssertionError(f"instruction {code:#x}")


@pytest.mark.parametrize(("kind", "wanted"), [(IPV4, True), (0x0806, False)])
def test_a_filter_is_compiled_for_the_kernel(kind: int, wanted: bool) -> None:
    frame = ethernet("02:00:00:00:00:02", "02:00:00:00:00:01", kind, bytes(40))
    assert passes(compiled_filter("ip", 1), frame) is wanted


def test_a_filter_of_a_link_without_ethernet() -> None:
    assert passes(compiled_filter("ip", 101), b"\x45" + bytes(40))
    assert not passes(compiled_filter("ip", 101), b"\x60" + bytes(40))


@pytest.mark.parametrize("text", ["udp prot 53", "((", "host 10.0.0.0.1"])
def test_a_filter_that_is_none(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="no capture filter") as refused:
        compiled_filter(text, 1)
    assert "pcap-filter" in refused.value.todo
    assert capfd.readouterr().err == "", "libpcap's own words are not for people"


def test_libpcap_says_which_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pcapy_live.libpcap_version().startswith("libpcap version ")
    monkeypatch.setattr("agent.tap.pcapy_live.pcapy", type("Other", (), {"__file__": None}))
    assert pcapy_live.libpcap_version() == "", "a program without libpcap"
