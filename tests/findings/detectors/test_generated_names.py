"""dga: many domains that do not exist and that nobody chose."""

import random
import string
from collections.abc import Iterable
from itertools import pairwise

import pytest

from agent.findings.detectors.generated_names import DEVICES_MAX, GeneratedNames
from agent.findings.records import Finding, Severity
from tests.findings.bench import LISTS, Bench, S

RNG = random.Random(20261127)


def drawn(count: int, letters: str = string.ascii_lowercase) -> list[str]:
    """As Conficker, Necurs and their kin draw them: evenly, 8 to 16 letters."""
    return [
        f"{''.join(RNG.choices(letters, k=RNG.randint(8, 16)))}.{RNG.choice(['com', 'net', 'co.uk'])}"
        for _ in range(count)
    ]


def fails(bench: Bench, device: int, names: Iterable[str], good: Iterable[str] = (), gap_s: float = 1) -> list[Finding]:
    """The device asks for good names, and for these, which the server does not know."""
    server = bench.add("hospital-server")
    said: list[Finding] = []
    for name in good:
        said += bench.judge(remarks=(bench.remark(device, server, ("dns.asks", name)),), after_ns=S // 10)
    for name in names:
        asked = bench.remark(device, server, ("dns.asks", name))
        failed = bench.remark(server, device, ("dns.failed", name))
        said += bench.judge(remarks=(asked, failed), after_ns=int(gap_s * S))
    return said


@pytest.mark.parametrize("letters", [string.ascii_lowercase, "0123456789abcdef"])
def test_drawn_domains_that_do_not_exist(bench: Bench, letters: str) -> None:
    (found,) = fails(bench, bench.add("imaging-modality"), drawn(30, letters))
    assert (found.id, found.severity, found.attack) == ("dga", Severity.PAGE, ("T1568.002",))
    assert (
        "asked by DNS for 15 domains that do not exist, of 15 in all, within 14 seconds; the letters of 1"
        in found.sentence
    )
    assert not any("." in str(value) for name, value in found.evidence), "no domain"


def test_a_role_that_is_not_clinical_is_a_review(bench: Bench) -> None:
    (found,) = fails(bench, bench.add("office-workstation"), drawn(30), good=["www.hospital.example", "time.example"])
    assert found.severity is Severity.REVIEW
    assert ("domains", 17) in found.evidence


WORDS = [
    "ward",
    "nurse",
    "doctor",
    "bed",
    "pump",
    "monitor",
    "river",
    "stone",
    "apple",
    "garden",
    "window",
    "summer",
    "winter",
    "paper",
    "silver",
    "copper",
]
WORDS += ["table", "chair", "lamp"]


@pytest.mark.parametrize(
    "names",
    [
        drawn(14),
        [f"{''.join(RNG.choices(string.ascii_lowercase, k=10))}.hospital.example" for _ in range(100)],
        ["".join(RNG.choices(string.ascii_lowercase, k=10)) for _ in range(100)],
        [f"{n}.1.168.192.in-addr.arpa" for n in range(100)],
        [f"{one}{two}.com" for one, two in pairwise(WORDS)],
        ["", ".", "..", "\u202e.x", "a" * 128] * 20,
    ],
    ids=["few", "search-list", "browser-probes", "reverse", "words", "hostile"],
)
def test_names_that_fail_for_other_reasons(bench: Bench, names: list[str]) -> None:
    assert not fails(bench, bench.add("hospital-server"), names)


def test_most_of_what_a_device_asks_for_exists(bench: Bench) -> None:
    assert not fails(
        bench, bench.add("office-workstation"), drawn(20), good=[f"www.owner{n}.example" for n in range(50)]
    )


def test_a_slow_one_is_not_found(bench: Bench) -> None:
    assert not fails(bench, bench.add("unknown"), drawn(60), gap_s=60)


def test_a_gateway_asks_for_others(bench: Bench) -> None:
    assert not fails(bench, bench.add("network-gear", gateway=True), drawn(60))


def test_memory_is_bounded(bench: Bench) -> None:
    detector = bench.engine._generated = GeneratedNames(LISTS)
    many = [bench.add("unknown") for _ in range(DEVICES_MAX + 20)]
    assert not bench.judge(remarks=[bench.remark(d, d, ("dns.asks", f"x{n}.example")) for d in many for n in range(2)])
    assert len(detector._heard) == DEVICES_MAX
    one = [bench.remark(many[-1], many[-1], ("dns.asks", f"x{n}.example")) for n in range(5000)]
    assert not bench.judge(remarks=one)
    assert len(detector._heard[bench.mac(many[-1])].asked) == 128
