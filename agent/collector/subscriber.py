"""The collector's narrow pipe to the broker (the only paho here): messages in, acknowledgements out.

paho's own reconnect loop can end without a word (eclipse/paho.mqtt.python 1 and 2: an exception in a callback); so one
thread owns the whole life of a connection, and whatever ends it - refusal, exception, silence - leads to the next try.
Correctness never depends on this file: what is lost here is sent again because it was not acknowledged.
"""

import queue
import random
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from agent import tls
from agent.clock import Clock
from agent.collector.acks import Outgoing
from agent.collector.gate import Gate
from agent.collector.records import Arrival
from agent.collector.sieve import Sieve
from agent.errors import ConfigError, InputError, StateError

QUEUE_MAX = 4096  # arrivals that wait for the store: at most 64 KiB each, in practice 10 MB
PAYLOAD_MAX = 256 * 1024  # what the shipped broker lets through; larger is refused unread
PACKET_MAX = 2 * PAYLOAD_MAX  # with any topic and properties; above it a packet is not even taken into memory
KEEPALIVE_S = 30
CONNECT_TIMEOUT_S = 10.0
RETRY_MAX_S = 60.0
COUNTS = ("broker-disconnects", "topic-not-text", "payload-too-large", "not-taken-queue-full", "not-verified-flood")
PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Where the broker is and how to prove who we are; `filters` may be shared subscriptions (`$share/group/...`)."""

    url: str
    filters: Sequence[str]
    client_id: str = "wardtap-collector"
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def place(self) -> tuple[str, int, bool]:
        """Host, port and whether TLS is used; InputError when the URL is not one of ours."""
        parts = urlsplit(self.url)
        try:
            port = parts.port
        except ValueError as error:
            raise InputError(str(error), where=self.url) from error
        if parts.scheme not in PORTS or not parts.hostname or parts.path not in {"", "/"}:
            raise InputError("not a broker address", where=self.url, todo="mqtt://host:1883 or mqtts://host:8883")
        return parts.hostname, port or PORTS[parts.scheme], parts.scheme == "mqtts"


class _Client(mqtt.Client):
    """paho's client behind a sieve. It has a place for this (it wraps its own socket where it speaks websocket)."""

    def __init__(self, wanted: Callable[[bytes, int], bool], **settings: Any) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, **settings)
        self._wanted = wanted

    def _create_socket(self) -> Any:
        return Sieve(super()._create_socket(), self._wanted)


class Subscriber:
    """A subscription that mends itself. `arrivals` is the queue of what came; `counts` what did not get that far."""

    def __init__(self, settings: BrokerSettings, clock: Clock, gate: Gate | None = None) -> None:
        self._settings, self._clock, self._gate = settings, clock, gate or Gate(clock)
        self._host, self._port, self._tls = settings.place()
        self._context = _tls_context(settings) if self._tls else None
        self.arrivals: queue.Queue[Arrival] = queue.Queue(QUEUE_MAX)
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))  # no new keys later: another thread copies it
        self.last_error = ""
        self._stop, self._connected = threading.Event(), threading.Event()
        self._client: mqtt.Client | None = None
        self._protocol = MQTTProtocolVersion.MQTTv5
        self._failures = 0
        self._random = random.Random()  # noqa: S311 - spreads reconnects, guards nothing
        self._thread = threading.Thread(target=self._run, name="subscriber", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def stop(self) -> None:
        """Disconnect in order."""
        self._stop.set()
        client = self._client
        if client is not None:
            client.disconnect()
        if self._thread.is_alive():
            self._thread.join(CONNECT_TIMEOUT_S + 5)

    @property
    def connected(self) -> bool:
        """Whether the broker has granted the subscription."""
        return self._connected.is_set()

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait until it has."""
        return self._connected.wait(timeout_s)

    def take(self, most: int, wait_s: float) -> list[Arrival]:
        """Up to `most` arrivals; waits for the first."""
        found: list[Arrival] = []
        try:
            found.append(self.arrivals.get(timeout=wait_s))
            while len(found) < most:
                found.append(self.arrivals.get_nowait())
        except queue.Empty:
            pass
        return found

    def publish(self, outgoing: Sequence[Outgoing]) -> int:
        """Hand over what fits now; returns how many. The rest is not kept: the agents will ask again."""
        client, sent = self._client, 0
        if client is None or not self.connected:
            return 0
        for topic, payload, retain in outgoing:
            info = client.publish(topic, payload, qos=1, retain=retain)
            sent += info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS
        return sent

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._live()
            except ssl.SSLError as error:
                self.last_error = tls.reason(error)
            except Exception as error:  # noqa: BLE001 - a thread that must not end; the error is shown and counted
                self.last_error = str(error) or type(error).__name__
            self._connected.clear()
            self._client = None
            self.counts["broker-disconnects"] += 1
            # Full jitter: a broker that comes back is not met by everybody at once.
            pause = self._random.uniform(0.2, min(RETRY_MAX_S, 1.0 * 2.0 ** min(self._failures, 10)))
            self._failures += 1
            self._stop.wait(pause)

    def _live(self) -> None:
        """One connection from birth to death."""
        self._client = client = self._make()
        granted: list[bool] = []

        def on_connect(_c: Any, _u: Any, _f: Any, reason: Any, _p: Any = None) -> None:
            granted.append(not reason.is_failure)
            if reason.is_failure or self._stop.is_set():
                self.last_error = f"the broker refuses: {reason}"
                client.disconnect()
                return
            client.subscribe([(topic_filter, 1) for topic_filter in self._settings.filters])

        client.on_connect = on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.connect(self._host, self._port, keepalive=KEEPALIVE_S)
        client.loop_forever(retry_first_connection=False)
        if granted != [True]:
            self._other_protocol()

    def _other_protocol(self) -> None:
        """MQTT 5 first; a broker that answers with a refusal or silence is offered 3.1.1, and the other way round."""
        five = self._protocol == MQTTProtocolVersion.MQTTv5
        self._protocol = MQTTProtocolVersion.MQTTv311 if five else MQTTProtocolVersion.MQTTv5

    def _make(self) -> mqtt.Client:
        clean = None if self._protocol == MQTTProtocolVersion.MQTTv5 else True
        client = _Client(
            self._wanted,
            client_id=self._settings.client_id,
            protocol=self._protocol,
            clean_session=clean,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_queued_messages_set(QUEUE_MAX)
        client.max_inflight_messages_set(100)
        if self._context is not None:
            client.tls_set_context(self._context)
        return client

    def _on_subscribe(
        self, client: mqtt.Client, _userdata: Any, _mid: int, reasons: Any, _properties: Any = None
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self.last_error = "the broker does not grant the subscription"
            client.disconnect()
            return
        self._failures, self.last_error = 0, ""
        self._connected.set()

    def _wanted(self, topic: bytes, octets: int) -> bool:
        """Before a packet is read: whether anybody will look at its message."""
        if octets > PACKET_MAX:
            self.counts["payload-too-large"] += 1
            return False
        if self._gate.admits(topic.decode("utf-8", "replace")):
            return True
        self.counts["not-verified-flood"] += 1  # an authentic one among them comes again from its spool
        return False

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self.counts["topic-not-text"] += 1
            return
        if len(message.payload) > PAYLOAD_MAX:
            self.counts["payload-too-large"] += 1
            return
        if not self._gate.admits(topic):
            self.counts["not-verified-flood"] += 1
            return
        try:
            self.arrivals.put_nowait(Arrival(topic, bytes(message.payload), self._clock.wall_ns()))
        except queue.Full:
            self.counts["not-taken-queue-full"] += 1  # not acknowledged, so it comes again


def _tls_context(settings: BrokerSettings) -> ssl.SSLContext:
    try:
        return tls.client_context(settings.ca, settings.certificate, settings.key)
    except ConfigError as error:
        raise StateError(error.what, where=error.where) from error
