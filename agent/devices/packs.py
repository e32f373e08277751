"""The identity packs, loaded: vendor blocks, what a maker makes, what a signal or a service says of a role.

Words are compared as they are, never as patterns: a value from the wire cannot make a comparison slow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from agent.devices.advisories import PosturePack
from agent.devices.continuity import KNOWN_BEFORE
from agent.devices.folding import ONE_HOST
from agent.devices.oui import VendorBlocks
from agent.devices.roles import ROLE_INDEX
from agent.errors import InputError
from agent.kept_toml import Parse, parse_toml
from agent.packets.hints.records import KINDS

PACKS_FOLDER = Path(__file__).resolve().parents[2] / "firmware_config" / "packs"  # of this release
_UNSURE_FACTOR, _UNSURE_MAX = 0.5, 1.0  # a fact without a source is light
_VOTE_MAX = 3.0
_VENDOR_CACHE = 512  # organisations on one ward are few
# Said of a card, by no line of a pack.
SPEAKS_FOR_OTHERS, GIVEN_AS_ROUTER, DRAWN = "speaks for other addresses", "given as the router", "locally administered"

TABLES = ("vendors.toml", "signals.toml")

Votes = dict[str, float]


class VendorEntry(NamedTuple):
    """The maker of a block. `kind`: maker, general, module (hides the maker), virtual, hobby-board, other."""

    name: str
    organisation: str  # as the registry spells it
    bits: int
    kind: str
    votes: Votes


class Rule(NamedTuple):
    """One line of the signal pack."""

    how: str  # equals, prefix, contains, label
    words: tuple[str, ...]
    token: str
    votes: Votes
    vendor: str
    model: str
    os: str

    def fits(self, value: str) -> bool:
        """Whether a value in lower case says what this line is about."""
        if self.how == "equals":
            return value in self.words
        if self.how == "prefix":
            return value.startswith(self.words)
        if self.how == "label":
            labels = value.split(".")
            return any(word in labels for word in self.words)
        return any(word in value for word in self.words)


class Service(NamedTuple):
    """What offering or using a service says."""

    token: str
    offers: Votes
    uses: Votes


@dataclass(slots=True)
class _Makers:
    """Prefixes of organisation names, longest first, and their lines of the vendor pack."""

    rows: list[tuple[str, str, str, Votes]] = field(default_factory=list)

    def find(self, organisation: str) -> tuple[str, str, Votes] | None:
        """Name, kind and votes of the longest prefix that ends where a word ends."""
        text = organisation.lower()
        for prefix, name, kind, votes in self.rows:
            if text.startswith(prefix) and not text[len(prefix) : len(prefix) + 1].isalnum():
                return name, kind, votes
        return None


class Layer(NamedTuple):
    """The tables of one pack, as parsed."""

    vendors: dict[str, Any]
    signals: dict[str, Any]
    version: str
    where: str


class Packs:
    """Everything identity knows before it hears anything."""

    def __init__(self, blocks: VendorBlocks, layers: Sequence[Layer], posture: PosturePack | None = None) -> None:
        """`layers`: the site's before the shipped one; where two lines fit, the first one counts."""
        self._blocks = blocks
        self.posture = posture or PosturePack((), (), "0")
        self._makers = _Makers()
        self.rules: dict[str, list[Rule]] = {}
        self.services: dict[str, Service] = {}
        self.version = "+".join(
            [*(layer.version for layer in reversed(layers)), f"csaf{self.posture.version}", f"ieee{blocks.date}"]
        )
        for layer in layers:
            try:
                self._add_layer(layer)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise InputError(f"a line of the packs cannot be used: {error}", where=layer.where) from error
        self._makers.rows.sort(key=lambda row: -len(row[0]))  # stable: the site's stay before the shipped ones
        self._maker_of = lru_cache(maxsize=_VENDOR_CACHE)(self._makers.find)
        self._words = self._all_words()

    def __contains__(self, text: object) -> bool:
        """Whether a text is a word of the packs, letter by letter: only such may leave as it is."""
        return text in self._words or (isinstance(text, str) and self._blocks.names_one(text))

    def _all_words(self) -> frozenset[str]:
        """Roles, makers, tokens, models, systems, services, advisories; the registry's names stay in their file."""
        rules = [rule for rules in self.rules.values() for rule in rules]
        stated = {word for rule in rules for word in (rule.token, rule.vendor, rule.model, rule.os) if word}
        makers = {name for _, name, _, _ in self._makers.rows}
        services = {service.token for service in self.services.values()}
        return frozenset(
            {*ROLE_INDEX, SPEAKS_FOR_OTHERS, GIVEN_AS_ROUTER, DRAWN, KNOWN_BEFORE, ONE_HOST}
            | stated
            | makers
            | services
            | self.posture.words()
        )

    def _add_layer(self, layer: Layer) -> None:
        vendors, signals = layer.vendors, layer.signals
        for row in vendors.get("vendors", {}).get("rows", ()):
            self._add_maker(row, vendors["sources"])
        for row in signals.get("signals", {}).get("rules", ()):
            self._add_rule(row, signals["sources"])
        for row in signals.get("signals", {}).get("services", ()):
            self._add_service(row, signals["sources"])

    @classmethod
    def load(cls, folder: Path = PACKS_FOLDER, parse: Parse = parse_toml, site: Sequence[Path] = ()) -> "Packs":
        """Read the files of a folder, and the site's packs. InputError names the file that is missing or wrong.

        A site's pack has one or both of the tables, and its own `version`.
        """
        shipped = _layer(folder, parse, TABLES)
        if not {"vendors", "sources"} <= shipped.vendors.keys() or not {"signals", "sources"} <= shipped.signals.keys():
            raise InputError("a shipped pack lacks its table or its sources", where=str(folder))
        layers = [_layer(path, parse, [name for name in TABLES if (path / name).is_file()]) for path in site]
        posture = PosturePack.load(folder, parse)
        return cls(VendorBlocks.load(folder / "oui.bin"), [*layers, shipped], posture)

    def vendor(self, mac: int) -> VendorEntry | None:
        """Who made the card; None for local, group and unassigned addresses, and for numbers that are no MAC."""
        if mac >> 40 & 3:
            return None
        assignment = self._blocks.find(mac)
        if assignment is None:
            return None
        maker = self._maker_of(assignment.organisation)
        name, kind, votes = maker or (assignment.organisation, "other", {})
        return VendorEntry(name, assignment.organisation, assignment.bits, kind, votes)

    def rule(self, kind: str, value: str) -> Rule | None:
        """The first line that fits a signal."""
        text = value.lower()
        return next((rule for rule in self.rules.get(kind, ()) if rule.fits(text)), None)

    def rule_of(self, kind: str, token: str) -> Rule | None:
        """The first line of a kind of signal that gives a token."""
        return next((rule for rule in self.rules.get(kind, ()) if rule.token == token), None)

    def _add_maker(self, row: dict[str, Any], sources: dict[str, str]) -> None:
        votes = _votes(row.get("roles", {}), row, sources)
        for prefix in row["prefix"]:
            self._makers.rows.append((prefix, row["name"], row.get("kind", "maker"), votes))

    def _add_rule(self, row: dict[str, Any], sources: dict[str, str]) -> None:
        how = next((how for how in ("equals", "prefix", "contains", "label") if how in row), "")
        if row["signal"] not in KINDS or not how:
            raise ValueError(f"no signal is called {row['signal']!r}, or it says nothing of the value")
        words = tuple(str(word) for word in row[how])
        named = (row.get("vendor", ""), row.get("model", ""), row.get("os", ""))
        rule = Rule(how, words, row["token"], _votes(row.get("roles", {}), row, sources), *named)
        self.rules.setdefault(row["signal"], []).append(rule)

    def _add_service(self, row: dict[str, Any], sources: dict[str, str]) -> None:
        key = row.get("port") or row["application"]
        offers = _votes(row.get("offers", {}), row, sources)
        if key in self.services:
            return  # a site has said something else of it
        self.services[key] = Service(key, offers, _votes(row.get("uses", {}), row, sources))


def _layer(folder: Path, parse: Parse, names: Sequence[str]) -> Layer:
    """The tables of a folder; those that are not asked for are empty."""
    tables: dict[str, dict[str, Any]] = {}
    for name in names:
        try:
            tables[name] = parse((folder / name).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"the pack cannot be read: {error}", where=str(folder / name)) from error
    versions = [str(table.get("version", "0")) for table in reversed(tables.values())]
    vendors, signals = (tables.get(name, {}) for name in TABLES)
    return Layer(vendors, signals, ".".join(versions), str(folder))


def _votes(given: dict[str, Any], row: dict[str, Any], sources: dict[str, str]) -> Votes:
    """Votes of a line, lighter when it has no source. ValueError for roles and sources that do not exist."""
    if row["source"] not in sources or row["status"] not in {"V", "U"}:
        raise ValueError(f"no such source or status: {row['source']!r}, {row['status']!r}")
    votes: Votes = {}
    for role, weight in given.items():
        if role not in ROLE_INDEX or not 0 < float(weight) <= _VOTE_MAX:
            raise ValueError(f"{role} = {weight} is no vote")
        votes[role] = float(weight) if row["status"] == "V" else min(_UNSURE_MAX, _UNSURE_FACTOR * float(weight))
    return votes
