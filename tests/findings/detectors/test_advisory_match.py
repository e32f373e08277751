"""advisory-match: what is published about products like a device, never that it has the flaw."""

from agent.devices.records import Advisory, Posture
from agent.findings.detectors.advisory_match import LISTED_MAX
from agent.findings.records import Severity
from tests.findings.bench import Bench, ids

NEW = Advisory("ICSMA-23-194-01", "BD Alaris System with Guardrails Suite MX", 8, "product")
OLD = Advisory("ICSMA-17-017-02", "BD Alaris 8015 PC Unit", 2, "maker")


def test_a_device_with_advisories(bench: Bench) -> None:
    bench.add("infusion-pump", posture=Posture(advisories=(NEW, OLD)))
    (found,) = bench.interval()
    assert (found.id, found.severity) == ("advisory-match", Severity.POSTURE)
    assert "there are 2 public advisories about its product, the newest ICSMA-23-194-01 (BD Alaris" in found.sentence
    assert found.sentence.endswith("whether this one has the flaws cannot be heard on the network.")
    told = dict(found.evidence)
    assert (told["advisories"], told["flaws"], told["match"]) == ("ICSMA-23-194-01, ICSMA-17-017-02", 10, "product")
    assert not [f for _ in range(90) for f in bench.interval()]


def test_by_maker_only_it_says_so(bench: Bench) -> None:
    bench.add("infusion-pump", posture=Posture(advisories=(OLD,)))
    (found,) = bench.interval()
    assert "there is one public advisory about products of its maker for this use" in found.sentence
    assert dict(found.evidence)["match"] == "maker"


def test_one_more_is_another_fact_and_long_lists_are_cut(bench: Bench) -> None:
    slot = bench.add("infusion-pump", posture=Posture(advisories=(OLD,)))
    bench.interval()
    many = tuple(OLD._replace(id=f"ICSMA-17-{n:03d}-01") for n in range(30))
    bench.devices[slot].posture = Posture(advisories=(NEW, *many))
    (found,) = bench.interval()
    assert dict(found.evidence)["advisories-count"] == 31
    assert str(dict(found.evidence)["advisories"]).count(",") == LISTED_MAX - 1


def test_none_is_none(bench: Bench) -> None:
    bench.add("infusion-pump")
    assert ids(bench.interval()) == []
