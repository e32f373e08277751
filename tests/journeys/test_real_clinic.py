"""Real programs of a clinic on a cable: a provider of SDC, a PACS that is asked and sends, DICOM under TLS, HL7, FHIR.

Each test skips with the reason where its programs are absent: the extra [peers] (sdc11073, hl7), dcmtk, openssl, curl.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.told import Told
from tests.simulators.bursts import HASHES
from tests.simulators.peers import Segment, certificate, needs, needs_modules, segment, write

pytestmark = [HASHES, pytest.mark.root]
CLIENT, SERVER = ("00:50:56:0c:21:7e", "10.41.8.31"), ("00:50:56:77:20:11", "10.41.8.10")  # cards that say nothing
MONITOR, VENTILATOR = ("00:10:5d:70:02:45", CLIENT[1]), ("00:30:e6:4d:11:c8", SERVER[1])  # a maker of both
PATIENT = ("QUILLFEATHER", "ORSOLYA", "WT7740193V")
IMAGE = f"""
(0008,0016) UI =CTImageStorage
(0008,0018) UI [1.2.826.0.1.3680043.9.99.1]
(0008,0060) CS [CT]
(0010,0010) PN [{PATIENT[0]}^{PATIENT[1]}]
(0010,0020) LO [{PATIENT[2]}]
(0020,000d) UI [1.2.826.0.1.3680043.9.99.2]
(0020,000e) UI [1.2.826.0.1.3680043.9.99.3]
(0020,0010) SH [1]
"""
ARCHIVE = """
NetworkTCPPort = 104
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
reader = (READWS1, {client}, 11113)
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
PACS_MAIN {folder} RW (20, 64mb) ANY
AETable END
"""


@pytest.fixture
def clinic() -> Iterator[Segment]:
    """Two machines."""
    with segment(CLIENT, SERVER) as made:
        yield made


def private(told: Told) -> bool:
    """Whether nothing of the patient is in what the sensor says."""
    return not [word for word in PATIENT if word in told.text()]


def test_sdc11073_provider_and_consumer() -> None:
    """The patient goes over the cable in GetMdib's answer; the bed is in the scopes of the discovery."""
    needs_modules("sdc11073")
    program = (sys.executable, "-m", "tests.simulators.peer_sdc")
    with segment(MONITOR, VENTILATOR) as talk:
        talk.start(talk.server, *program, "provider", VENTILATOR[1])
        talk.client.run(*program, "consumer", MONITOR[1])
        told = Told(talk)
    assert (told.identity(MONITOR).role, told.identity(VENTILATOR).role) == ("central-station", "ventilator")
    assert "MedicalDevice" in told.values(VENTILATOR, "wsd.offers")
    assert "sdc.cdc.type:///70001" in told.values(VENTILATOR, "wsd.scope")
    assert "MedicalDevice" in told.values(MONITOR, "wsd.asks")
    assert "GetMdib" in told.values(MONITOR, "sdc.asks"), "on a connection that had talked for a while"
    assert private(told)


def test_dcmqrscp_is_asked_and_sends_the_image(clinic: Segment, tmp_path: Path) -> None:
    """C-FIND and C-MOVE: the archive calls the reading workstation back to give it the image that it holds."""
    needs("dump2dcm", "dcmqridx", "dcmqrscp", "findscu", "movescu")
    folder, got = tmp_path / "archive", tmp_path / "got"
    image = str(folder / "image.dcm")
    folder.mkdir()
    got.mkdir()
    clinic.client.run("dump2dcm", write(tmp_path / "image.dump", IMAGE), image)
    clinic.client.run("dcmqridx", str(folder), image)
    config = write(tmp_path / "archive.cfg", ARCHIVE.format(client=CLIENT[1], folder=folder))
    clinic.start(clinic.server, "dcmqrscp", "-c", config)
    clinic.server.listens(104)
    titles = ("-aet", "READWS1", "-aec", "PACS_MAIN")
    ask = ("-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.826.0.1.3680043.9.99.2")
    found = clinic.client.run("findscu", *titles, *ask, "-k", "PatientName", "-v", SERVER[1], "104")
    assert PATIENT[0] in found.stdout + found.stderr, "the answer holds the patient"
    clinic.client.run("movescu", *titles, *ask, "-aem", "READWS1", "--port", "11113", "-od", str(got), SERVER[1], "104")
    assert list(got.iterdir()), "the image was sent back"
    told = Told(clinic)
    assert told.identity(SERVER).role == "pacs"
    assert told.identity(CLIENT).role in {"clinical-workstation", "unknown"}
    assert {"query-find", "query-move"} <= told.values(CLIENT, "dicom.uses")
    assert told.values(CLIENT, "dicom.ae") == {"READWS1"}
    assert any(use.startswith("storage") for use in told.values(SERVER, "dicom.uses")), "it called back"
    assert private(told)


def test_dicom_under_tls_is_counted_as_such(clinic: Segment, tmp_path: Path) -> None:
    needs("dump2dcm", "storescp", "storescu", "openssl")
    key, page = certificate(clinic.server, tmp_path, "pacs")
    image = str(tmp_path / "image.dcm")
    clinic.client.run("dump2dcm", write(tmp_path / "image.dump", IMAGE), image)
    clinic.start(clinic.server, "storescp", "+tls", key, page, "-ic", "-aet", "PACS_MAIN", "-od", str(tmp_path), "2762")
    clinic.server.listens(2762)
    clinic.client.run("storescu", "+tla", "-ic", "-aec", "PACS_MAIN", SERVER[1], "2762", image)
    told = Told(clinic)
    assert told.values(SERVER, "tls.chosen") <= {"1.2", "1.3"} != set()
    assert not told.values(CLIENT, "dicom.ae"), "nothing of the association can be read"
    assert "cleartext-clinical" not in told.ids()
    assert told.identity(SERVER).role in {"pacs", "unknown"}
    assert private(told)


def test_hl7_observations_go_to_a_server(clinic: Segment) -> None:
    needs_modules("hl7")
    program = (sys.executable, "-m", "tests.simulators.peer_hl7")
    clinic.start(clinic.server, *program, "receiver", SERVER[1], "2575")
    clinic.server.listens(2575)
    for _ in range(2):
        clinic.client.run(*program, "sender", SERVER[1], "2575")
    told = Told(clinic)
    assert told.identity(SERVER).role == "hospital-server"
    assert told.identity(CLIENT).role in {"lab-analyser", "unknown"}
    assert told.values(CLIENT, "hl7.sender") == {"ANALYSER2"}
    assert told.values(SERVER, "hl7.ack") == {"AA"}
    assert "cleartext-clinical" in told.ids()
    assert private(told)


def test_fhir_over_https_shows_a_server_name_and_a_version(clinic: Segment, tmp_path: Path) -> None:
    needs("curl", "openssl")
    key, page = certificate(clinic.server, tmp_path, "fhir.ward.example")
    clinic.start(clinic.server, sys.executable, "-m", "tests.simulators.peer_web", key, page, "443")
    clinic.server.listens(443)
    where = ("--resolve", f"fhir.ward.example:443:{SERVER[1]}", f"https://fhir.ward.example/fhir/Patient/{PATIENT[2]}")
    got = clinic.client.run("curl", "-s", "-k", "--noproxy", "*", *where)
    assert PATIENT[0] in got.stdout, "the patient went over the cable"
    told = Told(clinic)
    assert told.values(CLIENT, "tls.sni") == {"fhir.ward.example"}
    assert told.values(SERVER, "tls.chosen") == {"1.3"}
    assert not {"cleartext-web", "cleartext-clinical", "legacy-tls"} & set(told.ids())
    assert told.identity(SERVER).role in {"hospital-server", "unknown"}
    assert told.identity(CLIENT).role == "unknown"
    assert private(told)
