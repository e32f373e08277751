"""The fuzzer sees what it should see; its short run finds nothing; what it found before stays mended."""

import os

import pytest

from tests.forge.ipv4 import TCP, Ipv4
from tests.forge.tcp import Tcp
from tests.fuzz.frame_cases import as_test_case, case_of, disagreement, frame_of, judge, seeds, smallest
from tests.fuzz.oracle import compare
from tests.fuzz.short_run import NEEDS_ATHERIS, short_run
from tests.naive import decode as twin
from tests.naive.frames import eth
from tests.naive.walk import Walk
from tests.simulators.bursts import HASHES, THIN, Heard

CHECKED = os.environ.get("NUMBA_BOUNDSCHECK", "0") not in {"", "0"}
SHORT_S = 20 if CHECKED else 5  # the step with bounds checks is the one that counts
A4, B4 = "10.1.0.5", "10.2.0.9"

pytestmark = [HASHES, pytest.mark.skipif(THIN > 1, reason="the fuzzer compares with compiled kernels")]


def test_every_seed_is_a_frame_and_back() -> None:
    cases = list(seeds())
    assert len(cases) > 100
    for case in cases[:: max(1, len(cases) // 200)]:
        assert case_of(frame_of(case)) == case
        judge(case)
    assert frame_of(b"") == Heard(b"", 0, 1, 0)


def test_a_wrong_twin_is_found_cut_small_and_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fuzzer that could not see a difference would find none."""
    right = twin._ipv4

    def wrong(walk: Walk) -> None:
        try:
            right(walk)
        finally:
            walk.row["ttl"] = 99 if walk.row["ttl"] == 77 else walk.row["ttl"]

    monkeypatch.setattr(twin, "_ipv4", wrong)
    packet = Ipv4(A4, B4, TCP, ttl=77).octets(Tcp(1, 2).octets(A4, B4, b"payload" * 20))
    frame = Heard(eth(packet), 300, vlan=5)
    assert disagreement(frame) == {"ttl": (99, 77)}
    with pytest.raises(AssertionError) as found:
        judge(case_of(frame))
    text = str(found.value)
    assert "(twin, kernel): {'ttl': (99, 77)}" in text
    small = smallest(frame, disagreement)
    assert disagreement(small)
    assert len(small.octets) == 14 + 20
    monkeypatch.undo()
    told: dict[str, object] = {"Heard": Heard, "compare": compare}
    exec(as_test_case(frame, {}), told)  # what is printed can be pasted and run
    assert callable(told["test_found_by_the_fuzzer"])
    told["test_found_by_the_fuzzer"]()


def pseudowires(depth: int, last: str) -> bytes:
    """Ethernet in MPLS in Ethernet."""
    return bytes.fromhex("0" * 24 + "8847" + ("00000100" + "0" * 32 + "8847") * depth + last)


# Where twin and kernel said different things once.
FOUND = {
    "kernel: a priority tag taken out by the ring was none": Heard(
        bytes.fromhex("00000000000000000000000088a8005a0000"), vlan=16384
    ),
    "twin: another sixteenth layer": Heard(pseudowires(7, "610061")),
    "kernel: a ninth extension that was too long was malformed": Heard(
        bytes.fromhex("0" * 24 + "86dd600000000048" + "0" * 68 + "0" * 128 + "00ff000000000000"),
    ),
}


@pytest.mark.parametrize("what", FOUND)
def test_found_before(what: str) -> None:
    assert compare([FOUND[what]]) == 1


@NEEDS_ATHERIS
def test_short_run() -> None:
    short_run("fuzz_decoder", SHORT_S)
