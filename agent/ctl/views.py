"""What `list`, `show` and `keys show` print."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agent.ctl.terminal import table, when
from agent.errors import Refused, StateError
from agent.paragraphs import wrapped
from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust
from agent.signing.trust import load_root, load_trust
from agent.visible import visible
from agent.wire.in_words import measure, measured, reason

Item = Mapping[str, Any]
DETAIL_MAX = 1000


class View(NamedTuple):
    """Where a list comes from, and its columns."""

    path: str
    key: str
    columns: tuple[str, ...]


LISTS = {
    "findings": View("/api/findings.json", "findings", ("number", "severity", "id", "count", "last_ns", "sentence")),
    "devices": View(
        "/api/devices.json", "devices", ("mac", "role", "confidence", "worst", "vendor", "addresses", "last_ns")
    ),
    "taps": View(
        "/api/taps.json",
        "taps",
        ("site", "agent", "state", "version", "frames", "ignored", "dropped", "tx_packets", "last_received_ns"),
    ),
}


def listing(view: View, items: Sequence[Item], width: int | None = None) -> str:
    """One line per item, and more where a terminal has no room for it."""
    if not items:
        return f"no {view.key}"
    heads = [name.removesuffix("_ns") for name in view.columns]
    return table(heads, [[_cell(name, item.get(name, "")) for name in view.columns] for item in items], width)


def details(item: Item, width: int | None = None) -> str:
    """Everything about one item, indented."""
    told: list[str] = []
    for line in lines(item):
        text = line.lstrip(" ")
        indent = line[: len(line) - len(text)]
        told += wrapped(text, width, indent, f"{indent}  ")
    return "\n".join(told)


def keys(path: Path, root: Path | None) -> Iterable[str]:
    """Fingerprints in a private key, a root file or a trust table; StateError when it is none of these."""
    head = _head(path)
    if head.startswith(b"-----BEGIN"):
        key = PrivateKey.load(path)
        return [f"private key  {key.public.fingerprint}  {key.public.raw.hex()}"]
    if head.startswith(b"{"):
        return _entries(load_root(path))
    try:
        return _entries(load_trust(path, root))
    except Refused as error:
        raise StateError(f"is no key, root file or trust table of this root: {error.what}", where=str(path)) from error


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except OSError as error:
        raise StateError(f"cannot be read: {error.strerror}", where=str(path)) from error


def _entries(trust: Trust) -> list[str]:
    rows = [
        (
            entry.role,
            entry.name,
            entry.site,
            entry.public.fingerprint,
            when(entry.not_before_ns),
            _end(entry.not_after_ns),
        )
        for entry in trust.entries()
    ]
    return table(("role", "name", "site", "fingerprint", "from", "to"), rows).splitlines()


def _end(time_ns: int) -> str:
    return "no end" if time_ns >= 2**63 - 1 else when(time_ns)


def _cell(name: str, value: Any) -> str:
    if name.endswith("_ns"):
        return when(int(value or 0))
    if name == "confidence":
        return f"{value:.0%}"
    return ", ".join(map(str, value[:2])) if isinstance(value, list) else str(value)


def lines(value: Item, indent: str = "") -> Iterable[str]:
    """A nested answer, one printable line per value."""
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield f"{indent}{visible(name)}:"
            yield from lines(inner, indent + "  ")
        elif isinstance(inner, list) and inner and isinstance(inner[0], dict):
            yield f"{indent}{visible(name)}:"
            for each in inner:
                yield f"{indent}  {visible(_told(each), DETAIL_MAX)}"
        else:
            yield f"{indent}{visible(name)}: {_shown(name, inner)}"


def _told(each: Item) -> str:
    """One of a list: evidence and posture in words, anything else as names and values."""
    match tuple(each):
        case ("name", "value"):
            return f"{measure(each['name'])}: {measured(each['value'], each['name'])}"
        case ("signal", "value", "weight"):
            return f"{reason(each['signal'], each['value'])}, weight {each['weight']}"
        case ("aspect", "word"):
            return f"{each['aspect']}: {each['word']}"
    return ", ".join(f"{key} {_shown(key, value)}" for key, value in each.items() if value is not None and value != "")


def _shown(name: str, value: Any) -> str:
    """One value on one line; wall times as dates."""
    if isinstance(value, int) and name.endswith("_ns") and "mono" not in name:
        return when(value)
    return visible(", ".join(map(str, value)) if isinstance(value, list) else value, DETAIL_MAX)


def plain(value: Any) -> Any:
    """Octets as hex, for people and for JSON."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value
