"""default-service, as posture: a device shows that it is of a kind that is shipped with credentials everybody can read.

Whether they are still the same is not looked at: no log-in is tried, and no credential is read.
"""

from collections.abc import Iterator
from typing import Final

from agent.devices.records import OLD_SERVICES, DefaultLogin, Posture
from agent.findings.case import Case
from agent.findings.draft import Draft
from agent.findings.inventory import Fact, Inventory

EXPECTED: Final = "The credentials with which a device was shipped are changed before it is put to use."
UNHEARD: Final = "cannot be heard on the network"
_NAMES: Final = {"telnet": "Telnet", "ftp": "FTP", "tcp/22": "SSH", "tcp/445": "file sharing"}


class ShippedLogins:
    """Remembers of which devices it was said, and by whom."""

    def __init__(self) -> None:
        self._told = Inventory("default-service")

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval, once for each device, and again when something else says so."""
        self._told.begin()
        for slot, posture in case.postures():
            if posture.default_logins:
                draft = self._told.draft(case, _fact(slot, posture))
                if draft is not None:
                    yield draft


def _fact(slot: int, posture: Posture) -> Fact:
    logins = posture.default_logins
    first = logins[0]
    said = ", ".join(login.source for login in logins)
    evidence = (("source", said), ("match", first.match), ("sign", _sign(first)))
    return Fact(slot, f"shipped-{first.match}-{said.replace(', ', '-')}", _text(first), evidence, EXPECTED)


def _text(login: DefaultLogin) -> str:
    known = f"is known to have been shipped with credentials that are public ({login.source})"
    if login.match == "banner":
        return f"names itself as a product that {known}: {login.product}; whether they were changed {UNHEARD}"
    return (
        f"offers {_sign(login)}, and a product of its maker for this use {known}: {login.product}; whether this is "
        f"one, and whether they were changed, {UNHEARD}"
    )


def _sign(login: DefaultLogin) -> str:
    """What showed it, in words of this file: the service, or the kind of the signal."""
    name = OLD_SERVICES.get(login.shown_by, login.shown_by)
    return _NAMES.get(name, name)
