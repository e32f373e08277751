"""Which public advisories are about a device, and until when its system gets corrections: the packs of the posture.

`advisories.toml` is built from an index of CISA's advisories (`build_advisories`), `support.toml` is made by hand, and
so is `defaults.toml` (`default_logins`). An
advisory is about a product; a tap knows a model now and then, a maker and a kind mostly, a version never. So a match
says how it was made, and never that a device has the flaw.
"""

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

from agent.devices.default_logins import FILE, DefaultLogins
from agent.devices.records import Advisory
from agent.devices.roles import ROLE_INDEX
from agent.errors import InputError

FILES = ("advisories.toml", "support.toml", FILE)
BY_PRODUCT, BY_MAKER = "product", "maker"  # its model or system is named; or maker and role fit
MATCHES_MAX = 32  # of one device; the newest
Parse = Callable[[str], dict[str, Any]]
_FIELDS = frozenset({"id", "title", "flaws", "makers", "roles", "names"})


class PosturePack:
    """The tables, loaded."""

    def __init__(
        self,
        advisories: Iterable[dict[str, Any]],
        support: Iterable[dict[str, Any]],
        version: str,
        logins: DefaultLogins | None = None,
    ) -> None:
        """KeyError, TypeError or ValueError for a row that cannot be used."""
        self.version = version
        self.logins = logins or DefaultLogins()
        self._ended = {str(row["system"]): date.fromisoformat(row["ended"]).isoformat() for row in support}
        self._by_name: dict[str, list[Advisory]] = {}
        self._by_maker: dict[tuple[str, str], list[Advisory]] = {}
        for row in advisories:
            self._add(row)

    def _add(self, row: dict[str, Any]) -> None:
        if set(row) != _FIELDS or not set(row["roles"]) <= ROLE_INDEX.keys():
            raise ValueError(f"no advisory: {row}")
        for name in row["names"]:
            self._by_name.setdefault(name, []).append(_advisory(row, BY_PRODUCT))
        for maker in row["makers"]:
            for role in row["roles"]:
                self._by_maker.setdefault((maker, role), []).append(_advisory(row, BY_MAKER))

    @classmethod
    def load(cls, folder: Path, parse: Parse) -> "PosturePack":
        """Read the files. InputError names the one that is missing or wrong."""
        tables: list[dict[str, Any]] = []
        for name in FILES:
            try:
                tables.append(parse((folder / name).read_text("utf-8")))
            except (OSError, ValueError) as error:
                raise InputError(f"the pack cannot be read: {error}", where=str(folder / name)) from error
        try:
            found, support, defaults = tables
            version = f"{found['version']}.{support['version']}.{defaults['version']}"
            logins = DefaultLogins(defaults["defaults"]["rows"], defaults["sources"])
            return cls(found["advisories"]["rows"], support["support"]["rows"], version, logins)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"a line of the posture packs cannot be used: {error}", where=str(folder)) from error

    def ended(self, system: str) -> str:
        """The day on which support ended or will end, yyyy-mm-dd; empty when that is not known."""
        return self._ended.get(system, "")

    def systems(self) -> frozenset[str]:
        """Every system that the table knows."""
        return frozenset(self._ended)

    def words(self) -> frozenset[str]:
        """What the tables state of their own: ids of advisories, systems and the days on which their support ends.

        And who says that a product is shipped with public credentials.
        """
        rows = (*self._by_name.values(), *self._by_maker.values())
        ids = {advisory.id for found in rows for advisory in found}
        return frozenset(ids | {*self._ended, *self._ended.values()}) | self.logins.words()

    def about(self, names: Iterable[str], maker: str, role: str) -> tuple[Advisory, ...]:
        """Advisories about a device by its model and system (`names`), then by maker and role; each once, by id."""
        found: dict[str, Advisory] = {}
        for name in names:
            for advisory in self._by_name.get(name, ()):
                found.setdefault(advisory.id, advisory)
        for advisory in self._by_maker.get((maker, role), ()):
            found.setdefault(advisory.id, advisory)
        return tuple(found[key] for key in sorted(found, key=_newest_first)[:MATCHES_MAX])


def _advisory(row: dict[str, Any], match: str) -> Advisory:
    return Advisory(str(row["id"]), str(row["title"]), int(row["flaws"]), match)


def _newest_first(identifier: str) -> tuple[int, str]:
    """ICSMA-23-194-01: year and day of the year, then what comes with it."""
    digits = "".join(letter for letter in identifier if letter.isdigit())[:5]
    return -int(digits or 0), identifier
