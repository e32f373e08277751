"""The MQTT session: the appliance's only paho, used as a narrow pipe without a thread.

`step` is the whole engine: it connects when that is due, moves octets, and returns what happened. So there is no loop
thread that could die silently (paho issue 692), no queue larger than the window (paho's default is unlimited memory),
and no reconnect that hammers (paho has no jitter). Each connection has a client of its own: what the last one had in
flight is the courier's business, not paho's.
"""

import errno
import math
import random
import ssl
from collections import deque
from hashlib import sha256
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent import tls
from agent.clock import NS_PER_S, Clock
from agent.uplink.records import (
    KEEPALIVE_S,
    Arrived,
    BrokerAddress,
    Event,
    LinkDown,
    LinkUp,
    Published,
    SessionSettings,
    TlsFiles,
)

SESSION_EXPIRY_S = 3600  # the broker keeps commands this long for an agent that is away; they name a boot anyway
INCOMING_BYTES_MAX = 128 * 1024  # the largest message to an agent is a configuration of 64 KiB
BURST_MAX = 64  # packets read in one step, so that a flood cannot keep us from sending
VERSIONS = (mqtt.MQTTv5, mqtt.MQTTv311)  # MQTT 5 first
QOS = 1
CONNACK_5_S = 3.0  # some 3.1.1 brokers (amqtt) wait for ever after an MQTT 5 CONNECT that they misread
CONNACK_S = 10.0
AWAY_MAX_S = 5.0  # between tries while no network leads to the broker: back-off spares a broker, and none is asked
FLAPS, FLAPS_WITHIN_S = 5, 60.0  # so many links in so short a time are more than one that is bad
_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ETIMEDOUT})


class Session:
    """One agent's link. Not for several threads."""

    def __init__(self, settings: SessionSettings, clock: Clock) -> None:
        """ConfigError when the TLS files cannot be used."""
        self.settings, self._clock = settings, clock
        self._tls = tls_context(settings.tls) if settings.broker.tls else None
        seed = sha256(settings.client_id.encode()).digest()  # a thousand taps spread, each tap repeats its own tests
        self._random = random.Random(seed)  # noqa: S311 - jitter, not a secret
        self._client: mqtt.Client | None = None
        self._brokers, self._at = (settings.broker, *settings.spares), 0
        self._version = 0  # index into VERSIONS
        self._failures = 0
        self._next_try_ns = clock.mono_ns()
        self._deadline_ns = 0  # for CONNACK
        self._events: list[Event] = []
        self._waiting: set[int] = set()
        self._heard_ns = 0  # when the broker answered last, or was first asked for what it owes
        self._overdue = False  # its answer was, at the end of the last step
        self._ups_ns: deque[int] = deque(maxlen=FLAPS)
        self.connected = False
        self.last_problem = ""

    @property
    def room(self) -> int:
        """How many more messages the pipe takes now."""
        return self.settings.window - len(self._waiting) if self.connected else 0

    @property
    def broker(self) -> BrokerAddress:
        """The one that is connected to, or tried."""
        return self._brokers[self._at]

    @property
    def protocol(self) -> str:
        """What is spoken: `5` or `3.1.1`."""
        return "5" if VERSIONS[self._version] == mqtt.MQTTv5 else "3.1.1"

    def step(self, timeout_s: float) -> list[Event]:
        """Let the link work for at most `timeout_s` (longer only while connecting); what happened, in order."""
        if self._client is None:
            wait_s = (self._next_try_ns - self._clock.mono_ns()) / NS_PER_S
            if wait_s > 0:
                self._clock.sleep(min(wait_s, timeout_s))
                return self._drain()
            self._connect()
            return self._drain()
        self._move(timeout_s)
        if self._client is not None and not self.connected and self._clock.mono_ns() > self._deadline_ns:
            self._fail("the broker does not answer CONNECT")
        # paho sends a ping when nothing came for the keepalive, and waits for as long again: a wire that swallows
        # everything would cost twice that although records lie there unanswered.
        # At the end of two steps: who was paused for so long finds the answer in the next one.
        overdue = bool(self._waiting) and self._clock.mono_ns() - self._heard_ns >= KEEPALIVE_S * NS_PER_S
        if overdue and self._overdue:
            self._fail(f"the broker has acknowledged nothing for {KEEPALIVE_S} s")
        self._overdue = overdue
        return self._drain()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        """Hand over at QoS 1; a token that `Published` will name, None when there is no room."""
        if self._client is None or self.room <= 0:
            return None
        info = self._client.publish(topic, payload, QOS, retain)
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            return None
        if not self._waiting:
            self._heard_ns = self._clock.mono_ns()
        self._waiting.add(info.mid)
        return info.mid

    def close(self) -> None:
        """Say goodbye (so no will) and let go."""
        client, self._client, self.connected = self._client, None, False
        if client is not None:
            client.on_disconnect = None
            client.disconnect()

    def _connect(self) -> None:
        settings = self.settings
        version = VERSIONS[self._version]
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            clean_session=False if version == mqtt.MQTTv311 else None,
            protocol=version,
            reconnect_on_failure=False,
        )
        client.connect_timeout = settings.connect_timeout_s
        client.max_inflight_messages_set(settings.window)
        client.max_queued_messages_set(settings.window)
        if settings.will:
            client.will_set(*settings.will, qos=QOS, retain=True)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_publish, client.on_message = self._on_publish, self._on_message
        self._client = client
        patience_s = min(settings.connect_timeout_s, CONNACK_5_S if version == mqtt.MQTTv5 else CONNACK_S)
        try:
            if version == mqtt.MQTTv5:
                properties = _connect_properties()
                client.connect(*self._place(), KEEPALIVE_S, clean_start=False, properties=properties)
            else:
                client.connect(*self._place(), KEEPALIVE_S)
            self._deadline_ns = self._clock.mono_ns() + int(patience_s * NS_PER_S)
        except ssl.SSLError as error:
            self._fail(tls.reason(error), spoke=True)
        except (OSError, ValueError) as error:
            self._fail(str(error), spoke=True, away=_is_away(error))

    def _place(self) -> tuple[str, int]:
        return self.broker.host, self.broker.port

    def _move(self, timeout_s: float) -> None:
        wait_s = timeout_s
        for _ in range(BURST_MAX):
            client, before = self._client, len(self._events)
            if client is None:
                return
            try:
                code = client.loop(wait_s)
            except Exception as error:  # noqa: BLE001 - a hostile broker may find a bug in paho
                self._fail(f"{type(error).__name__} in the MQTT library: {error}")
                return
            if self._client is not client:
                return  # it told us of its end already; twice would be two failures, and the version tried anew
            if code != mqtt.MQTT_ERR_SUCCESS:
                self._fail(mqtt.error_string(code))
                return
            if client._in_packet["to_process"] > INCOMING_BYTES_MAX:  # noqa: SLF001 - paho would buffer 256 MiB
                self._fail("the broker sends a message larger than any of ours")
                return
            if len(self._events) == before:
                return
            wait_s = 0.0

    def _fail(self, reason: str, *, spoke: bool = False, away: bool = False) -> None:
        """The link is gone; when to try again, and in which version (`spoke`: the version was not the problem).

        `away`: no network led to the broker.
        """
        client, self._client = self._client, None
        was_connected, self.connected = self.connected, False
        self._waiting.clear()
        if client is not None:
            client.on_disconnect = None
            client.disconnect()
        if not was_connected and not spoke:
            self._version = (self._version + 1) % len(VERSIONS)
        if was_connected or spoke or not self._version:  # the other version was tried there too
            self._at = (self._at + 1) % len(self._brokers)
        self._failures = 1 if was_connected else self._failures + 1
        delay_s = self.reconnect_delay_s(self._failures, AWAY_MAX_S if away else math.inf)
        if self._version and not was_connected and not spoke and self._failures == 1:
            delay_s = 0.0  # an old broker answers the first 3.1.1 at once
        self._next_try_ns = self._clock.mono_ns() + int(delay_s * NS_PER_S)
        self.last_problem = reason
        self._events.append(LinkDown(reason))

    def reconnect_delay_s(self, failures: int, most_s: float = math.inf) -> float:
        """Full jitter between the minimum and twice as much per failure, up to the maximum."""
        low, high = self.settings.reconnect_min_s, min(self.settings.reconnect_max_s, most_s)
        return self._random.uniform(low, max(low, min(high, low * 2.0 ** min(failures, 16))))

    def _drain(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if client is not self._client:
            return
        if reason.is_failure:
            self._fail(f"the broker refuses us: {reason}", spoke="protocol" not in str(reason).lower())
            return
        self.connected, self._failures = True, 0
        self._ups_ns.append(self._clock.mono_ns())
        # as published: without it a broker hides from a subscriber that is there that a command was retained
        if VERSIONS[self._version] == mqtt.MQTTv5:
            options = SubscribeOptions(QOS, retainAsPublished=True)
            client.subscribe([(topic, options) for topic in self.settings.subscriptions])
        else:
            client.subscribe([(topic, QOS) for topic in self.settings.subscriptions])
        self._events.append(LinkUp())

    def _on_disconnect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if client is self._client:
            self._fail(f"the link ended: {reason}{self._flaps()}")

    def _flaps(self) -> str:
        """What a link that ends again and again may mean: a broker throws one out when another comes with its name.

        It says so in MQTT 5, but mostly closes before that is read.
        """
        if len(self._ups_ns) < FLAPS or self._ups_ns[-1] - self._ups_ns[0] > FLAPS_WITHIN_S * NS_PER_S:
            return ""
        return f", {FLAPS} times within a minute; another client may use our name: is our storage in two boxes?"

    def _on_publish(self, client: mqtt.Client, _data: Any, token: int, reason: Any, _properties: Any) -> None:
        if client is self._client:
            self._heard_ns = self._clock.mono_ns()
            self._waiting.discard(token)
            self._events.append(Published(token, bool(reason.is_failure)))

    def _on_message(self, client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if client is not self._client:
            return
        self._heard_ns = self._clock.mono_ns()
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        self._events.append(Arrived(topic, bytes(message.payload), bool(message.retain)))


def _is_away(error: Exception) -> bool:
    """Whether nobody answered at all: no route, no name server, no answer to the first packet of a connection."""
    name_server = type(error).__name__ == "gaierror"  # the module `socket` is not ours to import
    return name_server or str(error) == "timed out" or getattr(error, "errno", None) in _NO_WAY


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """As `agent.tls.client_context`."""
    return tls.client_context(files.ca, files.certificate, files.key)


def _connect_properties() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_EXPIRY_S
    properties.MaximumPacketSize = INCOMING_BYTES_MAX
    return properties
