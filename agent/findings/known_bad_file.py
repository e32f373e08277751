"""The shipped list of addresses that no device should contact: `known-bad.toml` beside the contracts.

version = "2026-11"
[[network]]
network = "202.114.4.0/24"
what = "..."      # in plain words, as a sentence goes on after a colon
source = "..."
"""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final, NamedTuple

from agent.errors import ConfigError
from agent.kept_toml import Parse, parse_toml

NETWORKS_MAX: Final = 256  # compared one by one with every peer
TEXT_MAX: Final = 200
_WHERE: Final = "known-bad.toml"
_KEYS: Final = {"network", "what", "source"}
_MAPPED: Final = 0xFFFF << 32
_LOW: Final = (1 << 64) - 1


class KnownBad(NamedTuple):
    """One network, and why."""

    network: IPv4Network | IPv6Network
    what: str
    source: str

    def masked(self) -> tuple[int, int, int, int]:
        """Its addresses as the kernel compares them: (hi, lo, mask hi, mask lo), IPv4 mapped."""
        base, bits = int(self.network.network_address), self.network.prefixlen
        if self.network.version == 4:
            base, bits = base | _MAPPED, bits + 96
        mask = ((1 << bits) - 1) << (128 - bits)
        return base >> 64, base & _LOW, mask >> 64, mask & _LOW


def parse_known_bad(text: str, parse: Parse = parse_toml) -> tuple[KnownBad, ...]:
    """Read the list. Raises ConfigError."""
    try:
        data = parse(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"is not TOML: {error}", where=_WHERE) from error
    networks = data.get("network", [])
    if set(data) != {"version", "network"} or not isinstance(networks, list) or len(networks) > NETWORKS_MAX:
        raise ConfigError(f"needs exactly `version` and at most {NETWORKS_MAX} [[network]]", where=_WHERE)
    return tuple(_entry(entry, number) for number, entry in enumerate(networks, 1))


def _entry(entry: Any, number: int) -> KnownBad:
    where = f"{_WHERE}: network[{number}]"
    if not isinstance(entry, dict) or set(entry) != _KEYS:
        raise ConfigError("needs exactly network, what and source", where=where)
    what, source = entry["what"], entry["source"]
    if not all(isinstance(t, str) and 0 < len(t) <= TEXT_MAX and t.isprintable() for t in (what, source)):
        raise ConfigError(f"what and source are plain texts of at most {TEXT_MAX} characters", where=where)
    try:
        return KnownBad(ip_network(str(entry["network"])), what, source)
    except ValueError as error:
        raise ConfigError(str(error), where=where) from error
