"""A finding about one edge: its cause, what it is about, what it folds with."""

from agent.findings.edge_draft import Said, edge_draft, peer_of, service_of
from agent.findings.records import Severity
from tests.findings.bench import IN, Bench


def test_the_cause_is_the_device_the_peer_and_the_service(bench: Bench) -> None:
    pump, server = bench.add("infusion-pump"), bench.add("hospital-server")
    edge = bench.edge(pump, server, 80, direction=IN)[0]
    draft = edge_draft(bench.case(), edge, Said("flood", Severity.PAGE, "was flooded", (("n", 1),)))
    assert draft.finding.cause == "flood|00:d0:75:18:00:00|10.20.30.101|in|tcp|80"
    assert draft.finding.sentence == "Infusion pump 00:d0:75:18:00:00 (Maker) was flooded."
    assert ("n", 1) in draft.finding.evidence
    assert ("service", "TCP port 80 (HTTP)") in draft.finding.evidence
    assert draft.subject == (bench.mac(pump), bench.mac(server), "10.20.30.101", 6, 80)
    assert [group.key for group in draft.groups] == ["flood|infusion-pump|in|tcp|80", "flood|00:d0:75:18:00:00"]


def test_a_fact_may_be_the_cause(bench: Bench) -> None:
    edge = bench.edge(bench.add("pacs"), "10.1.1.1", 104)[0]
    draft = edge_draft(bench.case(), edge, Said("smb1-in-use", Severity.POSTURE, "x", once="smb1"))
    assert draft.finding.cause == "smb1-in-use|00:d0:75:18:00:00|smb1"


def test_words(bench: Bench) -> None:
    edge = bench.edge(bench.add("pacs"), "10.1.1.1", 104)[0]
    assert (peer_of(edge), service_of(edge)) == ("10.1.1.1", "TCP port 104 (DICOM)")
