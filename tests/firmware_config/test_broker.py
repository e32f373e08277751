"""The shipped broker configuration on a real mosquitto: a certificate says who it is, the ACL what it may do."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.firmware_config.conftest import FOLDER
from tests.simulators.broker import free_port

pytestmark = pytest.mark.broker
NAMES = ("broker", "tap-1", "tap-2", "wardtap-collector", "wardtap-operator", "wardtap-bootstrap")


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site's certificate authority with one certificate for each name."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("authority")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(folder, "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=site", "-days", "2",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    (folder / "san").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n")
    for name in NAMES:
        openssl(folder, "req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-out", f"{name}.crt", "-extfile", "san")  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def broker(authority: Path) -> Iterator[int]:
    """mosquitto with the shipped configuration, its paths and port apart; its port."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed")
    port = free_port()
    text = (FOLDER / "mosquitto" / "wardtap.conf").read_text()
    acl = authority / "wardtap.acl"
    shutil.copy(FOLDER / "mosquitto" / "wardtap.acl", acl)
    text = text.replace("/etc/mosquitto/wardtap.acl", str(acl)).replace("/etc/mosquitto/wardtap/", f"{authority}/")
    text = (
        text.replace("listener 8883", f"listener {port} 127.0.0.1") + f"persistence_location {authority}/\nuser root\n"
    )
    (authority / "broker.conf").write_text(text)
    with (authority / "broker.log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(authority / "broker.conf")], stdout=log, stderr=log)
    try:
        wait_for(port, process, authority / "broker.log")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=60)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the port answers; the broker's own words when it ended instead."""
    for _ in range(1200):
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"mosquitto did not open port {port}: {log.read_text()}")


@dataclass
class Person:
    """A connected client that remembers what it got."""

    client: mqtt.Client
    got: list[tuple[str, bytes]]
    subscribed: threading.Event

    def hears(self, topic: str) -> None:
        """Subscribe and wait for the broker's answer."""
        self.subscribed.clear()
        self.client.subscribe(topic, qos=1)
        assert self.subscribed.wait(60)

    def says(self, topic: str, payload: bytes) -> None:
        """Publish and wait until the broker took it."""
        self.client.publish(topic, payload, qos=1).wait_for_publish(60)


@dataclass
class Desk:
    """Connects people to the broker and lets them go."""

    folder: Path
    port: int
    people: list[Person]

    def connect(self, name: str) -> Person:
        """A client with the certificate of `name`."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"{name}-{len(self.people)}")
        client.tls_set(str(self.folder / "ca.crt"), str(self.folder / f"{name}.crt"), str(self.folder / f"{name}.key"))
        person = Person(client, [], threading.Event())
        connected = threading.Event()
        client.on_connect = lambda *_: connected.set()
        client.on_subscribe = lambda *_: person.subscribed.set()
        client.on_message = lambda _client, _data, message: person.got.append((message.topic, bytes(message.payload)))
        client.connect("localhost", self.port)
        client.loop_start()
        self.people.append(person)
        assert connected.wait(60)
        return person

    def settle(self, person: Person) -> list[tuple[str, bytes]]:
        """What a person got once something that certainly passes has passed."""
        bell = "wardtap/1/ward/epoch"
        person.hears(bell)
        self.connect("wardtap-collector").says(bell, b"ding")
        deadline = time.monotonic() + 60
        while (bell, b"ding") not in person.got and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (bell, b"ding") in person.got
        return [entry for entry in person.got if entry[0] != bell]


@pytest.fixture
def desk(authority: Path, broker: int) -> Iterator[Desk]:
    """Nobody is connected yet; everybody is gone afterwards."""
    desk = Desk(authority, broker, [])
    yield desk
    for person in desk.people:
        person.client.disconnect()
        person.client.loop_stop()
        person.client.on_message = person.client.on_subscribe = None  # they hold the client, and it its sockets


UP = "wardtap/1/ward/tap-1/up/summary"


def test_a_tap_reaches_the_collector(desk: Desk) -> None:
    collector = desk.connect("wardtap-collector")
    collector.hears("wardtap/1/+/+/up/#")
    desk.connect("tap-1").says(UP, b"mine")
    deadline = time.monotonic() + 60
    while not collector.got and time.monotonic() < deadline:
        time.sleep(0.02)
    assert collector.got == [(UP, b"mine")]


def test_a_tap_cannot_speak_for_another_or_acknowledge(desk: Desk) -> None:
    collector = desk.connect("wardtap-collector")
    collector.hears("wardtap/1/+/+/up/#")
    victim = desk.connect("tap-1")
    victim.hears("wardtap/1/+/tap-1/down/#")
    thief = desk.connect("tap-2")
    for topic in (UP, "wardtap/1/ward/tap-1/down/ack", "wardtap/1/ward/tap-1/down/command", "wardtap/1/ward/epoch"):
        thief.says(topic, b"forged")
    thief.says("wardtap/1/ward/tap-2/up/summary", b"own")
    deadline = time.monotonic() + 60
    while not collector.got and time.monotonic() < deadline:
        time.sleep(0.02)
    assert collector.got == [("wardtap/1/ward/tap-2/up/summary", b"own")]
    assert desk.settle(victim) == []


def test_a_tap_reads_only_its_own_way_down(desk: Desk) -> None:
    curious = desk.connect("tap-2")
    for topic in ("wardtap/1/ward/tap-1/down/#", "wardtap/1/+/+/up/#", "#"):
        curious.hears(topic)
    desk.connect("wardtap-collector").says("wardtap/1/ward/tap-1/down/ack", b"for tap-1")
    desk.connect("tap-1").says(UP, b"not for tap-2")
    assert desk.settle(curious) == []


def test_the_operator_commands_and_does_not_read_summaries(desk: Desk) -> None:
    tap = desk.connect("tap-1")
    tap.hears("wardtap/1/ward/tap-1/down/#")
    operator = desk.connect("wardtap-operator")
    operator.hears("wardtap/1/+/+/up/summary")
    operator.hears("wardtap/1/+/+/up/receipt")
    operator.says("wardtap/1/ward/tap-1/down/command", b"status")
    operator.says("wardtap/1/ward/tap-1/down/ack", b"forged")
    assert desk.settle(tap) == [("wardtap/1/ward/tap-1/down/command", b"status")]
    tap.says(UP, b"summary")
    tap.says("wardtap/1/ward/tap-1/up/receipt", b"done")
    deadline = time.monotonic() + 60
    while not operator.got and time.monotonic() < deadline:
        time.sleep(0.02)
    assert operator.got == [("wardtap/1/ward/tap-1/up/receipt", b"done")]


def test_a_bootstrap_certificate_can_only_enrol(desk: Desk) -> None:
    collector = desk.connect("wardtap-collector")
    collector.hears("wardtap/1/+/+/up/#")
    newcomer = desk.connect("wardtap-bootstrap")
    newcomer.says(UP, b"too early")
    newcomer.says("wardtap/1/ward/tap-9/up/enrol", b"hello")
    deadline = time.monotonic() + 60
    while not collector.got and time.monotonic() < deadline:
        time.sleep(0.02)
    assert collector.got == [("wardtap/1/ward/tap-9/up/enrol", b"hello")]


def first_answer(port: int, ca: Path) -> bytes:
    """What the broker says to an MQTT CONNECT without a client certificate (TLS 1.3 refuses at the first read)."""
    context = ssl.create_default_context(cafile=str(ca))
    connect = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x"
    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.sendall(connect)
        return secure.recv(16)


def test_without_a_certificate_nobody_gets_in(authority: Path, broker: int) -> None:
    with pytest.raises(OSError, match=r"(?i)certificate|reset|eof|alert"):
        first_answer(broker, authority / "ca.crt")


def test_nobody_reads_or_writes_the_broker_s_own_topics(desk: Desk) -> None:
    tap = desk.connect("tap-1")
    for topic in ("$SYS/#", "$SYS/broker/clients/connected", "+/+/+/+/up/#", "wardtap/1/+/+/down/#"):
        tap.hears(topic)
    tap.says("$SYS/broker/version", b"mine")
    desk.connect("wardtap-collector").says("wardtap/1/ward/tap-2/down/ack", b"for tap-2")
    assert desk.settle(tap) == []


def test_a_will_is_held_to_the_acl_too(desk: Desk) -> None:
    """CVE-2018-12550 and its like: what a client may not say while it lives it may not say when it dies."""
    collector = desk.connect("wardtap-collector")
    collector.hears("wardtap/1/+/+/up/#")
    thief = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="tap-2-will")
    thief.tls_set(str(desk.folder / "ca.crt"), str(desk.folder / "tap-2.crt"), str(desk.folder / "tap-2.key"))
    thief.will_set("wardtap/1/ward/tap-1/up/state", b"lost", qos=1, retain=True)
    connected = threading.Event()
    thief.on_connect = lambda *_: connected.set()
    thief.connect("localhost", desk.port)
    thief.loop_start()
    if connected.wait(60):
        thief.socket().shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
    thief.loop_stop()
    assert desk.settle(collector) == []


def test_a_message_larger_than_any_of_ours_ends_the_link(desk: Desk) -> None:
    collector = desk.connect("wardtap-collector")
    collector.hears("wardtap/1/+/+/up/#")
    tap = desk.connect("tap-1")
    gone = threading.Event()
    tap.client.on_disconnect = lambda *_: gone.set()
    tap.client.publish(UP, bytes(300_000), qos=1)
    assert gone.wait(60)
    assert desk.settle(collector) == []


def test_another_authority_s_certificate_and_old_tls_are_refused(authority: Path, broker: int, tmp_path: Path) -> None:
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        tmp_path, "req", "-x509", *curve, "-keyout", "own.key", "-out", "own.crt", "-subj", "/CN=tap-1", "-days", "2"
    )
    context = ssl.create_default_context(cafile=str(authority / "ca.crt"))
    context.load_cert_chain(tmp_path / "own.crt", tmp_path / "own.key")
    assert_refused(broker, context)
    old = ssl.create_default_context(cafile=str(authority / "ca.crt"))
    old.load_cert_chain(authority / "tap-1.crt", authority / "tap-1.key")
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    assert_refused(broker, old)


def assert_refused(port: int, context: ssl.SSLContext) -> None:
    """TLS 1.3 refuses a client's certificate at the first read."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            secure.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x")
            answer = secure.recv(16)
    except OSError:
        answer = b""
    assert answer == b""


def test_plain_mqtt_is_not_spoken(broker: int) -> None:
    with socket.create_connection(("127.0.0.1", broker), timeout=60) as plain:
        plain.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x")
        plain.settimeout(60)
        try:
            answer = plain.recv(64)
        except OSError:
            answer = b""
        assert not answer.startswith(b"\x20")  # no CONNACK
