"""What each command does: a table of functions with checked arguments. A name that is not in it is not supported."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from agent.commands.forms import fits
from agent.errors import Refused
from agent.wire.command import SENSOR_COMMANDS, Command


class Later(NamedTuple):
    """Not done yet: the sensor says the end through its spool, or this program does once it has started again."""

    so_far: Mapping[str, Any]


class Deeds(Protocol):
    """What the uplink can do for a command."""

    def status(self) -> dict[str, Any]:
        """How it is: whole numbers, text and octets only."""

    def resend(self, stream: str, run: bytes, first: int, last: int) -> None:
        """Send these records once more."""

    def rebirth(self, identity: bytes) -> None:
        """Publish birth and state again and have the sensor send all device cards; `identity` is the command's id."""

    def ask_sensor(self, command: Command) -> None:
        """Put it into the request folder; durable when this returns."""

    def withdraw(self, identity: bytes) -> bool:
        """Take a request back; whether the sensor had left it there."""

    def self_test(self) -> dict[str, Any]:
        """What the uplink finds when it looks at itself."""

    def restart(self) -> None:
        """End in order; whoever runs this program starts it again."""

    def hold(self, why: str) -> None:
        """From now on nothing that stops listening is done; durable when this returns. Empty: release."""

    def bundle(self) -> dict[str, Any]:
        """What a person elsewhere needs to help, without what is nobody's business."""

    def update(self, command: Command) -> dict[str, Any]:
        """Look whether the release may run and ask for it; durable when this returns. What was found."""

    def rotate_key(self) -> dict[str, Any]:
        """Draw a new key; its public half, and its signature over the agent's name."""


Outcome = dict[str, Any] | Later
Handler = Callable[[Deeds, Command], Outcome]


def waits_for(command: Command) -> str:
    """Whose word ends it, written down with the command's id before anything is done."""
    if command.name == "restart":
        return "restart" if command.args.get("what") == "uplink" else "sensor"
    if command.name == "update-to":
        return "update"
    return "sensor" if command.name in SENSOR_COMMANDS else ""


def _status(deeds: Deeds, _: Command) -> Outcome:
    return deeds.status()


def _resend(deeds: Deeds, command: Command) -> Outcome:
    """What the spool still has of these goes out once more."""
    args = command.args
    deeds.resend(args["stream"], args["run"], args["from"], args["to"])
    return {"from": args["from"], "to": args["to"]}


def _rebirth(deeds: Deeds, command: Command) -> Outcome:
    """Birth, state and all device cards again."""
    deeds.rebirth(command.id)
    return {}


def _sensor(deeds: Deeds, command: Command) -> Outcome:
    deeds.ask_sensor(command)
    return Later({})


def _self_test(deeds: Deeds, command: Command) -> Outcome:
    """Our half with `running`, the sensor's with its last receipt."""
    deeds.ask_sensor(command)
    return Later(deeds.self_test())


def _restart(deeds: Deeds, command: Command) -> Outcome:
    if command.args["what"] == "sensor":
        return _sensor(deeds, command)
    deeds.restart()
    return Later({})


def _hold(deeds: Deeds, command: Command) -> Outcome:
    deeds.hold(command.args["why"])
    return {"held": command.args["why"]}


def _release(deeds: Deeds, _: Command) -> Outcome:
    deeds.hold("")
    return {}


def _bundle(deeds: Deeds, _: Command) -> Outcome:
    return deeds.bundle()


def _update(deeds: Deeds, command: Command) -> Outcome:
    """The updater ends it, whichever release then runs."""
    return Later(deeds.update(command))


def _rotate(deeds: Deeds, _: Command) -> Outcome:
    return deeds.rotate_key()


def _checked(handler: Handler) -> Handler:
    """Arguments are looked at before anything is done."""

    def run(deeds: Deeds, command: Command) -> Outcome:
        wrong = fits(command.name, command.args)
        if wrong:
            raise Refused(wrong, reason="bad-arguments")
        return handler(deeds, command)

    return run


HANDLERS: Mapping[str, Handler] = {
    name: _checked(handler)
    for name, handler in {
        "status": _status,
        "resend": _resend,
        "rebirth": _rebirth,
        **dict.fromkeys(("set-learning", "change-window", "label-device", "record-headers", "quiesce"), _sensor),
        **dict.fromkeys(("suppress", "unsuppress"), _sensor),
        "self-test": _self_test,
        "restart": _restart,
        "hold": _hold,
        "release-hold": _release,
        "support-bundle": _bundle,
        "rotate-key": _rotate,
        "update-to": _update,
    }.items()
}
