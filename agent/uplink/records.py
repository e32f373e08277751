"""What passes between the session and whoever drives it, and how it is set up."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from agent.errors import ConfigError

PORTS = {"mqtt": 1883, "mqtts": 8883}
KEEPALIVE_S = 30  # a dead peer is noticed within it while something waits for an answer, else within twice that
CONNECT_TIMEOUT_S = 10.0
RECONNECT_MIN_S, RECONNECT_MAX_S = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and whether TLS guards the way."""

    host: str
    port: int
    tls: bool

    @property
    def loopback(self) -> bool:
        """Whether nothing leaves this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_broker(url: str) -> BrokerAddress:
    """From `mqtts://host[:port]` or `mqtt://host[:port]`; ConfigError says what is wrong with it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError(f"{url!r} is no broker address: {error}", where="uplink.broker") from error
    if parts.scheme not in PORTS or not host:
        raise ConfigError(f"{url!r} is no broker address", where="uplink.broker", todo="mqtts://host:8883")
    if parts.username or parts.password or parts.path.strip("/") or parts.query:
        raise ConfigError("a broker address has only a host and a port", where="uplink.broker")
    return BrokerAddress(host, port or PORTS[parts.scheme], parts.scheme == "mqtts")


def parse_brokers(url: str) -> tuple[BrokerAddress, ...]:
    """From `mqtts://host[:port],host[:port],...`: the members of one cluster, in the order in which they are tried."""
    scheme, _, hosts = url.partition("://")
    return tuple(parse_broker(f"{scheme}://{host}") for host in hosts.split(","))


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the CAs that may vouch for the broker (None: the system's), and our own certificate."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """One client's way to its broker. `will` is published by the broker, retained, when we vanish.

    `spares` are other members of the broker's cluster, tried in turn when the one before them fails.
    """

    broker: BrokerAddress
    client_id: str
    subscriptions: tuple[str, ...]
    will: tuple[str, bytes] | None = None
    tls: TlsFiles = field(default_factory=TlsFiles)
    window: int = 20
    reconnect_min_s: float = RECONNECT_MIN_S
    reconnect_max_s: float = RECONNECT_MAX_S
    connect_timeout_s: float = CONNECT_TIMEOUT_S
    spares: tuple[BrokerAddress, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The broker took us in and our subscriptions are on their way."""


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The link is gone, or could not be made; `reason` is for a person."""

    reason: str


@dataclass(frozen=True, slots=True)
class Published:
    """The broker has a message (PUBACK). It says nothing about the collector."""

    token: int
    refused: bool


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message came in; nothing about it is verified."""

    topic: str
    payload: bytes
    retained: bool


Event = LinkUp | LinkDown | Published | Arrived


@dataclass(frozen=True, slots=True)
class FlightKey:
    """Which record: one (stream, run, seq)."""

    stream: str
    run: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A sealed record on its way to a topic leaf."""

    key: FlightKey
    leaf: str
    envelope: bytes
