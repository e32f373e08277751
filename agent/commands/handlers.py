"""What each command does: a table of functions with checked arguments. A name that is not in it is not supported."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from agent.errors import Refused
from agent.wire.header import STREAMS


class Deeds(Protocol):
    """What the uplink can do for a command."""

    def status(self) -> dict[str, Any]:
        """How it is: whole numbers, text and octets only."""

    def resend(self, stream: str, run: bytes, first: int, last: int) -> None:
        """Send these records once more."""

    def rebirth(self, identity: bytes) -> None:
        """Publish birth and state again and have the sensor send all device cards; `identity` is the command's id."""


Handler = Callable[[Deeds, Mapping[str, Any], bytes], dict[str, Any]]


def _bad(what: str) -> Refused:
    return Refused(what, reason="bad-arguments")


def _only(args: Mapping[str, Any], *names: str) -> None:
    if set(args) != set(names):
        raise _bad(f"arguments: {', '.join(names) or 'none'}")


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 1 << 64:
        raise _bad("a record's number is a whole number from 1")
    return value


def status(deeds: Deeds, args: Mapping[str, Any], _identity: bytes) -> dict[str, Any]:
    """No arguments; the uplink's own account of itself."""
    _only(args)
    return deeds.status()


def resend(deeds: Deeds, args: Mapping[str, Any], _identity: bytes) -> dict[str, Any]:
    """`stream`, `run`, `from`, `to`: what the spool still has of these goes out once more."""
    _only(args, "stream", "run", "from", "to")
    stream, run = args["stream"], args["run"]
    if stream not in STREAMS or not isinstance(run, bytes) or len(run) != 16:
        raise _bad("stream is sensor or uplink, run has 16 octets")
    first, last = _whole(args["from"]), _whole(args["to"])
    deeds.resend(stream, run, first, last)
    return {"from": first, "to": last}


def rebirth(deeds: Deeds, args: Mapping[str, Any], identity: bytes) -> dict[str, Any]:
    """No arguments; birth, state and all device cards again."""
    _only(args)
    deeds.rebirth(identity)
    return {}


HANDLERS: Mapping[str, Handler] = {"status": status, "resend": resend, "rebirth": rebirth}
