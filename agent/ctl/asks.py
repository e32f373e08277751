"""The commands as a person types them: one row each, with its arguments."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from agent.clock import NS_PER_S, Clock
from agent.errors import InputError

HOUR_S = 3600
SEVERITIES = ("page", "review", "health", "posture")
Args = dict[str, Any]


class Ask(NamedTuple):
    """Help, options, and the command's arguments from what was typed."""

    told: str
    options: Callable[[argparse.ArgumentParser], None]
    args: Callable[[argparse.Namespace, Clock], Args]


def _none(_: argparse.ArgumentParser) -> None:
    """No options of its own."""


def _no_args(_options: argparse.Namespace, _clock: Clock) -> Args:
    return {}


def _device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("device", metavar="MAC", help="aa:bb:cc:dd:ee:ff")


def _learning(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("start", "freeze", "reset", "approve"))
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--role", help="all devices of the role")
    whom.add_argument("--device", metavar="MAC")


def _learning_args(options: argparse.Namespace, _clock: Clock) -> Args:
    whom = {"role": options.role} if options.role else {"device": options.device.lower()}
    return {"action": options.action} | whom


def _window(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", required=True, help="* for every role")
    parser.add_argument("--in-hours", type=float, default=0.0, metavar="H", help="from now on when left out")
    parser.add_argument("--hours", type=float, required=True, metavar="H", help="how long: a week at most")


def _window_args(options: argparse.Namespace, clock: Clock) -> Args:
    start_s = clock.wall_ns() // NS_PER_S + round(options.in_hours * HOUR_S)
    return {"role": options.role, "start_s": start_s, "end_s": start_s + round(options.hours * HOUR_S)}


def _label(parser: argparse.ArgumentParser) -> None:
    _device(parser)
    parser.add_argument("label", help="empty to take it away; never a patient's name")


def _label_args(options: argparse.Namespace, _clock: Clock) -> Args:
    return {"device": options.device.lower(), "label": options.label}


def _record(parser: argparse.ArgumentParser) -> None:
    _device(parser)
    parser.add_argument("--seconds", type=int, default=60, help="60 at most")


def _record_args(options: argparse.Namespace, _clock: Clock) -> Args:
    return {"device": options.device.lower(), "seconds": options.seconds}


def _suppress(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("finding", metavar="FINDING", help="its id: `wardtap findings list`")
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--device", metavar="MAC")
    whom.add_argument("--role", help="all devices of the role; needs --peer or --port")
    parser.add_argument("--peer", metavar="ADDRESS", help="an address, a network or a MAC address")
    parser.add_argument("--protocol", help="tcp, udp, ...; a port needs it")
    parser.add_argument("--port", type=int)
    parser.add_argument("--severity", required=True, choices=SEVERITIES, help="the gravest that is held back")
    for_how_long = parser.add_mutually_exclusive_group(required=True)
    for_how_long.add_argument("--hours", type=int, metavar="N")
    for_how_long.add_argument("--days", type=int, metavar="N", help="366 at most")
    parser.add_argument("--why", required=True, help="what explains it: 64 characters at most; never a patient's name")


def _suppress_args(options: argparse.Namespace, _clock: Clock) -> Args:
    given = {name: getattr(options, name) for name in ("finding", "role", "protocol", "port", "severity", "why")}
    given |= {name: (getattr(options, name) or "").lower() or None for name in ("device", "peer")}
    given["hours"] = options.hours if options.days is None else options.days * 24
    return {name: value for name, value in given.items() if value is not None}


def _unsuppress(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("suppression", metavar="ID", help="32 hex digits: the receipt told it, `status` tells it")


def _release(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("release", metavar="NAME", help="as `install.sh status` on the tap names it")


def _quiet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=int, required=True, help="10 to 3600")


def _restart(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("sensor", "uplink"))


def _hold(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("why", help="what people will read: 64 characters at most")


def _resend(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stream", choices=("sensor", "uplink"))
    parser.add_argument("run", help="32 hex digits: `wardtapctl list taps --json` tells them")
    parser.add_argument("first", type=int, help="number of the first record")
    parser.add_argument("last", type=int, help="and of the last one")


def _resend_args(options: argparse.Namespace, _clock: Clock) -> Args:
    try:
        run = bytes.fromhex(options.run)
    except ValueError as error:
        raise InputError("a run has 32 hex digits", where=options.run) from error
    return {"stream": options.stream, "run": run, "from": options.first, "to": options.last}


ASKS: Mapping[str, Ask] = {
    "status": Ask("how a tap's uplink is", _none, _no_args),
    "self-test": Ask("a tap looks at itself", _none, _no_args),
    "rebirth": Ask("birth, state and all device cards again", _none, _no_args),
    "resend": Ask("send again the records that a collector lost", _resend, _resend_args),
    "set-learning": Ask("start, freeze, reset or approve what is learned", _learning, _learning_args),
    "change-window": Ask("a time in which devices of a role may do new things", _window, _window_args),
    "label-device": Ask("what people call a device", _label, _label_args),
    "suppress": Ask("hold back what somebody has explained, for a while", _suppress, _suppress_args),
    "unsuppress": Ask("say again what was held back", _unsuppress, lambda o, _: {"suppression": o.suppression.lower()}),
    "record-headers": Ask("header rows of one device into a file on the tap; two custodians", _record, _record_args),
    "restart": Ask("end one of its programs in order; it is started again", _restart, lambda o, _: {"what": o.what}),
    "quiesce": Ask("listen to nothing for a while", _quiet, lambda o, _: {"seconds": o.seconds}),
    "hold": Ask("a clinical hold: nothing that stops listening is done", _hold, lambda o, _: {"why": o.why}),
    "release-hold": Ask("the hold is over", _none, _no_args),
    "support-bundle": Ask("what helps somebody elsewhere to help, without names", _none, _no_args),
    "update-to": Ask("switch to a signed release that lies on the tap", _release, lambda o, _: {"release": o.release}),
    "rotate-key": Ask("the tap draws its next key", _none, _no_args),
}
