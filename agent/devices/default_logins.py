"""Which devices are shipped with credentials that are public: `defaults.toml`, a source a line.

A device is such a product when it says so itself (a banner, by a line of `signals.toml`), or may be one when its maker,
its role and a service that it offers fit. Neither says that nobody has changed them, and no credential is looked at.
"""

from collections.abc import Collection, Iterable
from typing import Any

from agent.devices.records import DefaultLogin
from agent.devices.roles import ROLE_INDEX

FILE = "defaults.toml"
BY_BANNER, BY_MAKER = "banner", "maker"
OFFERS = "offers"  # kind of the fact that a service is offered
LOGINS_MAX = 4  # of one device
Facts = Collection[tuple[str, str]]  # (kind of signal, token), or (`offers`, service)
_ALWAYS = frozenset({"id", "product", "source"})
_BANNER = _ALWAYS | {"signal", "token"}
_MAKER = _ALWAYS | {"makers", "roles", "services"}


class DefaultLogins:
    """The table, loaded."""

    def __init__(self, rows: Iterable[dict[str, Any]] = (), sources: Collection[str] = ()) -> None:
        """KeyError, TypeError or ValueError for a row that cannot be used."""
        self.banners: dict[tuple[str, str], list[DefaultLogin]] = {}
        self.makers: dict[tuple[str, str], list[tuple[str, DefaultLogin]]] = {}
        for row in rows:
            if row["source"] not in sources or set(row) not in (_BANNER, _MAKER):
                raise ValueError(f"no default log-in: {row}")
            self._add(row)

    def _add(self, row: dict[str, Any]) -> None:
        if "token" in row:
            fact = (str(row["signal"]), str(row["token"]))
            self.banners.setdefault(fact, []).append(_login(row, fact[0], BY_BANNER))
            return
        if not set(row["roles"]) <= ROLE_INDEX.keys():
            raise ValueError(f"no default log-in: {row}")
        for maker in row["makers"]:
            for role in row["roles"]:
                told = self.makers.setdefault((str(maker), role), [])
                told += [(str(service), _login(row, str(service), BY_MAKER)) for service in row["services"]]

    def about(self, facts: Facts, maker: str, role: str) -> tuple[DefaultLogin, ...]:
        """What fits a device, by its banners first; each source once."""
        found: dict[str, DefaultLogin] = {}
        for fact in sorted(self.banners.keys() & set(facts)):
            for login in self.banners[fact]:
                found.setdefault(login.source, login)
        for service, login in self.makers.get((maker, role), ()):
            if (OFFERS, service) in facts:
                found.setdefault(login.source, login)
        return tuple(found.values())[:LOGINS_MAX]

    def words(self) -> frozenset[str]:
        """What the table states of its own: the ids of what says so."""
        logins = [login for listed in self.banners.values() for login in listed]
        logins += [login for listed in self.makers.values() for _, login in listed]
        return frozenset(login.source for login in logins)


def _login(row: dict[str, Any], shown_by: str, match: str) -> DefaultLogin:
    return DefaultLogin(str(row["product"]), str(row["id"]), shown_by, match)
