"""What 5.3 of the matrix asks of messages beside their octets: how they are carried, and numbers no honest tap has.

The octets themselves are `simulators/hostile.py`, judged in test_bad_input.py.
"""

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.clock import SystemClock
from agent.collector.intake import judge
from agent.collector.queries import counts
from agent.collector.records import Arrival, Batch, Refusal
from agent.collector.store.reader import reading
from agent.collector.store.writer import Store
from agent.collector.subscriber import PAYLOAD_MAX, BrokerSettings, Subscriber
from agent.collector.taps import taps
from agent.signing.envelope import seal
from agent.wire.presence import UplinkReport
from agent.wire.summary import Card
from agent.wire.types import MessageType
from tests.collector.conftest import batch_of
from tests.faults.conftest import eventually
from tests.simulators.broker import Mosquitto
from tests.simulators.reporter import MONITOR, START_NS, Reporter, cards, trust_of

UP = "wardtap/1/+/+/up/#"
MILLION = 1_000_000
Say = Callable[..., None]


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[tuple[Mosquitto, Subscriber]]:
    """A broker as it comes, which lets through what the shipped one would not, and who listens there."""
    broker = Mosquitto(tmp_path / "broker").start()
    subscriber = Subscriber(BrokerSettings(broker.url, (UP,)), SystemClock())
    subscriber.start()
    assert subscriber.wait_connected(60)
    yield broker, subscriber
    subscriber.stop()
    broker.kill()


def odd_properties() -> Properties:
    """A thousand user properties and a content type that is a lie: nothing of ours looks at either."""
    made = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    made.UserProperty = [(f"name-{number}", "x" * 20) for number in range(1000)]
    made.ContentType = "text/html; charset=<script>"
    return made


def publish(broker: Mosquitto, topic: str, payload: bytes) -> int:
    """The same message in every way that MQTT has; how often."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    ways = [(0, False, None), (1, False, None), (2, False, None), (1, True, None), (1, False, odd_properties())]
    for qos, retain, properties in ways:
        client.publish(topic, payload, qos, retain, properties).wait_for_publish(60)
    client.publish(topic, bytes(PAYLOAD_MAX + 1), 1).wait_for_publish(60)
    client.disconnect()
    client.loop_stop()
    return len(ways)


@pytest.mark.broker
def test_how_a_message_is_carried_changes_nothing(collector: tuple[Mosquitto, Subscriber], tmp_path: Path) -> None:
    """QoS 0 and 2, retained, user properties, another content type: stored once. One octet too much: counted."""
    broker, subscriber = collector
    tap, store = Reporter(), Store.open(tmp_path / "store")
    ways, arrivals = publish(broker, *tap.summary()), list[Arrival]()

    def all_came() -> bool:
        arrivals.extend(subscriber.take(64, 0.05))
        return len(arrivals) >= ways and subscriber.counts["payload-too-large"] == 1

    assert eventually(all_came)
    store.commit(batch_of([judge(arrival, trust_of(tap)) for arrival in arrivals]))
    store.close()
    with reading(tmp_path / "store") as reader:
        books = counts(reader)
    assert (books["stored"], books["duplicates"], books["refusals"]) == (1, ways - 1, {})


TOPICS = {"#": b"wardtap/1/#", "+": b"wardtap/1/+/tap-1/up/summary", "NUL": b"wardtap/1/ward/tap-1/up/sum\0mary"}


@pytest.mark.broker
@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_that_mqtt_forbids_ends_its_sender_s_link(collector: tuple[Mosquitto, Subscriber], name: str) -> None:
    """Written by hand, since no client library sends it; the collector never sees it and goes on."""
    broker, subscriber = collector
    with socket.create_connection(("127.0.0.1", broker.port), timeout=60) as link:
        link.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x")
        assert link.recv(64) == b"\x20\x02\x00\x00"
        body = len(TOPICS[name]).to_bytes(2) + TOPICS[name] + b"payload"
        link.sendall(b"\x30" + bytes([len(body)]) + body)
        with contextlib.suppress(ConnectionError):
            assert link.recv(64) == b""
    assert subscriber.take(1, 0.1) == []
    assert subscriber.connected


@pytest.fixture
def tap() -> Reporter:
    return Reporter()


@pytest.fixture
def deliver(tap: Reporter, tmp_path: Path) -> Iterator[Say]:
    """Judge and commit one after the other, as they come."""
    store, trust = Store.open(tmp_path / "store"), trust_of(tap)

    def say(*messages: tuple[str, bytes]) -> None:
        for message in messages:
            verdict = judge(Arrival(*message, START_NS), trust)
            store.commit(Batch(refusals=[verdict]) if isinstance(verdict, Refusal) else batch_of([verdict]))

    yield say
    store.close()


def page(folder: Path) -> dict[str, object]:
    """What is shown of the tap."""
    with reading(folder / "store") as reader:
        (found,) = taps(reader)
        return found


def test_a_number_that_skips_a_million_is_awaited_and_not_allocated(
    tap: Reporter, deliver: Say, tmp_path: Path
) -> None:
    first = tap.summary()
    tap.chain.seq += MILLION
    deliver(first, tap.summary())
    (stream,) = page(tmp_path)["streams"]  # type: ignore[misc]
    assert (stream["stored"], stream["waiting"], stream["lost"]) == (2, MILLION, 0)


def test_numbers_that_go_back_are_kept_beside_and_page(tap: Reporter, deliver: Say, tmp_path: Path) -> None:
    deliver(tap.summary(), tap.summary())
    tap.chain.seq, tap.chain.prev = 0, bytes(32)
    deliver(tap.finding(), tap.finding())
    told = page(tmp_path)
    assert told["conflicts"] == 2
    with reading(tmp_path / "store") as reader:
        (found,) = reader.rows("SELECT severity, sentence FROM findings WHERE cause LIKE 'equivocation/%'")
    assert found["severity"] == "page"
    assert "two different records under one number" in found["sentence"]


def test_a_boot_that_comes_back_with_a_new_run_is_a_run_like_any_other(
    tap: Reporter, deliver: Say, tmp_path: Path
) -> None:
    """A boot id is no key: nothing is folded under it and nothing is refused for it."""
    deliver(tap.summary())
    before, last, boot = tap.chain.run, tap.chain.seq, tap.boot
    tap.boot = bytes(16)
    tap.chain = tap.new_chain(before, last)
    deliver(tap.summary())
    tap.boot, before = boot, tap.chain.run
    tap.chain = tap.new_chain(before, 1)
    deliver(tap.summary())
    told = page(tmp_path)
    assert [stream["stored"] for stream in told["streams"]] == [1, 1, 1]  # type: ignore[attr-defined]
    assert (told["conflicts"], told["refusals"]) == (0, {})


def test_an_epoch_that_was_never_rung_is_words_of_a_tap(tap: Reporter, deliver: Say, tmp_path: Path) -> None:
    """Stored as what the tap says; the bells that were rung stay as they are."""
    chain = tap.new_chain(stream="uplink")
    report = UplinkReport(epoch=b"f" * 16, epoch_mono_ns=2**62)
    deliver(tap.sealed(MessageType.UPLINK, report.to_content(), chain))
    with reading(tmp_path / "store") as reader:
        assert reader.rows("SELECT count(*) AS n FROM epochs")[0]["n"] == 0
        assert counts(reader)["stored"] == 1


def test_an_ipv4_address_in_ipv6_s_clothes_is_shown_as_what_came(tap: Reporter, deliver: Say, tmp_path: Path) -> None:
    mapped = bytes(10) + b"\xff\xff" + bytes([10, 20, 0, 11])
    monitor = Card(2, MONITOR, 20, "patient-monitor", 880, addresses=(mapped,))
    deliver(tap.summary(cards=(cards()[0], monitor)))
    with reading(tmp_path / "store") as reader:
        (row,) = reader.rows("SELECT addresses FROM devices WHERE mac=?", (MONITOR,))
    assert "ffff" in row["addresses"]


def test_sums_of_counters_stay_whole_numbers_whatever_a_tap_counts(tap: Reporter, deliver: Say, tmp_path: Path) -> None:
    """The most that a summary may say, twenty times over, and then less than before."""
    most = 2**48 - 1
    for _ in range(20):
        deliver(tap.summary(processed=most))
    deliver(tap.summary(processed=1))
    assert page(tmp_path)["processed"] == 20 * most + 1


def test_what_is_refused_is_shown_by_its_reason_at_the_tap(tap: Reporter, deliver: Say, tmp_path: Path) -> None:
    topic, envelope = tap.summary()
    deliver((topic, envelope))
    cut = seal(MessageType.SUMMARY, b"\x01x", [tap.key])
    deliver((topic, envelope[:-1] + bytes([envelope[-1] ^ 1])), (topic, cut), (topic, cut))
    assert page(tmp_path)["refusals"] == {"bad-encoding": 2, "bad-signature": 1}
