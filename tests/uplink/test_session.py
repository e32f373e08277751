"""The pipe against real brokers, and against ends that are none."""

import contextlib
import errno
import itertools
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from agent.clock import NS_PER_S, CaptureClock, SystemClock
from agent.errors import ConfigError
from agent.uplink.records import Arrived, Event, LinkDown, LinkUp, Published, SessionSettings, TlsFiles, parse_broker
from agent.uplink.session import AWAY_MAX_S, FLAPS, INCOMING_BYTES_MAX, Session, tls_context
from tests.simulators.broker import EmbeddedBroker, Mosquitto, free_port


def session_to(url: str, **changes: object) -> Session:
    settings = {
        "broker": parse_broker(url),
        "client_id": "tap-1",
        "subscriptions": ("echo/#",),
        "reconnect_min_s": 0.05,
        "reconnect_max_s": 0.2,
        "connect_timeout_s": 60.0,  # a handshake on a busy machine
    }
    return Session(SessionSettings(**{**settings, **changes}), SystemClock())  # type: ignore[arg-type]


def until(session: Session, wanted: Callable[[list[Event]], bool], within_s: float = 120.0) -> list[Event]:
    """Work until the events so far are enough."""
    seen: list[Event] = []
    deadline = time.monotonic() + within_s
    while not wanted(seen):
        assert time.monotonic() < deadline, seen
        seen.extend(session.step(0.05))
    return seen


def has(kind: type) -> Callable[[list[Event]], bool]:
    return lambda seen: any(isinstance(event, kind) for event in seen)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that a busy machine keeps waiting is not taken for an old one."""
    monkeypatch.setattr("agent.uplink.session.CONNACK_5_S", 60.0)


@pytest.mark.broker
@pytest.mark.usefixtures("patient")
def test_what_is_published_comes_back(broker: Mosquitto) -> None:
    session = session_to(broker.url)
    until(session, has(LinkUp))
    assert session.protocol == "5"
    token = session.publish("echo/x", b"\x00\xff")
    seen = until(session, has(Arrived))
    assert Published(token or 0, refused=False) in seen or until(session, has(Published))
    assert Arrived("echo/x", b"\x00\xff", retained=False) in seen
    session.close()


@pytest.mark.broker
def test_another_member_is_tried_when_one_is_gone(broker: Mosquitto, tmp_path: Path) -> None:
    other = Mosquitto(tmp_path / "other").start()
    nobody = parse_broker(f"mqtt://127.0.0.1:{free_port()}")
    ports = (broker.port, nobody.port, other.port)
    session = session_to(broker.url, spares=(nobody, parse_broker(other.url)))
    try:
        until(session, has(LinkUp))
        assert session.broker.port == broker.port
        broker.kill()
        until(session, has(LinkUp), 30)
        assert session.broker.port == other.port
        assert session.protocol == "5", "a member that is not there says nothing of the version"
        broker.start()
        other.kill()
        until(session, has(LinkUp), 30)
        assert session.broker.port == ports[0]
    finally:
        session.close()
        other.kill()


@pytest.mark.broker
def test_an_old_member_is_asked_in_both_versions(tmp_path: Path, broker: Mosquitto) -> None:
    """Whoever misreads MQTT 5 is not passed over for that."""
    with Deaf() as deaf:
        session = session_to(f"mqtt://127.0.0.1:{deaf.port}", spares=(parse_broker(broker.url),))
        seen = until(session, has(LinkUp), 30)
        assert [type(event) for event in seen] == [LinkDown, LinkDown, LinkUp]
        assert deaf.versions == [5, 4]
        session.close()


class Deaf:
    """Reads a CONNECT, remembers its version, and hangs up."""

    def __init__(self) -> None:
        self.versions: list[int] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self._thread.join()

    def _work(self) -> None:
        while True:
            try:
                link, _ = self._door.accept()
            except OSError:
                return
            with link:
                self.versions += link.recv(64)[8:9]  # behind the fixed header and the name MQTT


@pytest.mark.broker
def test_links_that_end_again_and_again_name_the_likely_cause(broker: Mosquitto) -> None:
    session = session_to(broker.url, reconnect_min_s=0.01, reconnect_max_s=0.02)
    told: list[bool] = []
    while len(told) < FLAPS + 1:
        until(session, has(LinkUp))
        twin = session_to(broker.url)
        until(twin, has(LinkUp))
        seen = until(session, has(LinkDown))
        told += ["in two boxes?" in event.reason for event in seen if isinstance(event, LinkDown)]
        twin.close()
    assert told == [False] * (FLAPS - 1) + [True] * 2
    session.close()


@pytest.mark.broker
def test_never_more_than_the_window_is_in_the_pipe(broker: Mosquitto) -> None:
    session = session_to(broker.url, window=5)
    assert session.publish("echo/x", b"early") is None
    until(session, has(LinkUp))
    tokens = [session.publish("other/x", b"x") for _ in range(9)]
    assert len([token for token in tokens if token is not None]) == 5
    assert session.room == 0
    until(session, lambda seen: len([event for event in seen if isinstance(event, Published)]) == 5)
    assert session.room == 5
    session.close()


@pytest.mark.broker
def test_the_link_comes_back_and_the_will_tells_when_it_does_not(broker: Mosquitto) -> None:
    watcher = session_to(broker.url, client_id="watcher", subscriptions=("state/#",))
    until(watcher, has(LinkUp))
    session = session_to(broker.url, will=("state/tap-1", b"lost"))
    until(session, has(LinkUp))
    assert session._client is not None
    session._client._sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
    until(session, lambda seen: has(LinkDown)(seen) and has(LinkUp)(seen))
    assert Arrived("state/tap-1", b"lost", retained=True) in until(watcher, has(Arrived))
    broker.kill()
    until(session, has(LinkDown))
    broker.start()
    until(session, has(LinkUp))
    session.close()
    watcher.close()


def test_an_old_broker_gets_the_old_version() -> None:
    broker = EmbeddedBroker().start()
    try:
        session = session_to(broker.url)
        until(session, has(LinkUp))
        assert session.protocol == "3.1.1"
        session.publish("echo/x", b"old")
        assert Arrived("echo/x", b"old", retained=False) in until(session, has(Arrived))
        session.close()
    finally:
        broker.kill()


def test_nobody_there_is_said_and_tried_again() -> None:
    session = session_to("mqtt://127.0.0.1:1")
    seen = until(session, lambda seen: len(seen) >= 3)
    assert all(isinstance(event, LinkDown) and "refused" in event.reason for event in seen)
    assert not session.connected


@pytest.fixture
def rogue() -> Iterator[Callable[[bytes], str]]:
    """A listener that answers every CONNECT with the same octets; gives its address."""
    ends: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def make(answer: bytes) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        ends.append(listener)

        def serve() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                ends.append(peer)
                try:
                    peer.recv(1024)
                    peer.sendall(answer)
                except OSError:
                    continue

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return f"mqtt://127.0.0.1:{listener.getsockname()[1]}"

    yield make
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
    for thread in threads:
        thread.join()


CONNACK = b"\x20\x03\x00\x00\x00"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x00" * 64,
        b"\xff" * 64,
        b"\x20\x02\x00\x05",
        CONNACK + b"\x30\xff\xff\xff\xff\xff",
        CONNACK + b"\x32\x04\x00\x09xy",
        CONNACK + b"\x32\x06\x00\x02\xff\xfe\x00\x01",
    ],
)
def test_an_end_that_is_no_broker_does_no_harm(rogue: Callable[[bytes], str], answer: bytes) -> None:
    session = session_to(rogue(answer), connect_timeout_s=0.3)
    seen = until(session, has(LinkDown))
    assert next(event for event in seen if isinstance(event, LinkDown)).reason
    session.close()


def test_a_message_larger_than_any_of_ours_ends_the_link(rogue: Callable[[bytes], str]) -> None:
    huge = CONNACK + b"\x30\xff\xff\xff\x7f" + b"\x00\x01a" + bytes(2 * INCOMING_BYTES_MAX)
    session = session_to(rogue(huge))
    assert until(session, lambda seen: any(isinstance(event, LinkDown) and "larger" in event.reason for event in seen))
    session.close()


def test_a_silent_end_is_given_up(rogue: Callable[[bytes], str]) -> None:
    session = session_to(rogue(b""), connect_timeout_s=0.2)
    assert "does not answer" in str(until(session, has(LinkDown))[0])
    session.close()


NO_ROUTE, NO_NAME, NO_ANSWER = OSError(errno.ENETUNREACH, "x"), socket.gaierror(-3, "x"), TimeoutError("timed out")
REFUSED, HANDSHAKE = ConnectionRefusedError(errno.ECONNREFUSED, "x"), TimeoutError("_ssl.c:1: The handshake timed out")


@pytest.mark.parametrize("away", [NO_ROUTE, NO_NAME, NO_ANSWER], ids=["no route", "no name server", "no answer"])
def test_a_network_that_comes_back_after_a_day_is_used_within_seconds(
    away: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back-off spares a broker that is in trouble; where nobody is asked it would only make findings late."""
    assert max(_waits_ns(away, monkeypatch)[-50:]) <= AWAY_MAX_S * NS_PER_S


@pytest.mark.parametrize("trouble", [REFUSED, HANDSHAKE], ids=["refused", "handshake"])
def test_a_broker_in_trouble_is_spared(trouble: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    assert max(_waits_ns(trouble, monkeypatch)[-50:]) > 30 * NS_PER_S


def _waits_ns(error: OSError, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How long a session waits between tries that end like this, on a simulated clock."""

    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("paho.mqtt.client.Client.connect", failing)
    clock, tried_ns = CaptureClock(NS_PER_S), [0]
    session = Session(SessionSettings(parse_broker("mqtt://127.0.0.1:1"), "tap-1", ("x",)), clock)
    while len(tried_ns) < 80:
        if session.step(60.0):
            tried_ns.append(clock.mono_ns())
    return [after - before for before, after in itertools.pairwise(tried_ns)]


def test_the_wait_grows_with_full_jitter_and_differs_between_taps() -> None:
    def delays(name: str) -> list[float]:
        session = session_to("mqtt://127.0.0.1:1", client_id=name, reconnect_min_s=1.0, reconnect_max_s=60.0)
        return [session.reconnect_delay_s(number) for number in range(1, 40)]

    first, again, other = delays("tap-1"), delays("tap-1"), delays("tap-2")
    assert first == again != other
    assert all(1.0 <= delay <= 60.0 for delay in first)
    assert max(first[:2]) <= 4.0
    assert max(first) - min(first[10:]) > 20.0


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two CAs; from the first a certificate for localhost, one for another name, and a client's."""
    folder = tmp_path_factory.mktemp("papers")
    curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for ca in ("ca", "other-ca"):
        openssl(folder, *f"req -x509 {curve} -keyout {ca}.key -out {ca}.pem -subj /CN={ca} -days 2".split())
    names = {"localhost": "DNS:localhost,IP:127.0.0.1", "elsewhere": "DNS:elsewhere", "tap-1": "DNS:tap-1"}
    for name, alternative in names.items():
        openssl(folder, *f"req {curve} -keyout {name}.key -out {name}.csr -subj /CN={name}".split())
        (folder / "ext").write_text(f"subjectAltName={alternative}")
        signing = f"x509 -req -in {name}.csr -out {name}.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
        openssl(folder, *signing.split(), "-extfile", "ext")
    (folder / "empty.pem").write_text("")
    return folder


def tls_broker(folder: Path, papers: Path, name: str) -> Mosquitto:
    lines = (
        f"cafile {papers}/ca.pem\ncertfile {papers}/{name}.pem\nkeyfile {papers}/{name}.key\nrequire_certificate true\n"
    )
    return Mosquitto(folder / name, listener=lines).start()


@pytest.mark.broker
def test_tls_both_ways(tmp_path: Path, papers: Path) -> None:
    broker = tls_broker(tmp_path, papers, "localhost")
    try:
        files = TlsFiles(papers / "ca.pem", papers / "tap-1.pem", papers / "tap-1.key")
        session = session_to(f"mqtts://127.0.0.1:{broker.port}", tls=files)
        until(session, has(LinkUp))
        session.close()
    finally:
        broker.kill()


@pytest.mark.broker
@pytest.mark.parametrize(
    ("name", "ca", "why"), [("localhost", "other-ca", "certificate"), ("elsewhere", "ca", "127.0.0.1")]
)
def test_tls_refuses_every_time_and_says_why(tmp_path: Path, papers: Path, name: str, ca: str, why: str) -> None:
    broker = tls_broker(tmp_path, papers, name)
    try:
        files = TlsFiles(papers / f"{ca}.pem", papers / "tap-1.pem", papers / "tap-1.key")
        session = session_to(f"mqtts://127.0.0.1:{broker.port}", tls=files)
        seen = until(session, lambda seen: len(seen) >= 3)
        assert all(isinstance(event, LinkDown) and "TLS" in event.reason and why in event.reason for event in seen), (
            seen
        )
        session.close()
    finally:
        broker.kill()


@pytest.mark.broker
def test_tls_is_never_spoken_to_a_plain_port(broker: Mosquitto, papers: Path) -> None:
    session = session_to(f"mqtts://127.0.0.1:{broker.port}", tls=TlsFiles(papers / "ca.pem"), connect_timeout_s=1.0)
    seen = until(session, lambda seen: len(seen) >= 2)
    assert all(isinstance(event, LinkDown) for event in seen)
    session.close()


@pytest.mark.parametrize(
    "files", [("empty.pem", "", ""), ("missing.pem", "", ""), ("ca.pem", "tap-1.pem", "ca.key"), ("tap-1.key", "", "")]
)
def test_papers_that_are_none_are_refused_at_start(papers: Path, files: tuple[str, str, str]) -> None:
    with pytest.raises(ConfigError):
        tls_context(TlsFiles(*(papers / name if name else None for name in files)))
