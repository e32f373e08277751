"""`suppressions.toml` of a site's signed pack: what somebody has explained, work on devices, and declared windows.

version = "1"
[[suppression]]
id = "contract-breach"
device = "00:03:b1:6a:0f:58"     # or role = "infusion-pump", which needs a peer or a port beside it
peer = "10.1.1.0/24"             # an address, a network or a MAC address
protocol = "tcp"
port = 22
severity = "page"                # the gravest that is held back: that of the finding it was made from
start = "2026-11-24T00:00:00Z"
until = "2026-12-24T00:00:00Z"   # a year at most
owner = "biomedical engineering, R. Okafor"
why = "service laptop of the maker, ticket 4711"
[[maintenance]]                  # device, start, until (a week at most), owner, why
[[window]]                       # role or "*", start, until (a week at most), owner, why
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Any, Final

from agent.errors import ConfigError
from agent.findings.catalogue import CATALOGUE
from agent.findings.records import Severity
from agent.findings.settings import CHANGE_WINDOWS_MAX, ChangeWindow
from agent.findings.suppressions import CONTROLS, RULES_MAX, Explained, Suppression
from agent.findings.words import NS_PER_S, PROTOCOLS
from agent.kept_toml import Parse, parse_toml

SUPPRESSIONS: Final = "suppressions.toml"
FILE_MAX_BYTES: Final = 256 * 1024
TEXT_MAX: Final = 120
SUPPRESSION_NS_MAX: Final = 366 * 86_400 * NS_PER_S  # whoever still means it in a year says so again
WORK_NS_MAX: Final = 7 * 86_400 * NS_PER_S  # what takes longer is no work but the way it is
_NUMBERS: Final = {name: number for number, name in PROTOCOLS.items()}


class _Row:
    """One table of the file, read key by key; what is left over is no key of ours."""

    def __init__(self, where: str, table: object) -> None:
        if not isinstance(table, dict):
            raise ConfigError("is no table", where=where)
        self.where = where
        self._left = dict(table)

    def text(self, key: str, default: str | None = None) -> str:
        """A plain text."""
        value = self._left.pop(key, default)
        if not isinstance(value, str) or len(value) > TEXT_MAX or not value.isprintable():
            raise self.fault(f"{key} is a plain text of at most {TEXT_MAX} characters")
        if not value and default is None:
            raise self.fault(f"{key} is missing")
        return value

    def number(self, key: str, most: int) -> int:
        """A whole number from 1 on, or 0 when it is not there."""
        value = self._left.pop(key, 0)
        if type(value) is not int or not 0 <= value <= most:
            raise self.fault(f"{key} is a number up to {most}")
        return value

    def time_ns(self, key: str) -> int:
        """A time in UTC, nanoseconds since 1970."""
        text = self.text(key)
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            time = None
        if time is None or time.tzinfo is None or time.timestamp() < 0:
            raise self.fault(f"{key} is a time such as 2026-12-24T00:00:00Z")
        return int(time.timestamp()) * NS_PER_S

    def mac(self, key: str) -> int:
        """A MAC address, or 0 when it is not there."""
        text = self.text(key, "")
        found = _mac_of(text)
        if text and not found:
            raise self.fault(f"{key} is a MAC address in lower case")
        return found

    def end(self) -> None:
        """Nothing else may be there: a misspelt scope would make a suppression wider."""
        if self._left:
            raise self.fault(f"{min(self._left)!r} is no key here")

    def fault(self, why: str) -> ConfigError:
        """What is wrong, and where."""
        return ConfigError(why, where=self.where)


def parse_suppressions(text: str, roles: Sequence[str], parse: Parse = parse_toml) -> Explained:
    """Read the file; `roles` are those there are. Raises ConfigError with the row that cannot be used."""
    try:
        data = parse(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"is not TOML: {error}", where=SUPPRESSIONS) from error
    odd = set(data) - {"version", "suppression", "maintenance", "window"}
    if odd or not isinstance(data.get("version"), str):
        raise ConfigError("needs `version`, and [[suppression]], [[maintenance]] or [[window]]", where=SUPPRESSIONS)
    explained = [_suppression(row, roles) for row in _rows(data, "suppression", RULES_MAX)]
    work = [_maintenance(row) for row in _rows(data, "maintenance", RULES_MAX)]
    windows = [_window(row, roles) for row in _rows(data, "window", CHANGE_WINDOWS_MAX)]
    return Explained((*explained, *work), tuple(windows))


def suppression_of(where: str, table: Mapping[str, Any], roles: Sequence[str]) -> Suppression:
    """One row that came another way than in the file, by the same rules. Raises ConfigError."""
    return _suppression(_Row(where, dict(table)), roles)


def _rows(data: Mapping[str, Any], name: str, most: int) -> list[_Row]:
    rows = data.get(name, [])
    if not isinstance(rows, list) or len(rows) > most:
        raise ConfigError(f"`{name}` is a list of at most {most}", where=SUPPRESSIONS)
    return [_Row(f"{SUPPRESSIONS}: {name}[{number}]", row) for number, row in enumerate(rows, 1)]


def _suppression(row: _Row, roles: Sequence[str]) -> Suppression:
    finding_id = row.text("id")
    if finding_id in CONTROLS:
        raise row.fault(f"{finding_id} is what a tap says of itself: nobody can switch it off")
    if finding_id not in CATALOGUE:
        raise row.fault(f"{finding_id!r} is no finding of the catalogue")
    role = row.text("role", "")
    if role and role not in roles:
        raise row.fault(f"{role!r} is no role")
    made = Suppression(finding_id, row.mac("device"), role, **_contact(row), **_span(row, SUPPRESSION_NS_MAX))
    if not made.device and not (made.role and (made.peer is not None or made.peer_mac or made.port)):
        raise row.fault("needs a device, or a role with a peer or a port")
    if made.port and not made.protocol:
        raise row.fault("a port needs its protocol")
    row.end()
    return made


def _contact(row: _Row) -> dict[str, Any]:
    """With whom, by what, and how grave."""
    peer, protocol = row.text("peer", ""), row.text("protocol", "")
    mac = _mac_of(peer)
    network = None
    if peer and not mac:
        try:
            network = ip_network(peer)
        except ValueError as error:
            raise row.fault(f"peer is an address, a network or a MAC address: {error}") from error
    if protocol and protocol not in _NUMBERS:
        raise row.fault(f"{protocol!r} is no protocol; there are {', '.join(_NUMBERS)}")
    severity = row.text("severity")
    if severity not in set(Severity):
        raise row.fault(f"severity is one of {', '.join(Severity)}")
    number = _NUMBERS.get(protocol, 0)
    return {"peer": network, "peer_mac": mac, "protocol": number, "port": row.number("port", 65_535),
            "severity": Severity(severity)}  # fmt: skip


def _span(row: _Row, most_ns: int) -> dict[str, Any]:
    """From when until when, whose it is, and why."""
    start_ns, end_ns = row.time_ns("start"), row.time_ns("until")
    if not 0 < end_ns - start_ns <= most_ns:
        raise row.fault(f"until is at most {most_ns // (86_400 * NS_PER_S)} days after start")
    return {"start_ns": start_ns, "end_ns": end_ns, "owner": row.text("owner"), "why": row.text("why")}


def _maintenance(row: _Row) -> Suppression:
    device = row.mac("device")
    made = Suppression("", device, **_span(row, WORK_NS_MAX))
    if not device:
        raise row.fault("needs a device")
    row.end()
    return made


def _window(row: _Row, roles: Sequence[str]) -> ChangeWindow:
    role = row.text("role")
    if role != "*" and role not in roles:
        raise row.fault(f"{role!r} is no role")
    span = _span(row, WORK_NS_MAX)
    row.end()
    return ChangeWindow(role, span["start_ns"], span["end_ns"])


def _mac_of(text: str) -> int:
    """The number of a MAC address in lower case; 0 for any other text."""
    parts = text.split(":")
    if len(parts) != 6 or any(len(part) != 2 or not set(part) <= set("0123456789abcdef") for part in parts):
        return 0
    return int("".join(parts), 16)
