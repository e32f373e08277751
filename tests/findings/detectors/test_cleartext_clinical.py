"""cleartext-clinical: DICOM and HL7 by content, once for each device and protocol."""

from agent.findings.records import Severity
from agent.packets.records import Application
from tests.findings.bench import IN, Bench, ids

DICOM, HL7, TLS = int(Application.DICOM), int(Application.HL7), int(Application.TLS)


def test_images_in_clear(bench: Bench) -> None:
    modality, pacs = bench.add("imaging-modality"), bench.add("pacs")
    (found,) = bench.interval([bench.edge(modality, pacs, 104, application=DICOM)])
    assert (found.id, found.severity) == ("cleartext-clinical", Severity.POSTURE)
    assert "exchanges DICOM images and their patients' names in clear with the PACS" in found.sentence


def test_once_for_each_protocol(bench: Bench) -> None:
    modality = bench.add("imaging-modality")
    edges = [bench.edge(modality, f"10.1.1.{n}", 104, application=DICOM) for n in range(9)]
    edges += [bench.edge(modality, "10.1.1.1", 2575, application=HL7)]
    assert ids(bench.interval(edges)) == ["cleartext-clinical"] * 2
    assert not [f for _ in range(90) for f in bench.interval(edges)]


def test_results_of_the_point_of_care(bench: Bench) -> None:
    meter, manager = bench.add("lab-analyser"), bench.add("hospital-server")
    (found,) = bench.interval([bench.edge(meter, manager, 4545, application=int(Application.POCT1A))])
    assert "exchanges point-of-care results (POCT1-A) in clear with the hospital server" in found.sentence


def test_under_tls_and_at_the_other_end_it_is_not(bench: Bench) -> None:
    modality, pacs = bench.add("imaging-modality"), bench.add("pacs")
    tls = bench.edge(modality, pacs, 2762, application=TLS)
    other = bench.edge(pacs, modality, 104, application=DICOM, direction=IN)
    assert not bench.interval([tls, other])
