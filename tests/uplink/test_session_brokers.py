"""One suite for every broker: mosquitto (MQTT 5 and 3.1.1, TLS and ACL), nats-server (3.1.1), amqtt (3.1.1).

What a tap needs of a broker, and no more: QoS 1 both ways, a retained message, a will, 64 KiB, and coming back.
"""

import gc
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.uplink.records import Arrived, LinkDown, LinkUp, Published, SessionSettings, TlsFiles, parse_broker
from agent.uplink.session import Session
from tests.simulators.broker import EmbeddedBroker, Mosquitto, Nats
from tests.uplink.test_session import has, openssl, until

pytestmark = pytest.mark.broker
RECONNECTS = 1000 if os.environ.get("WARDTAP_SLOW") else 40
SUMMARY_BYTES = 64 * 1024
OURS, FOREIGN = "wardtap/1/ward/tap-1", "wardtap/1/ward/tap-2"
ACL = "pattern write wardtap/1/+/%u/up/#\npattern read wardtap/1/+/%u/down/#\nuser far\ntopic readwrite wardtap/#\n"
KINDS = ("mosquitto-5", "mosquitto-3.1.1", "mosquitto-tls-acl", "nats", "amqtt")


class Place:
    """A broker and how to reach it: as the tap, and as somebody at the other side."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.kind, self.files = kind, TlsFiles()
        self.broker: Mosquitto | EmbeddedBroker | Nats
        if kind == "nats":
            self.broker = Nats(folder)
        elif kind == "amqtt":
            self.broker = EmbeddedBroker()
        elif kind == "mosquitto-tls-acl":
            self.broker = _guarded(folder)
            self.papers = folder
        else:
            self.broker = Mosquitto(folder)
        self.broker.start()
        self.sessions: list[Session] = []

    def session(self, name: str, *topics: str, will: tuple[str, bytes] | None = None) -> Session:
        tls = self.kind == "mosquitto-tls-acl"
        papers = (
            TlsFiles(*(self.papers / each for each in ("ca.pem", f"{name}.pem", f"{name}.key"))) if tls else TlsFiles()
        )
        address = f"{'mqtts' if tls else 'mqtt'}://127.0.0.1:{self.broker.port}"
        settings = SessionSettings(
            broker=parse_broker(address),
            client_id=name,
            subscriptions=topics or (f"{OURS}/down/other",),
            will=will,
            tls=papers,
            reconnect_min_s=0.02,
            reconnect_max_s=0.1,
            connect_timeout_s=60.0,
        )
        made = Session(settings, SystemClock())
        if self.kind == "mosquitto-3.1.1":
            made._version = 1  # as after a broker that did not answer to MQTT 5
        self.sessions.append(made)
        until(made, has(LinkUp))
        return made

    def end(self) -> None:
        for each in self.sessions:
            each.close()
        self.broker.kill()


def _guarded(folder: Path) -> Mosquitto:
    """Certificates both ways, the certificate's name as user, and an ACL."""
    folder.mkdir(parents=True, exist_ok=True)
    curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    openssl(folder, *f"req -x509 {curve} -keyout ca.key -out ca.pem -subj /CN=ca -days 2".split())
    (folder / "ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
    for name in ("server", "tap-1", "far"):
        openssl(folder, *f"req {curve} -keyout {name}.key -out {name}.csr -subj /CN={name}".split())
        signing = f"x509 -req -in {name}.csr -out {name}.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
        openssl(folder, *signing.split(), "-extfile", "ext")
    (folder / "acl").write_text(ACL)
    lines = f"cafile {folder}/ca.pem\ncertfile {folder}/server.pem\nkeyfile {folder}/server.key\n"
    return Mosquitto(
        folder,
        f"acl_file {folder}/acl\n",
        f"{lines}require_certificate true\nuse_identity_as_username true\ntls_version tlsv1.2\n",
    )


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "broker", request.param)
    yield made
    made.end()


def pump(
    quiet: Session, speaker: Session, wanted: Callable[[list[object]], bool], within_s: float = 120.0
) -> list[object]:
    """Work both sessions until the first has seen enough."""
    seen: list[object] = []
    for _ in range(int(within_s / 0.02)):
        if wanted(seen):
            return seen
        if speaker is not quiet:
            speaker.step(0.01)
        seen.extend(quiet.step(0.01))
    pytest.fail(f"not seen: {seen}")


def carried(speaker: Session, topic: str, payload: bytes, quiet: Session) -> bool:
    """Publish until it arrives, as the courier does: a subscription may be on its way still."""
    for _ in range(40):
        speaker.publish(topic, payload)
        for _ in range(250):
            speaker.step(0.01)
            if Arrived(topic, payload, retained=False) in quiet.step(0.01):
                return True
    pytest.fail(f"{topic}: never arrived")


def test_the_version_is_what_the_broker_speaks(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    if place.kind.startswith("mosquitto"):  # on a busy machine it is not taken for an old one
        monkeypatch.setattr("agent.uplink.session.CONNACK_5_S", 60.0)
    assert place.session("tap-1").protocol == ("5" if place.kind in {"mosquitto-5", "mosquitto-tls-acl"} else "3.1.1")


def test_a_summary_of_full_size_goes_up_and_an_acknowledgement_comes_down(place: Place) -> None:
    tap, far = place.session("tap-1", f"{OURS}/down/#"), place.session("far", "wardtap/1/ward/tap-1/up/#")
    payload = bytes(range(256)) * (SUMMARY_BYTES // 256)
    assert carried(tap, f"{OURS}/up/summary", payload, far)
    assert carried(far, f"{OURS}/down/ack", b"stored", tap)
    until(tap, lambda _: tap.room == tap.settings.window)  # PUBACK came


def test_what_is_kept_is_there_for_who_comes_later(place: Place) -> None:
    tap = place.session("tap-1")
    tap.publish(f"{OURS}/up/birth", b"born", retain=True)
    until(tap, has(Published))
    far = place.session("far", f"{OURS}/up/birth")
    seen = pump(far, tap, lambda seen: any(isinstance(each, Arrived) for each in seen))
    assert Arrived(f"{OURS}/up/birth", b"born", retained=True) in seen


def test_who_vanishes_is_reported_lost(place: Place) -> None:
    far = place.session("far", f"{OURS}/up/state")
    tap = place.session("tap-1", will=(f"{OURS}/up/state", b"lost"))
    assert tap._client is not None
    tap._client._sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
    seen = pump(far, far, lambda seen: any(isinstance(each, Arrived) for each in seen))
    assert any(isinstance(each, Arrived) and each.payload == b"lost" for each in seen)


def test_who_says_goodbye_is_not(place: Place) -> None:
    far = place.session("far", f"{OURS}/up/#")
    tap = place.session("tap-1", will=(f"{OURS}/up/state", b"lost"))
    assert carried(tap, f"{OURS}/up/summary", b"last", far)
    tap.close()
    seen = [event for _ in range(40) for event in far.step(0.01)]
    assert not any(isinstance(each, Arrived) and each.payload == b"lost" for each in seen)


def test_a_broker_that_is_killed_is_found_again(place: Place) -> None:
    tap = place.session("tap-1", f"{OURS}/down/#")
    place.broker.kill()
    until(tap, has(LinkDown))
    place.broker.start()
    until(tap, has(LinkUp))
    assert carried(place.session("far"), f"{OURS}/down/ack", b"again", tap)


def test_threads_and_descriptors_stay_the_same_over_reconnects(place: Place) -> None:
    tap = place.session("tap-1", f"{OURS}/down/#", will=(f"{OURS}/up/state", b"lost"))
    rounds = RECONNECTS if place.kind != "amqtt" else 3  # it takes seconds to let the old link go
    gc.collect()  # what earlier tests left to it is not ours
    before = _open()
    for _ in range(rounds):
        assert tap._client is not None
        tap._client._sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
        until(tap, lambda seen: has(LinkDown)(seen) and has(LinkUp)(seen))
    assert all(now <= then for now, then in zip(_open(), before, strict=True))


def _open() -> tuple[int, int]:
    return threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - numbers, not paths


def test_the_acl_holds_for_a_tap(tmp_path: Path) -> None:
    guarded = Place(tmp_path / "broker", "mosquitto-tls-acl")
    try:
        far, tap = guarded.session("far", "wardtap/1/ward/+/up/#"), guarded.session("tap-1", f"{FOREIGN}/down/#")
        tap.publish(f"{FOREIGN}/up/summary", b"forged")
        far.publish(f"{FOREIGN}/down/ack", b"not for tap-1")
        tap.publish(f"{OURS}/up/summary", b"own")
        seen = pump(far, tap, lambda seen: any(isinstance(each, Arrived) for each in seen))
        assert [each.payload for each in seen if isinstance(each, Arrived)] == [b"own"]
        assert not [each for each in tap.step(0.2) if isinstance(each, Arrived)]
        bare = SessionSettings(parse_broker(f"mqtt://127.0.0.1:{guarded.broker.port}"), "tap-1", ("x",))
        assert not has(LinkUp)(until(Session(bare, SystemClock()), has(LinkDown)))
    finally:
        guarded.end()
