"""A tap of memory at a real broker: it is born when told to, takes one kind of order and answers with receipts."""

import threading
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from agent.signing.envelope import open_envelope
from agent.signing.roster import Trust
from agent.wire import body, topics
from agent.wire.command import Receipt
from agent.wire.types import MessageType
from tests.simulators.reporter import Reporter

BUSY_S = 60  # what a busy machine may take for anything


class AnsweringTap:
    """`states` is what it says to each order, `reason` and `result` what goes with them."""

    kind: MessageType
    leaf: str

    def __init__(self, reporter: Reporter, trust: Trust, port: int) -> None:
        self.reporter, self.trust = reporter, trust
        self.states, self.reason = ["accepted", "done"], ""
        self.result: dict[str, Any] = {}
        self.topic = topics.down(reporter.site, reporter.agent, self.leaf)
        self._uplink = reporter.new_chain(stream="uplink")
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._on_message
        ready = threading.Event()
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_connect = lambda client, *_: client.subscribe(self.topic, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert ready.wait(BUSY_S)

    def take(self, octets: bytes, content: dict[str, Any]) -> list[Receipt]:
        """What it answers to an order."""
        raise NotImplementedError

    def be_born(self) -> None:
        """Say who it is, and have the broker keep it."""
        self.keep(*self.reporter.birth())

    def keep(self, topic: str, payload: bytes) -> None:
        """At the broker."""
        self.client.publish(topic, payload, 1, retain=True).wait_for_publish(BUSY_S)

    def _on_message(self, client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        opened = open_envelope(bytes(message.payload), self.trust, expect=(self.kind,))
        for receipt in self.take(opened.body, body.decode(opened.type, opened.body)[1]):
            client.publish(*self.reporter.sealed(MessageType.RECEIPT, receipt.to_content(), self._uplink), 1)

    def stop(self) -> None:
        """Leave."""
        self.client.disconnect()
        self.client.loop_stop()
