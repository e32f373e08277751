"""One short conversation with the broker (the command line's only paho): connect, listen, say one thing, go."""

import queue
import ssl
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from agent import tls
from agent.errors import ConfigError, InputError, LinkError, StateError

PORTS = {"mqtt": 1883, "mqtts": 8883}
QUEUE_MAX = 1000
KEEPALIVE_S = 30


class Broker(NamedTuple):
    """Where it is, and how to prove who we are."""

    url: str
    client_id: str
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class Heard(NamedTuple):
    """A message as it came."""

    topic: str
    payload: bytes


class Session:
    """Connected and subscribed inside `with`; LinkError when the broker does not answer in time."""

    def __init__(self, broker: Broker, filters: Sequence[str], timeout_s: float) -> None:
        self._broker, self._filters, self._timeout_s = broker, tuple(filters), timeout_s
        self._host, self._port, guarded = _place(broker.url)
        self._context = _tls(broker) if guarded else None
        self._heard: queue.Queue[Heard] = queue.Queue(QUEUE_MAX)
        self._ready = threading.Event()
        self._refusal = ""
        self._client: mqtt.Client | None = None

    def __enter__(self) -> Self:
        """MQTT 5, and 3.1.1 for a broker that does not speak it."""
        for protocol in (MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311):
            if self._connect(protocol):
                return self
        raise LinkError(self._refusal or "the broker does not answer", where=self._broker.url)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave in order."""
        self._leave()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """QoS 1; a command is never retained, a configuration always. LinkError unless the broker takes it."""
        assert self._client is not None
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        try:
            info.wait_for_publish(self._timeout_s)
        except (RuntimeError, ValueError) as error:
            raise LinkError(f"the broker did not take it: {error}", where=self._broker.url) from error
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS or not info.is_published():
            raise LinkError("the broker did not take it", where=self._broker.url)

    def next(self, wait_s: float) -> Heard | None:
        """The next message, or None when none came in time."""
        try:
            return self._heard.get(timeout=max(0.0, wait_s))
        except queue.Empty:
            return None

    def _connect(self, protocol: MQTTProtocolVersion) -> bool:
        clean = None if protocol == MQTTProtocolVersion.MQTTv5 else True
        self._client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._broker.client_id,
            protocol=protocol,
            clean_session=clean,
            reconnect_on_failure=False,
        )
        if self._context is not None:
            client.tls_set_context(self._context)
        client.connect_timeout = self._timeout_s
        client.on_connect, client.on_subscribe, client.on_message = (
            self._on_connect,
            self._on_subscribe,
            self._on_message,
        )
        ended = threading.Event()
        client.on_disconnect = lambda *_: ended.set()
        try:
            client.connect(self._host, self._port, KEEPALIVE_S)
        except ssl.SSLError as error:
            raise LinkError(tls.reason(error), where=self._broker.url) from error
        except OSError as error:
            raise LinkError(error.strerror or str(error), where=self._broker.url) from error
        client.loop_start()
        for _ in range(round(self._timeout_s / 0.05)):
            if self._ready.wait(0.05):
                return True
            if ended.is_set():
                break
        self._leave()
        return False

    def _leave(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _on_connect(self, client: mqtt.Client, _u: Any, _f: Any, reason: Any, _p: Any = None) -> None:
        if reason.is_failure:
            self._refusal = f"the broker refuses: {reason}"
            return
        client.subscribe([(topic_filter, 1) for topic_filter in self._filters])

    def _on_subscribe(self, _client: mqtt.Client, _u: Any, _mid: int, reasons: Any, _p: Any = None) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refusal = "the broker does not grant the subscription"
            return
        self._ready.set()

    def _on_message(self, _client: mqtt.Client, _u: Any, message: mqtt.MQTTMessage) -> None:
        try:
            heard = Heard(message.topic, bytes(message.payload))
        except UnicodeDecodeError:
            return  # nothing of ours has such a topic
        if not self._heard.full():
            self._heard.put_nowait(heard)


def _place(url: str) -> tuple[str, int, bool]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise InputError(str(error), where=url) from error
    if parts.scheme not in PORTS or not parts.hostname or parts.path not in {"", "/"}:
        raise InputError("not a broker address", where=url, todo="mqtt://host:1883 or mqtts://host:8883")
    return parts.hostname, port or PORTS[parts.scheme], parts.scheme == "mqtts"


def _tls(broker: Broker) -> ssl.SSLContext:
    try:
        return tls.client_context(broker.ca, broker.certificate, broker.key)
    except ConfigError as error:
        raise StateError(error.what, where=error.where) from error
