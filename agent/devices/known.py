"""What is known of one device beside its role: maker, model, system, names, and what of it does not fit together."""

from collections.abc import Callable
from dataclasses import dataclass, field

from agent.devices.evidence import Identity, Name
from agent.devices.facts import Pairs
from agent.devices.folding import Fold
from agent.devices.packs import VendorEntry
from agent.devices.records import Posture
from agent.devices.roles import UNKNOWN
from agent.devices.scoring import Ranking, Vote, share_of

RENAME_MARGIN = 0.15  # by which another role must lead before a device is renamed
KEPT_FACTOR = 0.8  # of the confidence with which a role was concluded is kept against what contradicts it
MANY_THINGS = frozenset({"general", "virtual"})  # makers whose card alone names nothing


@dataclass(slots=True)
class Known:
    """What is known of one address."""

    vendor: VendorEntry | None
    card: Vote | None  # what the address alone says: its maker, or that it was drawn at random
    first_ns: int
    facts: dict[tuple[str, str], Vote] = field(default_factory=dict)
    seen: set[tuple[str, str]] = field(default_factory=set)
    names: dict[Name, None] = field(default_factory=dict)
    makers: dict[str, str] = field(default_factory=dict)  # maker a rule states -> signal
    models: dict[str, None] = field(default_factory=dict)
    systems: dict[str, dict[str, None]] = field(
        default_factory=dict
    )  # operating system -> kinds of signals that said so
    implementations: dict[str, None] = field(default_factory=dict)  # DICOM implementation class UIDs heard from it
    is_gateway: bool = False
    former: int = 0  # the card under which its host was known before; 0: none
    role: str = UNKNOWN  # concluded
    role_confidence: float = 0.0  # the highest it was concluded with
    identity: Identity | None = None
    posture: Posture | None = None  # None: to be worked out
    reported: tuple[object, ...] = ()


def maker(device: Known) -> str:
    """The card's maker, unless the card is a module and something else names the maker."""
    stated = next(iter(device.makers), "")
    if device.vendor is None:
        return stated
    return stated if stated and device.vendor.kind in {"module", "virtual"} else device.vendor.name


def system(device: Known) -> str:
    """The operating system heard first, in the fullest words that any signal has for it."""
    first = next(iter(device.systems), "")
    return max((name for name in device.systems if name.split()[0] == first.split()[0]), key=len, default="")


def is_one_host(fold: Fold, known: Callable[[int], Known | None]) -> bool:
    """Whether addresses that a drawn number joins, or an owner's name while nothing says that their systems differ."""
    devices = [device for mac in fold.macs if (device := known(mac)) is not None]
    return not fold.by_owner or len({name.partition(" ")[0] for device in devices for name in device.systems}) < 2


def contradictions(device: Known, best: str, role: str, opposing: Pairs) -> tuple[str, ...]:
    """What does not fit together, in pack words only."""
    vendor, found = device.vendor, []
    if opposing:
        vague = {"oui"} if vendor is not None and vendor.kind in MANY_THINGS else set()
        found = [f"{family} says {other}, not {role}" for family, other in opposing if family not in vague]
    if best not in {role, UNKNOWN} and role != UNKNOWN:
        found.append(f"evidence now leans to {best}, named {role} before")
    if device.makers and vendor is not None and vendor.kind in {"maker", "other", "hobby-board"}:
        for stated, signal in device.makers.items():
            if stated.split()[0].lower() not in vendor.name.lower():
                found.append(f"{signal} says {stated}, the card is {vendor.name}")
    systems = device.systems
    if len(systems) > 1 and len({name.split()[0] for name in systems}) > 1 and not device.is_gateway:
        found.append(f"several operating systems: {', '.join(sorted(systems)[:4])}")
    if len(device.implementations) > 1:
        roots = {tuple(uid.split(".")[:5]) for uid in device.implementations}
        if len(roots) > 1:
            found.append(f"{len(roots)} makers' DICOM implementations behind one address")
    return tuple(found)


def settle(device: Known, ranking: Ranking) -> tuple[str, float]:
    """The role to report. A concluded role stays unless another leads clearly and is as sure as the old one was."""
    best, confidence = ranking.best, ranking.confidence
    if (
        device.vendor is not None
        and device.vendor.kind in MANY_THINGS
        and set(ranking.families.get(best, ())) == {"oui"}
    ):
        best, confidence = UNKNOWN, 0.0
    if device.role in {UNKNOWN, best}:
        if best != UNKNOWN:
            device.role, device.role_confidence = best, max(confidence, device.role_confidence)
        elif device.role == UNKNOWN:
            return UNKNOWN, 0.0
    held = confidence if device.role == best else share_of(ranking, device.role)
    if best not in {UNKNOWN, device.role} and confidence >= max(device.role_confidence, held + RENAME_MARGIN):
        device.role, device.role_confidence = best, confidence
        return best, confidence
    return device.role, max(held, KEPT_FACTOR * device.role_confidence)
