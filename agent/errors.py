"""Every error that reaches a person, and the exit code of its kind.

    WardtapError            what happened, where, what to do
      InputError      2     a capture, a configuration or an argument cannot be used
        ConfigError   2     the configuration, with key, line and nearest right name
      PermissionNeeded 4    a capability or a file's owner or mode is wrong
      LinkError       5     the broker or the network does not answer
      Refused         6     a signature, a role, an addressee or a freshness rule says no
        WireError     6     bytes that are not what the wire format allows
      StateError      7     spool, database or state directory cannot be used (locked, damaged, full)

An error of any other class is our own fault: the command line prints one sentence, the exit code is 70.
"""

from typing import ClassVar


class WardtapError(Exception):
    """Something a person can act on.

    `what` is one clause, `where` names file, offset, key or topic, `todo` is the next step; either may be empty.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.todo = what, where, todo

    def __str__(self) -> str:
        """One line: where, what, what to do."""
        head = f"{self.where}: " if self.where else ""
        tail = f" ({self.todo})" if self.todo else ""
        return f"{head}{self.what}{tail}"


class InputError(WardtapError):
    """A capture, an argument or a file that cannot be used."""

    exit_code = 2


class ConfigError(InputError):
    """A configuration that is refused as a whole."""


class PermissionNeeded(WardtapError):  # noqa: N818 - reads as what it says
    """A capability, an owner or a mode that is missing or too loose."""

    exit_code = 4


class LinkError(WardtapError):
    """The broker or the network does not answer."""

    exit_code = 5


class Refused(WardtapError):  # noqa: N818 - reads as what it says
    """Authentic or not, this may not be done: `reason` is a short stable token for counters and receipts."""

    exit_code = 6

    def __init__(self, what: str, *, reason: str, where: str = "", todo: str = "") -> None:
        super().__init__(what, where=where, todo=todo)
        self.reason = reason


class WireError(Refused):
    """Bytes that the wire format does not allow."""


class StateError(WardtapError):
    """The spool, the database or the state directory cannot be used."""

    exit_code = 7
