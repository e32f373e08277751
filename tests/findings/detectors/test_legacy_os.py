"""legacy-os: once for each device and system, against the capture's own day."""

from agent.devices.records import Posture
from agent.findings.records import Severity
from tests.findings.bench import Bench, ids

XP = Posture(system="Windows XP/2003", said_by=("netbios.os", "tcp.syn"), ended="2015-07-14")


def test_a_system_out_of_support(bench: Bench) -> None:
    bench.add("imaging-modality", posture=XP)
    (found,) = bench.interval()
    assert (found.id, found.severity) == ("legacy-os", Severity.POSTURE)
    assert "runs Windows XP/2003, for which there have been no public corrections since 2015-07-14." in found.sentence
    assert dict(found.evidence)["said-by"] == "netbios.os, tcp.syn"
    assert not [f for _ in range(90) for f in bench.interval()], "an inventory fact is told once"


def test_another_system_is_another_fact(bench: Bench) -> None:
    slot = bench.add("imaging-modality", posture=XP)
    bench.interval()
    bench.devices[slot].posture = XP._replace(system="Windows 7", ended="2020-01-14")
    assert ids(bench.interval()) == ["legacy-os"]


def test_what_is_supported_on_that_day_or_not_known_is_none(bench: Bench) -> None:
    bench.add("printer", posture=XP._replace(ended="2027-01-01"))
    bench.add("printer", posture=XP._replace(ended=""))
    bench.add("printer")
    assert not bench.interval()


def test_only_at_the_end_of_an_interval(bench: Bench) -> None:
    bench.add("printer", posture=XP)
    assert not bench.judge()
