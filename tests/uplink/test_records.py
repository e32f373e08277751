"""Addresses of brokers: what is understood, and what is refused."""

import pytest

from agent.errors import ConfigError
from agent.uplink.records import parse_broker


@pytest.mark.parametrize(
    "url", ["http://x", "mqtt://", "localhost", "mqtts://h:99999", "mqtt://u:p@h", "mqtt://h/topic", "mqtt://[::1"]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="broker"):
        parse_broker(url)


@pytest.mark.parametrize(
    ("url", "port", "tls", "loopback"), [("mqtts://h", 8883, True, False), ("mqtt://[::1]:7", 7, False, True)]
)
def test_addresses_are_understood(url: str, port: int, tls: bool, loopback: bool) -> None:
    address = parse_broker(url)
    assert (address.port, address.tls, address.loopback) == (port, tls, loopback)
