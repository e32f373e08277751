"""The devices of a ward as a table for people: the ones a patient depends on first, what each is, how sure, and why."""

from collections.abc import Sequence
from typing import NamedTuple

from agent.devices.evidence import Identity
from agent.devices.records import Posture
from agent.devices.roles import ROLE_INDEX, TIERS, UNKNOWN
from agent.paragraphs import wrapped
from agent.visible import visible
from agent.wire.in_words import reason

TIER_ORDER = {tier: place for place, tier in enumerate(("vital", "clinical", "support", "general", "none"))}
HEADINGS = ("", "sure", "maker and model", "system", "addresses", "MAC", "names")
WIDEST = (4, 4, 38, 16, 39, 17, 40)  # columns; what is longer is cut with an ellipsis
GIVES_WAY = (6, 3, 4)  # columns that a narrow terminal has no room for: each device's line below says them
NOTE_MAX = 1000  # characters
BETWEEN, NOTE = "  ", " " * 11  # columns, and the indent of what is told below a device
REASONS_MAX = 3
ADVISORIES_SHOWN = 3
DRAWN_SHOWN_MAX = 8  # of one role
ALSO_SHOWN = 3  # addresses of one phone
DRAWN = frozenset("2367abef")  # second digit of a locally administered address (IEEE 802-2014, 8.2.2)
OLD_TLS = {"ssl3": "SSL 3.0", "1.0": "TLS 1.0", "1.1": "TLS 1.1"}
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


def lines(entries: Sequence[Entry], width: int | None) -> list[str]:
    """Headings by role, and for each device a line, its reasons, what of it is in clear. No width: no line breaks."""
    rows = {id(entry): _cells(entry) for entry in entries}
    sizes = [
        min(most, max([len(head), *(len(cells[place]) for cells in rows.values())]))
        for place, (head, most) in enumerate(zip(HEADINGS, WIDEST, strict=True))
    ]
    below = _below(sizes, width)
    told = [_row(HEADINGS, sizes, below, width)] if entries else []
    for role in sorted({entry.identity.role for entry in entries}, key=_order):
        of_role = [entry for entry in entries if entry.identity.role == role]
        told.append(f"{role.replace('-', ' ') if role != UNKNOWN else 'not known'} ({len(of_role)})")
        shown, folded = _folded(sorted(of_role, key=lambda entry: (list(entry.addresses)[:1], entry.mac)))
        for entry in shown:
            cells = rows[id(entry)]
            told.append(_row(cells, sizes, below, width))
            for note in (*(f"{HEADINGS[place]} {cells[place]}" for place in below if cells[place]), *_notes(entry)):
                told += wrapped(visible(note, NOTE_MAX), width, NOTE)
        if folded:
            more = f"and {folded} more whose addresses were drawn at random: a phone is many"
            told += wrapped(more, width, " " * 6)
    return told


def _below(sizes: Sequence[int], width: int | None) -> list[int]:
    """The columns that do not fit beside the others."""
    below: list[int] = []
    for place in GIVES_WAY:
        beside = [size for column, size in enumerate(sizes) if column not in below]
        if width is None or sum(beside) + len(BETWEEN) * (len(beside) - 1) <= width:
            break
        below.append(place)
    return sorted(below)


def _folded(entries: Sequence[Entry]) -> tuple[list[Entry], int]:
    """Those to show, and how many with drawn addresses are only counted: a flood of phones hides nobody."""
    shown: list[Entry] = []
    drawn = folded = 0
    for entry in entries:
        is_drawn = ":" in entry.mac and entry.mac[1] in DRAWN  # a link without MACs has no drawn ones
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
        "", sure, made.strip(), identity.os, _some(sorted(entry.addresses, key=_distance), 2), entry.mac,
        _some(entry.called, 2),
    )  # fmt: skip


def _distance(address: str) -> tuple[bool, bool]:
    """What people know a device by stands first: IPv4, then IPv6, then what is good on its link only."""
    return address.startswith(("fe80:", "169.254.")), ":" in address


def _some(texts: Sequence[str], most: int) -> str:
    """The first ones, each once, and how many more there are."""
    once = list(dict.fromkeys(texts))
    more = f" +{len(once) - most}" if len(once) > most else ""
    return ", ".join(once[:most]) + more


def _notes(entry: Entry) -> list[str]:
    """Why it is taken for what it is, what contradicts, what it says in clear."""
    told = []
    said = [reason(signal, value) for signal, value, weight in entry.reasons[:REASONS_MAX] if weight > 0]
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
        told.append(f"old or open: {'; '.join(stands)}")
    return told


def _stance(posture: Posture) -> list[str]:
    """What of its posture a person should know: what is old, what is without protection, what is published."""
    told = []
    if posture.ended:
        told.append(f"{posture.system}, supported until {posture.ended}")
    old = [name for version, name in OLD_TLS.items() if version in {*posture.tls_answers, *posture.tls_asks}]
    told += old[:1]
    told += ["SMB1"] * bool({"1", "1-old"}.intersection(posture.smb))
    told += [f"answers {' and '.join(posture.services)}"] * bool(posture.services)
    told += [f"log-ins in clear by {', '.join(posture.log_ins)}"] * bool(posture.log_ins)
    known = ", ".join(login.source for login in posture.default_logins)
    told += [f"perhaps log-ins as it was shipped with them ({known})"] * bool(known)
    if posture.advisories:
        how = "its product" if posture.advisories[0].match == "product" else "its maker's products"
        told.append(
            f"public advisories about {how}: {_some([each.id for each in posture.advisories], ADVISORIES_SHOWN)}"
        )
    return told


def _row(cells: Sequence[str], sizes: Sequence[int], below: Sequence[int], width: int | None) -> str:
    beside = [
        _cut(cell, size).ljust(size)
        for place, (cell, size) in enumerate(zip(cells, sizes, strict=True))
        if place not in below
    ]
    text = BETWEEN.join(beside).rstrip()
    return text if width is None else _cut(text, width)


def _cut(text: str, size: int) -> str:
    """As much as fits of what can be seen."""
    shown = visible(text, size)
    return shown if len(shown) <= size else shown[: max(size - 1, 0)] + "…"
