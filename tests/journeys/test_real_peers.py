"""Real programs talk on a cable of their own, and the sensor says the right thing of them.

Each test skips with the reason where its programs are absent: dcmtk, dnsmasq-base with udhcpc, snmp, openssl.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.told import Told
from tests.simulators.bursts import HASHES
from tests.simulators.peers import Segment, needs, segment, write

pytestmark = [HASHES, pytest.mark.root]
SCANNER, ARCHIVE = ("44:4b:5d:0c:21:7e", "10.41.7.31"), ("d4:ae:52:77:20:11", "10.41.7.10")
PUMP = ("00:d0:75:18:42:9b", "10.41.7.111")
PATIENT = ("QUILLFEATHER", "ORSOLYA", "WT7740193V")
IMAGE = f"""
(0008,0016) UI =CTImageStorage
(0008,0018) UI [1.2.826.0.1.3680043.9.99.1]
(0010,0010) PN [{PATIENT[0]}^{PATIENT[1]}]
(0010,0020) LO [{PATIENT[2]}]
(0020,000d) UI [1.2.826.0.1.3680043.9.99.2]
(0020,000e) UI [1.2.826.0.1.3680043.9.99.3]
(0028,0002) US 1
(0028,0004) CS [MONOCHROME2]
(0028,0010) US 2
(0028,0011) US 2
(0028,0100) US 16
(0028,0101) US 16
(0028,0102) US 15
(0028,0103) US 0
(7fe0,0010) OW 0001\\0002\\0003\\0004
"""
SCRIPT = '#!/bin/sh\n[ "$1" = bound ] && ip address add "$ip/24" dev "$interface" && touch "$0.bound"; exit 0\n'


@pytest.fixture
def imaging() -> Iterator[Segment]:
    """A modality and an archive."""
    with segment(SCANNER, ARCHIVE) as made:
        yield made


def test_dcmtk_stores_an_image(imaging: Segment, tmp_path: Path) -> None:
    needs("dump2dcm", "storescp", "storescu", "echoscu")
    image = str(tmp_path / "image.dcm")
    imaging.client.run("dump2dcm", write(tmp_path / "image.dump", IMAGE), image)
    imaging.start(imaging.server, "storescp", "-aet", "PACS_MAIN", "-od", str(tmp_path), "104")
    imaging.server.listens(104)
    titles = ("-aet", "CT_WARD3", "-aec", "PACS_MAIN", ARCHIVE[1], "104")
    imaging.client.run("echoscu", *titles)
    for _ in range(2):
        imaging.client.run("storescu", *titles, image)
    told = Told(imaging)
    assert (told.identity(SCANNER).role, told.identity(ARCHIVE).role) == ("imaging-modality", "pacs")
    assert told.values(SCANNER, "dicom.ae") == {"CT_WARD3"}
    assert all(uid.startswith("1.2.276.0.7230010.3") for uid in told.values(SCANNER, "dicom.implementation"))
    assert told.values(ARCHIVE, "dicom.accepts") == {"association"}
    assert "cleartext-clinical" in told.ids()
    assert not [word for word in PATIENT if word in told.text()]


def test_dcmtk_is_refused_a_query(imaging: Segment, tmp_path: Path) -> None:
    """An archive that takes no queries: the reading workstation asks all the same."""
    needs("storescp", "findscu")
    imaging.start(imaging.server, "storescp", "-aet", "PACS_MAIN", "-od", str(tmp_path), "104")
    imaging.server.listens(104)
    ask = ("-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"PatientID={PATIENT[2]}")
    imaging.client.run("findscu", "-aet", "READWS1", "-aec", "PACS_MAIN", *ask, ARCHIVE[1], "104", check=False)
    told = Told(imaging)
    assert "query-find" in told.values(SCANNER, "dicom.uses")
    assert told.values(SCANNER, "dicom.ae") == {"READWS1"}
    assert PATIENT[2] not in told.text()


def test_dnsmasq_gives_a_pump_its_address(tmp_path: Path) -> None:
    needs("dnsmasq", "udhcpc")
    with segment(PUMP, ARCHIVE) as talk:
        talk.client.run("ip", "address", "flush", "dev", "end")
        talk.start(
            talk.server, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--group=root",
            "--pid-file=", "--leasefile-ro", "--no-resolv", "--no-hosts", "--no-ping", "--interface=end",
            "--dhcp-authoritative", "--dhcp-range=10.41.7.100,10.41.7.120,1h", "--dhcp-option=3,10.41.7.1",
        )  # fmt: skip
        talk.server.listens(67, "u")
        script = write(tmp_path / "bound.sh", SCRIPT, mode=0o700)
        talk.client.run("udhcpc", "-i", "end", "-f", "-n", "-q", "-t", "60", "-T", "1", "-s", script,
                        "-V", "ALARIS-PCU-8015", "-x", "hostname:PCU-13408871")  # fmt: skip
        talk.client.run("ping", "-c", "1", "-W", "2", ARCHIVE[1], check=False)
        told = Told(talk)
    assert Path(f"{script}.bound").is_file(), "the lease was taken"
    pump = told.identity(PUMP)
    assert (pump.role, pump.model) == ("infusion-pump", "Alaris PC Unit")
    assert pump.confidence >= 0.9
    assert told.values(PUMP, "dhcp.host") == {"PCU-13408871"}
    assert told.values(PUMP, "dhcp.lease") >= {"ack"}
    assert not told.values(ARCHIVE, "dhcp.routes"), "it gives another box as the router"
    assert "advisory-match" in told.ids()


def test_snmp_tells_that_a_community_was_sent_and_not_which() -> None:
    needs("snmpget")
    with segment(ARCHIVE, PUMP) as talk:
        for version in ("1", "2c"):
            talk.client.run("snmpget", f"-v{version}", "-c", "hosp-wt-4491", "-r", "0", "-t", "0.2", PUMP[1],
                            "1.3.6.1.2.1.1.2.0", check=False)  # fmt: skip
        told = Told(talk)
    assert told.values(ARCHIVE, "snmp.version") == {"1", "2c"}
    assert told.values(ARCHIVE, "credentials.clear") == {"snmp"}
    assert "hosp-wt-4491" not in told.text()


@pytest.mark.parametrize(("version", "old"), [("-tls1", True), ("-tls1_3", False)])
def test_openssl_agrees_to_a_version(imaging: Segment, tmp_path: Path, version: str, old: bool) -> None:
    needs("openssl")
    key, page = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    imaging.server.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=pacs", "-days", "1",
                       "-keyout", key, "-out", page)  # fmt: skip
    weak = ("-cipher", "DEFAULT:@SECLEVEL=0") if old else ()
    imaging.start(
        imaging.server, "openssl", "s_server", "-accept", "443", "-key", key, "-cert", page, "-www", version, *weak
    )
    imaging.server.listens(443)
    done = imaging.client.run("openssl", "s_client", "-connect", f"{ARCHIVE[1]}:443", version, *weak, check=False)
    assert "Cipher is (NONE)" not in done.stdout
    told = Told(imaging)
    assert ("legacy-tls" in told.ids()) is old
    assert told.values(ARCHIVE, "tls.chosen") == {"1.0" if old else "1.3"}


def test_a_web_server_in_clear(imaging: Segment, tmp_path: Path) -> None:
    write(tmp_path / "index.html", "<p>ready</p>")
    imaging.start(imaging.server, sys.executable, "-m", "http.server", "80", "--directory", str(tmp_path))
    imaging.server.listens(80)
    read = f"import urllib.request; print(urllib.request.urlopen('http://{ARCHIVE[1]}/', timeout=60).read())"
    assert "ready" in imaging.client.run(sys.executable, "-c", read).stdout
    told = Told(imaging)
    assert "cleartext-web" in told.ids()
    assert any(value.startswith("SimpleHTTP/") for value in told.values(ARCHIVE, "http.server"))
