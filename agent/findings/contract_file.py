"""One contract file: text in, checked lines out. Refusals name file, line, key and the nearest right name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final, NamedTuple

from agent.devices.records import EdgeDirection, Scope
from agent.errors import ConfigError
from agent.kept_toml import Parse, parse_toml

LINES_MAX: Final = 200  # of one contract
TEXT_MAX: Final = 160  # characters of `what` and `source`
TIERS: Final = ("vital", "clinical", "support", "general", "none")

_PROTOCOLS: Final[dict[str, int]] = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "igmp": 2}
_DIRECTIONS: Final[dict[str, tuple[int, ...]]] = {
    "originates": (EdgeDirection.ORIGINATES,),
    "responds": (EdgeDirection.RESPONDS,),
    "both": (EdgeDirection.ORIGINATES, EdgeDirection.RESPONDS),
}
_SCOPES: Final[dict[str, tuple[int, ...]]] = {
    "segment": (Scope.SEGMENT,),
    "site": (Scope.SITE,),
    "local": (Scope.SEGMENT, Scope.SITE),
    "internet": (Scope.INTERNET,),
    "group": (Scope.MULTICAST, Scope.BROADCAST),
    "any": tuple(Scope),
}
_TOP: Final = ("role", "revision", "tier", "common", "heartbeat", "does", "never")
_LINE: Final = ("what", "direction", "peers", "protocol", "ports", "networks", "source", "verified")
_HEARTBEAT: Final = ("period_s", "protocol", "port", "source", "verified")
_RANGE: Final = re.compile(r"(\d{1,5})-(\d{1,5})")

Network = IPv4Network | IPv6Network


class Line(NamedTuple):
    """One thing a role does, or must never do."""

    what: str  # in plain words, lower case, no full stop
    directions: tuple[int, ...]  # EdgeDirection, from the device's side
    scopes: tuple[int, ...]  # Scope of the peer
    peer_roles: tuple[str, ...]  # or its role, when it is a device on the segment
    protocols: tuple[int, ...]
    ports: tuple[tuple[int, int], ...]  # of the responder, inclusive; empty: every port
    networks: tuple[Network, ...]  # public networks this line is for; then it allows nothing else
    source: str
    verified: bool  # the source was read, and says so

    def speaks(self, protocol: int, port: int, direction: int) -> bool:
        """Whether the line is about this service."""
        in_ports = not self.ports or any(low <= port <= high for low, high in self.ports)
        return direction in self.directions and protocol in self.protocols and in_ports


class Heartbeat(NamedTuple):
    """What a device of the role is expected to send again and again."""

    period_s: int
    protocol: int
    port: int
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Contract:
    """What one role does."""

    role: str
    revision: int
    tier: str
    common: bool  # the lines of `common.toml` hold too
    heartbeat: Heartbeat | None
    does: tuple[Line, ...]
    never: tuple[Line, ...]


def nearest(name: str, known: Sequence[str]) -> str:
    """`did you mean ...`, or the names there are."""
    import difflib  # noqa: PLC0415 - only a refusal needs it

    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"


def parse_contract(text: str, name: str, roles: Sequence[str], parse: Parse = parse_toml) -> Contract:
    """Check and read one file; `name` is its stem. Raises ConfigError."""
    return _Reader(text, name, roles, parse).contract()


class _Reader:
    """One file being read; knows where it is, so that a refusal can say so."""

    def __init__(self, text: str, name: str, roles: Sequence[str], parse: Parse) -> None:
        self._lines = text.splitlines()
        self._file = f"{name}.toml"
        self._name = name
        self._roles = roles
        try:
            self._data: dict[str, Any] = parse(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"is not TOML: {error}", where=self._file) from error

    def contract(self) -> Contract:
        """The whole file."""
        self._known(self._data, _TOP, "", 0)
        is_common = self._name == "common"
        role = self._data.get("role", "")
        if role != self._name:
            raise self._bad("role", "", 0, f"is {role!r}, the file is named {self._name!r}")
        tier = self._data.get("tier", "none" if is_common else "")
        if tier not in TIERS:
            raise self._bad("tier", "", 0, f"is {tier!r}", nearest(str(tier), TIERS))
        common = self._data.get("common", True)
        if not isinstance(common, bool):
            raise self._bad("common", "", 0, "is not true or false")
        never = self._table("never")
        if is_common and never:
            raise self._bad("never", "", 0, "belongs in a role's own contract")
        does = self._table("does")
        if not does:
            raise self._bad("does", "", 0, "needs at least one line")
        revision = self._integer(self._data, "revision", "", 0, (1, 1_000_000))
        return Contract(role, revision, tier, common, self._heartbeat(), does, never)

    def _table(self, table: str) -> tuple[Line, ...]:
        entries = self._data.get(table, [])
        if not isinstance(entries, list) or len(entries) > LINES_MAX or not all(isinstance(e, dict) for e in entries):
            raise self._bad(table, "", 0, f"is not a list of at most {LINES_MAX} tables [[{table}]]")
        return tuple(self._line(entry, table, index) for index, entry in enumerate(entries))

    def _line(self, entry: dict[str, Any], table: str, index: int) -> Line:
        self._known(entry, _LINE, table, index)
        scopes, peer_roles = self._peers(entry, table, index)
        protocols = tuple(
            self._choice(value, _PROTOCOLS, "protocol", table, index)
            for value in self._list(entry, "protocol", table, index)
        )
        networks = self._networks(entry, table, index)
        direction = self._choice(entry.get("direction"), _DIRECTIONS, "direction", table, index)
        verified = self._verified(entry, table, index)
        if table == "never" and not verified:
            raise self._bad("verified", table, index, 'must be "V": a never pages people, so its source must be read')
        return Line(
            what=self._text(entry, "what", table, index),
            directions=direction,
            scopes=scopes,
            peer_roles=peer_roles,
            protocols=protocols,
            ports=self._ports(entry, protocols, table, index),
            networks=networks,
            source=self._text(entry, "source", table, index),
            verified=verified,
        )

    def _peers(self, entry: dict[str, Any], table: str, index: int) -> tuple[tuple[int, ...], tuple[str, ...]]:
        scopes: list[int] = []
        peer_roles: list[str] = []
        for peer in self._list(entry, "peers", table, index):
            if peer in _SCOPES:
                scopes += _SCOPES[peer]
            elif peer in self._roles:
                peer_roles.append(peer)
            else:
                raise self._bad("peers", table, index, f"has {peer!r}", nearest(str(peer), [*_SCOPES, *self._roles]))
        return tuple(dict.fromkeys(scopes)), tuple(dict.fromkeys(peer_roles))

    def _ports(
        self, entry: dict[str, Any], protocols: tuple[int, ...], table: str, index: int
    ) -> tuple[tuple[int, int], ...]:
        if "ports" not in entry:
            return ()
        if not set(protocols) <= {6, 17}:
            raise self._bad("ports", table, index, "only TCP and UDP have ports")
        return tuple(self._port(value, table, index) for value in self._list(entry, "ports", table, index))

    def _port(self, value: object, table: str, index: int) -> tuple[int, int]:
        if isinstance(value, int) and not isinstance(value, bool):
            low = high = value
        elif isinstance(value, str) and (match := _RANGE.fullmatch(value)):
            low, high = int(match[1]), int(match[2])
        else:
            raise self._bad(
                "ports", table, index, f'has {value!r}, which is neither a port nor a range such as "80-90"'
            )
        if not 0 < low <= high <= 65535:
            raise self._bad("ports", table, index, f"has {value!r}; ports go from 1 to 65535")
        return low, high

    def _networks(self, entry: dict[str, Any], table: str, index: int) -> tuple[Network, ...]:
        if "networks" not in entry:
            return ()
        if table == "never":
            raise self._bad("networks", table, index, "belongs to lines of [[does]]")
        try:
            return tuple(ip_network(str(value)) for value in self._list(entry, "networks", table, index))
        except ValueError as error:
            raise self._bad("networks", table, index, str(error)) from error

    def _heartbeat(self) -> Heartbeat | None:
        entry = self._data.get("heartbeat")
        if entry is None:
            return None
        if not isinstance(entry, dict):
            raise self._bad("heartbeat", "", 0, "is not a table [heartbeat]")
        self._known(entry, _HEARTBEAT, "heartbeat", 0)
        return Heartbeat(
            self._integer(entry, "period_s", "heartbeat", 0, (1, 86_400)),
            self._choice(entry.get("protocol"), _PROTOCOLS, "protocol", "heartbeat", 0),
            self._integer(entry, "port", "heartbeat", 0, (1, 65535)),
            self._text(entry, "source", "heartbeat", 0),
            self._verified(entry, "heartbeat", 0),
        )

    def _verified(self, entry: dict[str, Any], table: str, index: int) -> bool:
        if entry.get("verified") not in ("V", "U"):
            raise self._bad("verified", table, index, 'is neither "V" (the source was read) nor "U" (it was not)')
        return bool(entry["verified"] == "V")

    def _text(self, entry: dict[str, Any], key: str, table: str, index: int) -> str:
        value = entry.get(key)
        if not isinstance(value, str) or not 0 < len(value) <= TEXT_MAX or not value.isprintable():
            raise self._bad(key, table, index, f"is not a plain text of 1 to {TEXT_MAX} characters")
        return value

    def _integer(self, entry: dict[str, Any], key: str, table: str, index: int, limits: tuple[int, int]) -> int:
        value = entry.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not limits[0] <= value <= limits[1]:
            raise self._bad(key, table, index, f"is not a whole number from {limits[0]} to {limits[1]}")
        return value

    def _list(self, entry: dict[str, Any], key: str, table: str, index: int) -> list[Any]:
        value = entry.get(key)
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not 0 < len(values) <= 64:
            raise self._bad(key, table, index, "is missing or empty")
        return values

    def _choice(self, value: object, choices: dict[str, Any], key: str, table: str, index: int) -> Any:
        if not isinstance(value, str) or value not in choices:
            raise self._bad(key, table, index, f"is {value!r}", nearest(str(value), list(choices)))
        return choices[value]

    def _known(self, entry: dict[str, Any], known: Sequence[str], table: str, index: int) -> None:
        for key in entry:
            if key not in known:
                raise self._bad(key, table, index, "is not a key here", nearest(key, known))

    def _bad(self, key: str, table: str, index: int, why: str, todo: str = "") -> ConfigError:
        name = f"{table}[{index + 1}].{key}" if table in ("does", "never") else f"{table}.{key}".lstrip(".")
        return ConfigError(why, where=f"{self._file}:{self._line_of(key, table, index)}: {name}", todo=todo)

    def _line_of(self, key: str, table: str, index: int) -> int:
        """The line of a key (tomllib does not tell), of its table when the key is missing, else 1."""
        here, seen, start = "", -1, 1
        for number, raw in enumerate(self._lines, 1):
            line = raw.strip()
            if line.startswith("["):
                here = line.strip("[] ")
                seen += here == table
                start = number if here == table and seen == index else start
            elif here == table and (not table or seen == index) and re.match(rf"\"?{re.escape(key)}\"?\s*=", line):
                return number
        return start
