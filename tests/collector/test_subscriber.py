import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from agent.clock import CaptureClock, SystemClock
from agent.collector.acks import Outgoing
from agent.collector.gate import BAD_BURST, Gate
from agent.collector.subscriber import PAYLOAD_MAX, BrokerSettings, Subscriber
from agent.errors import InputError, StateError
from tests.faults.conftest import eventually
from tests.simulators.broker import Mosquitto

pytestmark = pytest.mark.broker
UP = "wardtap/1/+/+/up/#"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    running = Mosquitto(tmp_path / "broker").start()
    yield running
    running.kill()


@pytest.fixture
def subscribe(broker: Mosquitto) -> Iterator[Callable[..., Subscriber]]:
    """Subscribers that are stopped at the end."""
    made: list[Subscriber] = []

    def start(*filters: str, client_id: str = "c") -> Subscriber:
        made.append(Subscriber(BrokerSettings(broker.url, filters or (UP,), client_id), SystemClock()))
        made[-1].start()
        assert made[-1].wait_connected(60), made[-1].last_error
        return made[-1]

    yield start
    for subscriber in made:
        subscriber.stop()


def say(broker: Mosquitto, *messages: tuple[str, bytes], qos: int = 1) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for topic, payload in messages:
        client.publish(topic, payload, qos=qos).wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


def test_messages_arrive_with_topic_payload_and_time(broker: Mosquitto, subscribe: Callable[..., Subscriber]) -> None:
    subscriber = subscribe()
    say(broker, ("wardtap/1/a/b/up/summary", b"one"), ("other/topic", b"no"), ("wardtap/1/a/b/up/gap", b"two"))
    arrivals = subscriber.take(10, 60)
    while len(arrivals) < 2:
        arrivals += subscriber.take(10, 60)
    assert [(arrival.topic[-7:], arrival.payload) for arrival in arrivals[:2]] == [
        ("summary", b"one"),
        ("/up/gap", b"two"),
    ]
    assert arrivals[0].received_ns > 1_600_000_000_000_000_000


def test_a_shared_subscription_splits_the_work(broker: Mosquitto, subscribe: Callable[..., Subscriber]) -> None:
    first, second = (subscribe(f"$share/wt/{UP}", client_id=name) for name in ("one", "two"))
    say(broker, *((f"wardtap/1/a/b{number}/up/summary", b"x") for number in range(20)))
    taken = [0, 0]
    for _ in range(1200):
        taken = [count + len(each.take(50, 0.05)) for count, each in zip(taken, (first, second), strict=True)]
        if sum(taken) >= 20:
            break
    assert sum(taken) == 20
    assert min(taken) > 0


def test_a_refused_topic_never_reaches_the_client(broker: Mosquitto) -> None:
    """At QoS 0 it is stepped over among the octets; at QoS 1 the broker wants its acknowledgement all the same."""
    bad, good = "wardtap/1/a/bad/up/summary", "wardtap/1/a/good/up/summary"
    gate, handed = Gate(CaptureClock(1)), list[str]()
    for _ in range(BAD_BURST):
        gate.refused(bad)
    subscriber = Subscriber(BrokerSettings(broker.url, (UP,), "c"), SystemClock(), gate)
    plain = subscriber._on_message
    subscriber._on_message = lambda c, u, m: (handed.append(m.topic), plain(c, u, m))[1]  # type: ignore[method-assign]
    subscriber.start()
    try:
        assert subscriber.wait_connected(60), subscriber.last_error
        say(broker, *((bad, b"x" * 300) for _ in range(30)), qos=0)
        say(broker, (bad, b"x"), (good, b"one"))
        assert [arrival.payload for arrival in subscriber.take(1, 60)] == [b"one"]
        assert eventually(lambda: subscriber.counts["not-verified-flood"] == 31)
        assert sorted(handed) == [bad, good], "of the bad ones only that at QoS 1"
    finally:
        subscriber.stop()


def test_it_finds_the_broker_again_after_a_kill(broker: Mosquitto, subscribe: Callable[..., Subscriber]) -> None:
    subscriber = subscribe()
    broker.kill()
    for _ in range(1200):
        if not subscriber.connected:
            break
        subscriber.take(1, 0.05)
    assert not subscriber.connected
    assert subscriber.publish([Outgoing("wardtap/1/a/b/down/ack", b"x", retain=False)]) == 0
    broker.start()
    assert subscriber.wait_connected(60)
    say(broker, ("wardtap/1/a/b/up/summary", b"again"))
    assert subscriber.take(1, 60)[0].payload == b"again"
    assert subscriber.counts["broker-disconnects"] >= 1


def test_what_is_published_reaches_the_other_side(broker: Mosquitto, subscribe: Callable[..., Subscriber]) -> None:
    listener, speaker = subscribe("wardtap/1/+/+/down/#", client_id="l"), subscribe(client_id="s")
    assert speaker.publish([Outgoing("wardtap/1/a/b/down/ack", b"ack", retain=False)]) == 1
    assert listener.take(1, 60)[0].payload == b"ack"


def test_a_message_that_is_too_large_or_one_too_many_is_counted(
    broker: Mosquitto, subscribe: Callable[..., Subscriber]
) -> None:
    subscriber = subscribe()
    subscriber.arrivals.maxsize = 3
    say(broker, ("wardtap/1/a/b/up/summary", bytes(PAYLOAD_MAX + 1)), *[("wardtap/1/a/b/up/summary", b"x")] * 5)
    assert eventually(lambda: subscriber.counts["not-taken-queue-full"] == 2)
    assert len(subscriber.take(10, 5)) == 3
    assert subscriber.counts["payload-too-large"] == 1
    assert subscriber.counts["not-taken-queue-full"] == 2


def test_a_broker_that_speaks_only_3_1_1_is_served(subscribe: Callable[..., Subscriber]) -> None:
    with _Old() as old:
        subscriber = Subscriber(BrokerSettings(f"mqtt://127.0.0.1:{old.port}", (UP,)), SystemClock())
        subscriber.start()
        try:
            assert subscriber.wait_connected(60), subscriber.last_error
            assert old.levels[:2] == [5, 4]
        finally:
            subscriber.stop()


class _Old:
    """A broker of memory that knows MQTT 3.1.1 only: another level is answered 0x01 (MQTT 3.1.1, 3.2.2.3)."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.levels: list[int] = []
        self.thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown(socket.SHUT_RDWR)
        self.thread.join(60)
        self.server.close()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self.server.accept()
            except OSError:
                return
            with peer:
                self._talk(peer)

    def _talk(self, peer: socket.socket) -> None:
        level = peer.recv(4096)[8]
        self.levels.append(level)
        if level != 4:
            peer.sendall(b"\x20\x02\x00\x01")
            return
        peer.sendall(b"\x20\x02\x00\x00")
        while packet := peer.recv(4096):
            if packet[0] >> 4 == 8:
                peer.sendall(b"\x90\x03" + packet[2:4] + b"\x01")


@pytest.mark.parametrize("url", ["http://x", "mqtt://", "mqtt://x:99999", "mqtt://x/path", "x"])
def test_what_is_no_broker_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(InputError):
        Subscriber(BrokerSettings(url, (UP,)), SystemClock())


def test_tls_files_that_cannot_be_used_are_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(StateError):
        Subscriber(BrokerSettings("mqtts://127.0.0.1", (UP,), ca=tmp_path / "nothing.pem"), SystemClock())


def test_a_broker_that_is_not_there_is_no_reason_to_end(tmp_path: Path) -> None:
    subscriber = Subscriber(BrokerSettings("mqtt://127.0.0.1:1", (UP,)), SystemClock())
    subscriber.start()
    assert eventually(lambda: "refused" in subscriber.last_error.lower())
    assert not subscriber.connected
    assert subscriber._thread.is_alive()
    subscriber.stop()
    assert not subscriber._thread.is_alive()
