"""A suppression made from a finding: no wider than what was found, with an owner, a reason and an end."""

import json
import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final, NamedTuple

from agent.devices.roles import ROLES, UNKNOWN
from agent.devices.view import mac_text
from agent.durable import write_atomically
from agent.errors import InputError
from agent.findings.records import Severity
from agent.findings.suppressions import Suppression
from agent.findings.suppressions_file import SUPPRESSIONS, TEXT_MAX, parse_suppressions
from agent.findings.words import NS_PER_S, PROTOCOLS, time_text

LINES_MAX: Final = 100_000
_SERVICE: Final = re.compile(r"(TCP|UDP|SCTP) port ([0-9]{1,5})( .*)?")
_MAC: Final = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_NUMBERS: Final = {name: number for number, name in PROTOCOLS.items()}


class Explanation(NamedTuple):
    """What a person says of a finding."""

    owner: str
    why: str
    start_s: int
    days: int
    whole_role: bool = False  # for all devices of the role, not only this one


def findings_of(path: Path) -> Iterator[dict[str, Any]]:
    """The findings of a file: lines of `wardtap replay --json`, or what the collector's page gives as findings.json."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file):
                if number >= LINES_MAX:
                    return
                row = json.loads(text)
                many = row.get("findings", [row]) if isinstance(row, dict) else []
                for one in many if isinstance(many, list) else []:
                    if isinstance(one, dict) and {"id", "cause", "severity", "evidence"} <= one.keys():
                        yield one
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"is no file of findings: {error}", where=str(path)) from error


def made_from(rows: Iterable[dict[str, Any]], cause: str, said: Explanation) -> Suppression:
    """The suppression of the finding with this cause. InputError when it is not there or says too little."""
    row = next((row for row in rows if row["cause"] == cause), None)
    if row is None:
        raise InputError(f"no finding has the cause {cause!r}", todo="name one as the file has it")
    try:
        evidence = {str(pair["name"]): pair["value"] for pair in row["evidence"]}
        mac, role, severity = str(row.get("mac") or ""), str(row.get("role") or UNKNOWN), Severity(row["severity"])
    except (TypeError, KeyError, ValueError) as error:
        raise InputError("the finding is damaged", where=cause) from error
    service = _SERVICE.fullmatch(str(evidence.get("service", "")))
    if said.whole_role and role == UNKNOWN:
        raise InputError("the role of this device is not known", where=cause, todo="leave out --whole-role")
    peer = str(evidence.get("peer", ""))
    return Suppression(
        id=str(row["id"]),
        device=0 if said.whole_role or not _MAC.fullmatch(mac) else int(mac.replace(":", ""), 16),
        role=role if said.whole_role else "",
        peer=_network(peer),
        protocol=_NUMBERS[service[1].lower()] if service else 0,
        port=int(service[2]) if service else 0,
        severity=severity,
        start_ns=said.start_s * NS_PER_S,
        end_ns=(said.start_s + said.days * 86_400) * NS_PER_S,
        owner=said.owner,
        why=said.why,
    )


def _network(peer: str) -> Any:
    try:
        return ip_network(peer)
    except ValueError:
        return None


def as_toml(made: Suppression, note: str) -> str:
    """The row, as `parse_suppressions` reads it."""
    plain: dict[str, str | int] = {
        "id": made.id,
        "device": mac_text(made.device) if made.device else "",
        "role": made.role,
        "peer": str(made.peer) if made.peer is not None else "",
        "protocol": PROTOCOLS.get(made.protocol, ""),
        "port": made.port,
        "severity": str(made.severity),
        "start": time_text(made.start_ns),
        "until": time_text(made.end_ns),
        "owner": made.owner,
        "why": made.why,
    }
    rows = [f'{key} = "{_plain(value)}"' if isinstance(value, str) else f"{key} = {value}"
            for key, value in plain.items() if value]  # fmt: skip
    return "\n".join(["", f"# made from {_plain(note)}", "[[suppression]]", *rows, ""])


def _plain(text: str) -> str:
    """Without what would end a text of TOML, or a line."""
    return "".join(c for c in text if c.isprintable() and c not in '"\\')[:TEXT_MAX]


def add_to(folder: Path, made: Suppression, note: str) -> Path:
    """Add a suppression to a folder's file, made when it is not there; nothing is changed when it cannot be used."""
    path = folder / SUPPRESSIONS
    try:
        before = path.read_text("utf-8") if path.is_file() else 'version = "1"\n'
        text = before + as_toml(made, note)
        parse_suppressions(text, ROLES)
        write_atomically(path, text.encode(), 0o644)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be written: {error}", where=str(path)) from error
    return path
