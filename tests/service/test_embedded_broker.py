"""The demo's broker for machines without mosquitto: a message goes through it, and SIGTERM ends it quietly."""

import signal
import subprocess
import sys
import threading

import pytest

from agent.service.programs import answers, environment, free_port
from tests.faults.conftest import eventually

pytest.importorskip("amqtt", reason="the demo extra is not installed")


def test_a_message_goes_through() -> None:
    from paho.mqtt.client import CallbackAPIVersion, Client, MQTTMessage  # noqa: PLC0415 - a client of its own

    port, heard = free_port(), threading.Event()
    command = [sys.executable, "-m", "agent.service.embedded_broker", str(port)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as broker:
        try:
            assert eventually(lambda: answers(port))
            client = Client(CallbackAPIVersion.VERSION2)

            def on_message(_client: Client, _data: object, message: MQTTMessage) -> None:
                if message.payload == b"hello":
                    heard.set()

            client.on_message = on_message
            client.connect("127.0.0.1", port)
            client.loop_start()
            client.subscribe("ward/#", 1)

            def told() -> bool:
                client.publish("ward/a", b"hello", 1)
                return heard.wait(0.5)

            assert eventually(told)
            client.disconnect()
            client.loop_stop()
        finally:
            broker.send_signal(signal.SIGTERM)
            out, err = broker.communicate(timeout=60)
    assert (broker.returncode, out, err) == (0, b"", b"")
