"""Row B7 of the fault matrix: brokers that must not be believed are refused each time, by tap and collector, with why.

Real brokers with real certificates, made here: expired, not valid yet, of another authority, for another name; and a
server that speaks nothing later than TLS 1.0.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.collector.subscriber import BrokerSettings, Subscriber
from agent.errors import StateError
from agent.uplink.records import LinkDown, TlsFiles
from tests.conftest import ROOT
from tests.faults.conftest import eventually
from tests.faults.matrix import FULL
from tests.simulators.broker import Mosquitto, answers, free_port
from tests.simulators.papers import Paper, authority, issued
from tests.uplink.test_session import session_to, until

pytestmark = pytest.mark.broker
DAYS = {"expired": (-3.0, -1.0), "not yet valid": (1.0, 3.0)}
# certificate of the broker, the authority that is believed, and a word of why
REFUSED = {
    "expired": ("expired", "ca", "certificate has expired; this machine's clock says "),
    "not yet valid": ("not yet valid", "ca", "certificate is not yet valid; this machine's clock says "),
    "of another authority": ("good", "other-ca", "certificate"),
    "for another name": ("elsewhere", "ca", "127.0.0.1"),
}
AGAIN = 3  # a broker is refused the second time too: one library took the first refusal for an answer
SESSION = """
import sys
from pathlib import Path
from agent.uplink.records import TlsFiles
from tests.uplink.test_session import session_to, until
session = session_to(sys.argv[1], tls=TlsFiles(Path(sys.argv[2])))
print(*(event.reason for event in until(session, lambda seen: len(seen) >= 2)), sep="\\n")
session.close()
"""


class Papers:
    """What a site has in its folder, and what it should not have."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ca = folder, authority(folder)
        authority(folder, "other-ca")
        self.of = {name: issued(folder, name, self.ca, days) for name, days in DAYS.items()}
        self.of |= {"good": issued(folder, "good", self.ca)}
        self.of |= {"elsewhere": issued(folder, "elsewhere", self.ca, host="elsewhere")}


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


def broker_with(folder: Path, paper: Paper) -> Mosquitto:
    """One that shows this certificate and asks for none."""
    return Mosquitto(folder / "broker", listener=f"certfile {paper.pem}\nkeyfile {paper.key_pem}\n").start()


@pytest.fixture(params=REFUSED)
def refused(request: pytest.FixtureRequest, tmp_path: Path, papers: Papers) -> Iterator[tuple[str, Path, str]]:
    """The address of a broker that is not to be believed, the CA file, and why."""
    shown, ca, why = REFUSED[request.param]
    broker = broker_with(tmp_path, papers.of[shown])
    yield f"mqtts://127.0.0.1:{broker.port}", papers.folder / f"{ca}.pem", why
    broker.kill()


def test_a_tap_refuses_each_time_and_says_why(refused: tuple[str, Path, str]) -> None:
    url, ca, why = refused
    session = session_to(url, tls=TlsFiles(ca))
    seen = until(session, lambda seen: len(seen) >= AGAIN)
    assert all(isinstance(event, LinkDown) and event.reason.startswith("TLS: ") for event in seen), seen
    assert all(isinstance(event, LinkDown) and why in event.reason for event in seen), seen
    session.close()


def test_a_collector_refuses_each_time_and_says_why(refused: tuple[str, Path, str]) -> None:
    url, ca, why = refused
    subscriber = Subscriber(BrokerSettings(url, ("x",), "c", ca), SystemClock())
    subscriber._random.uniform = lambda _low, _high: 0.01  # type: ignore[method-assign]
    subscriber.start()
    try:
        assert eventually(lambda: subscriber.counts["broker-disconnects"] >= AGAIN)
        assert not subscriber.connected
        assert subscriber.last_error.startswith("TLS: ")
        assert why in subscriber.last_error
    finally:
        subscriber.stop()


def test_both_believe_the_one_that_is_right(tmp_path: Path, papers: Papers) -> None:
    """So that the tests above refuse for the reason that they name."""
    broker = broker_with(tmp_path, papers.of["good"])
    url, ca = f"mqtts://127.0.0.1:{broker.port}", papers.folder / "ca.pem"
    subscriber = Subscriber(BrokerSettings(url, ("x",), "c", ca), SystemClock())
    subscriber.start()
    try:
        session = session_to(url, tls=TlsFiles(ca))
        until(session, lambda _: session.connected)
        session.close()
        assert subscriber.wait_connected(60)
    finally:
        subscriber.stop()
        broker.kill()


def test_a_server_that_speaks_nothing_later_than_tls_1_0(papers: Papers) -> None:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed: apt-get install openssl")
    port, paper = free_port(), papers.of["good"]
    words = ["s_server", "-accept", f"127.0.0.1:{port}", "-cert", paper.pem, "-key", paper.key_pem]
    server = subprocess.Popen(
        [program, *words, "-tls1", "-cipher", "DEFAULT@SECLEVEL=0", "-quiet"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert eventually(lambda: answers(port))
        session = session_to(f"mqtts://127.0.0.1:{port}", tls=TlsFiles(papers.folder / "ca.pem"))
        seen = until(session, lambda seen: len(seen) >= AGAIN)
        assert all(isinstance(event, LinkDown) and "PROTOCOL" in event.reason for event in seen), seen
        session.close()
    finally:
        server.kill()
        server.communicate()


@pytest.mark.parametrize("held", ["", "no certificate\n", "leaf"])
def test_a_collector_whose_file_holds_no_authority_does_not_start(papers: Papers, tmp_path: Path, held: str) -> None:
    """mosquitto 2.0.9 once took an empty one for "no check"."""
    ca = tmp_path / "ca.pem"
    ca.write_text(papers.of["good"].pem.read_text() if held == "leaf" else held)
    with pytest.raises(StateError):
        Subscriber(BrokerSettings("mqtts://127.0.0.1", ("x",), ca=ca), SystemClock())


@pytest.mark.skipif(not FULL, reason="the full form asks for WARDTAP_SLOW=1")
def test_a_machine_without_a_clock(tmp_path: Path, papers: Papers) -> None:
    """1970: no certificate is valid yet; refused, and the line says which of the two is likely to be wrong."""
    program = shutil.which("faketime")
    if program is None:
        pytest.skip("faketime is not installed: apt-get install faketime")
    broker = broker_with(tmp_path, papers.of["good"])
    try:
        words = (sys.executable, "-c", SESSION, f"mqtts://127.0.0.1:{broker.port}", papers.folder / "ca.pem")
        said = subprocess.run(
            [program, "1970-01-02 00:00:00", *words],
            cwd=ROOT, check=False, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        why = "TLS: certificate is not yet valid; this machine's clock says 1970-01-02"
        assert said.stdout.splitlines() == [why] * 2, said.stderr
    finally:
        broker.kill()
