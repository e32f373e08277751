"""The list of sites, `sites.toml` among the packs: what is no ward's work, and what machines ask for in bulk."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from agent.errors import ConfigError
from agent.kept_toml import Parse, parse_toml

SITES: Final = "sites.toml"
ENTRIES_MAX: Final = 1024
TEXT_MAX: Final = 60
CATEGORIES: Final = {"social-media": "social media", "webmail": "webmail", "streaming": "streaming"}
_DOMAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")
_KEYS: Final = {"domain", "what", "source", "verified"}
LABELS_MAX: Final = 8  # of a name, from its end, that are looked up


class Site(NamedTuple):
    """What a finding may say of a name: words of the list, never the name."""

    what: str
    category: str


class Sites(NamedTuple):
    """Both lists by domain."""

    sites: Mapping[str, Site]
    lookups: frozenset[str]

    def site(self, name: str) -> Site | None:
        """The site that a name is or lies below."""
        return next((self.sites[domain] for domain in _above(name) if domain in self.sites), None)

    def is_lookup(self, name: str) -> bool:
        """Whether a name lies where machines ask for names that nobody chose."""
        return any(domain in self.lookups for domain in _above(name))


NO_SITES: Final = Sites({}, frozenset())


def _above(name: str) -> list[str]:
    """A name and the domains above it, the longest first."""
    labels = name.split(".")[-LABELS_MAX:]
    return [".".join(labels[start:]) for start in range(len(labels))]


def parse_sites(text: str, parse: Parse = parse_toml) -> Sites:
    """Read the list. Raises ConfigError."""
    try:
        data = parse(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"is not TOML: {error}", where=SITES) from error
    if set(data) != {"version", "site", "lookup"}:
        raise ConfigError("needs exactly `version`, `site` and `lookup`", where=SITES)
    sites = _entries(data["site"], "site", _KEYS | {"category"})
    lookups = _entries(data["lookup"], "lookup", _KEYS)
    for number, entry in enumerate(sites, 1):
        if entry["category"] not in CATEGORIES:
            raise ConfigError(f"category is one of {', '.join(CATEGORIES)}", where=f"{SITES}: site[{number}]")
    return Sites(
        {entry["domain"]: Site(entry["what"], entry["category"]) for entry in sites},
        frozenset(entry["domain"] for entry in lookups),
    )


def _entries(rows: Any, name: str, keys: set[str]) -> list[dict[str, str]]:
    """The rows of one list, each with exactly these texts."""
    if not isinstance(rows, list) or len(rows) > ENTRIES_MAX:
        raise ConfigError(f"`{name}` is a list of at most {ENTRIES_MAX}", where=SITES)
    for number, row in enumerate(rows, 1):
        where = f"{SITES}: {name}[{number}]"
        if not isinstance(row, dict) or set(row) != keys:
            raise ConfigError(f"needs exactly {', '.join(sorted(keys))}", where=where)
        if not all(isinstance(t, str) and 0 < len(t) <= TEXT_MAX and t.isprintable() for t in row.values()):
            raise ConfigError(f"holds plain texts of at most {TEXT_MAX} characters", where=where)
        domain = row["domain"]
        if not _DOMAIN.issuperset(domain) or "." not in domain or domain.startswith(".") or domain.endswith("."):
            raise ConfigError(f"{domain!r} is no domain in lower case", where=where)
        if row["verified"] not in {"V", "U"}:
            raise ConfigError("verified is V or U", where=where)
    return rows
