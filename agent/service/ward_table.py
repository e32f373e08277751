"""The devices of a ward as a table for people: the ones a patient depends on first, what each is, how sure, and why."""

import shutil
from collections.abc import Sequence
from typing import Any, NamedTuple

from agent.devices.evidence import Identity
from agent.devices.records import Posture
from agent.devices.roles import ROLE_INDEX, TIERS, UNKNOWN

TIER_ORDER = {tier: place for place, tier in enumerate(("vital", "clinical", "support", "general", "none"))}
HEADINGS = ("", "sure", "maker and model", "system", "addresses", "MAC", "names")
WIDEST = (4, 4, 38, 16, 39, 17, 40)  # columns; what is longer is cut with an ellipsis
REASONS_MAX = 3
ADVISORIES_SHOWN = 3
DRAWN_SHOWN_MAX = 8  # of one role
ALSO_SHOWN = 3  # addresses of one phone
DRAWN = frozenset("2367abef")  # second digit of a locally administered address (IEEE 802-2014, 8.2.2)
OLD_TLS = {"ssl3": "SSL 3.0", "1.0": "TLS 1.0", "1.1": "TLS 1.1"}
WIDTH_WITHOUT_A_TERMINAL = 120  # columns
# How evidence is told: the part of the signal before the dot, in words.
SIGNAL_WORDS = {
    "oui": "maker", "offers": "serves", "dhcp": "DHCP", "mdns": "mDNS", "tls": "TLS", "wsd": "WS-Discovery",
    "ssdp": "SSDP", "lldp": "LLDP", "cdp": "CDP", "dicom": "DICOM", "hl7": "HL7", "http": "HTTP", "smb": "SMB",
    "ssh": "SSH", "netbios": "NetBIOS", "bacnet": "BACnet", "dns": "DNS", "tcp": "TCP",
}  # fmt: skip
PROTOCOL_WORDS = {"ieee11073": "IEEE 11073", "intellivue": "IntelliVue", "capsule": "Capsule"}


class Entry(NamedTuple):
    """One device as the table tells of it."""

    mac: str
    addresses: Sequence[str]
    identity: Identity
    called: Sequence[str]  # pseudonyms, unless a person asked for the names themselves
    reasons: Sequence[tuple[str, str, float]]  # signal, value that may leave, weight
    clinical: dict[str, dict[str, int]]  # of the device's statistics
    packets: int
    posture: Posture = Posture()
    formerly: str = ""  # MAC under which its host was known before
    also: Sequence[str] = ()  # addresses that it had drawn before; they have no line of their own


def lines(entries: Sequence[Entry], width: int | None = None) -> list[str]:
    """Headings by role, and for each device a line, its reasons and what of it is in clear."""
    wide = width or shutil.get_terminal_size((WIDTH_WITHOUT_A_TERMINAL, 0)).columns
    rows = {id(entry): _cells(entry) for entry in entries}
    sizes = [
        min(most, max([len(head), *(len(cells[place]) for cells in rows.values())]))
        for place, (head, most) in enumerate(zip(HEADINGS, WIDEST, strict=True))
    ]
    told = [_row(HEADINGS, sizes, wide)] if entries else []
    for role in sorted({entry.identity.role for entry in entries}, key=_order):
        of_role = [entry for entry in entries if entry.identity.role == role]
        told.append(f"{role.replace('-', ' ') if role != UNKNOWN else 'not known'} ({len(of_role)})")
        shown, folded = _folded(sorted(of_role, key=lambda entry: (list(entry.addresses)[:1], entry.mac)))
        for entry in shown:
            told.append(_row(rows[id(entry)], sizes, wide))
            told += [_cut(f"{' ' * 11}{note}", wide) for note in _notes(entry)]
        if folded:
            told.append(_cut(f"{' ' * 6}and {folded} more whose addresses were drawn at random: a phone is many", wide))
    return told


def _folded(entries: Sequence[Entry]) -> tuple[list[Entry], int]:
    """Those to show, and how many with drawn addresses are only counted: a flood of phones hides nobody."""
    shown: list[Entry] = []
    drawn = folded = 0
    for entry in entries:
        is_drawn = entry.mac[1:2] in DRAWN
        drawn += is_drawn
        if is_drawn and drawn > DRAWN_SHOWN_MAX:
            folded += 1
        else:
            shown.append(entry)
    return shown, folded


def _order(role: str) -> tuple[int, int]:
    return TIER_ORDER[TIERS[role]], ROLE_INDEX[role]


def _cells(entry: Entry) -> tuple[str, ...]:
    identity = entry.identity
    sure = f"{identity.confidence:4.0%}" if identity.role != UNKNOWN else ""
    made = identity.model if identity.model.startswith(identity.vendor) else f"{identity.vendor} {identity.model}"
    return (
        "", sure, made.strip(), identity.os, _some(entry.addresses, 2), entry.mac, _some(entry.called, 2),
    )  # fmt: skip


def _some(texts: Sequence[str], most: int) -> str:
    """The first ones, each once, and how many more there are."""
    once = list(dict.fromkeys(texts))
    more = f" +{len(once) - most}" if len(once) > most else ""
    return ", ".join(once[:most]) + more


def _notes(entry: Entry) -> list[str]:
    """Why it is taken for what it is, what contradicts, what it says in clear."""
    told = []
    said = [_reason(signal, value) for signal, value, weight in entry.reasons[:REASONS_MAX] if weight > 0]
    if said:
        more = sum(weight > 0 for _, _, weight in entry.reasons) - len(said)
        told.append(f"because {'; '.join(said)}{f'; and {more} more' if more > 0 else ''}")
    if entry.identity.contradictions:
        told.append(f"but {'; '.join(entry.identity.contradictions)}")
    clear, sealed = (
        [PROTOCOL_WORDS.get(name, name.upper()) for name, counts in entry.clinical.items() if counts[f"{way}_octets"]]
        for way in ("clear", "tls")
    )
    if clear or sealed:
        parts = [f"{', '.join(clear)} in clear" if clear else "", f"{', '.join(sealed)} under TLS" if sealed else ""]
        told.append(f"speaks {' and '.join(filter(None, parts))}")
    if entry.also:
        told.append(f"one host with {_some(entry.also, ALSO_SHOWN)}: the same number, never at the same time")
    elif entry.formerly:
        told.append(f"known before under the card {entry.formerly}")
    stands = _stance(entry.posture)
    if stands:
        told.append(f"stands {'; '.join(stands)}")
    return told


def _stance(posture: Posture) -> list[str]:
    """What of its posture a person should know: what is old, what is without protection, what is published."""
    told = []
    if posture.ended:
        told.append(f"on {posture.system}, supported until {posture.ended}")
    old = [name for version, name in OLD_TLS.items() if version in {*posture.tls_answers, *posture.tls_asks}]
    told += [f"at {name}" for name in old[:1]]
    told += ["at SMB1"] * bool({"1", "1-old"}.intersection(posture.smb))
    told += [f"open by {' and '.join(posture.services)}"] * bool(posture.services)
    told += [f"with log-ins in clear by {', '.join(posture.log_ins)}"] * bool(posture.log_ins)
    known = ", ".join(login.source for login in posture.default_logins)
    told += [f"perhaps with the log-ins it was shipped with ({known})"] * bool(known)
    if posture.advisories:
        how = "its product" if posture.advisories[0].match == "product" else "its maker's products"
        ids = ", ".join(advisory.id for advisory in posture.advisories[:ADVISORIES_SHOWN])
        more = f" +{len(posture.advisories) - ADVISORIES_SHOWN}" if len(posture.advisories) > ADVISORIES_SHOWN else ""
        told.append(f"with advisories about {how}: {ids}{more}")
    return told


def _reason(signal: str, value: str) -> str:
    family, _, what = signal.partition(".")
    return " ".join(filter(None, (SIGNAL_WORDS.get(family, family), what.replace("_", " "), value)))


def _row(cells: Sequence[Any], sizes: Sequence[int], width: int) -> str:
    text = "  ".join(_cut(cell, size).ljust(size) for cell, size in zip(cells, sizes, strict=True))
    return _cut(text.rstrip(), width)


def _cut(text: str, size: int) -> str:
    """As much as fits. What came from the wire must not move a cursor: only what can be printed is."""
    text = "".join(letter if letter.isprintable() else "." for letter in text)
    return text if len(text) <= size else text[: max(size - 1, 0)] + "…"
