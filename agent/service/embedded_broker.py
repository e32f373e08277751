"""The demo's embedded MQTT broker: amqtt, on loopback, clear, for a machine without mosquitto. Not for a ward."""

import asyncio
import contextlib
import logging
import signal
import sys

from amqtt.broker import Broker


async def _serve(port: int) -> None:
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    broker = Broker(config)
    await broker.start()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    with contextlib.suppress(Exception):  # it is being thrown away
        await broker.shutdown()


def main() -> int:
    """`python -m agent.service.embedded_broker PORT`: until SIGTERM."""
    logging.disable(logging.ERROR)  # a library's chatter is no part of the demo
    asyncio.run(_serve(int(sys.argv[1])))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
