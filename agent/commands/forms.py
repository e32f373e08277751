"""The arguments of each command: one table, asked by whoever signs and by the uplink, in part by the sensor again."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from agent.commands.requests import REQUESTS, WHY
from agent.wire.header import STREAMS

RELEASE = re.compile(r"[A-Za-z0-9+][A-Za-z0-9.+-]{0,63}")
Form = Callable[[Mapping[str, Any]], bool]


def _nothing(args: Mapping[str, Any]) -> bool:
    return not args


def _records(args: Mapping[str, Any]) -> bool:
    """`stream`, `run` (16 octets), `from` and `to`, numbers of records."""
    if set(args) != {"stream", "run", "from", "to"} or args["stream"] not in STREAMS:
        return False
    numbers = (args["from"], args["to"])
    whole = all(type(number) is int and 1 <= number < 1 << 64 for number in numbers)
    return isinstance(args["run"], bytes) and len(args["run"]) == 16 and whole


def _restart(args: Mapping[str, Any]) -> bool:
    return set(args) == {"what"} and args["what"] in {"sensor", "uplink"}


def _why(args: Mapping[str, Any]) -> bool:
    return set(args) == {"why"} and isinstance(args["why"], str) and WHY.fullmatch(args["why"]) is not None


def _release(args: Mapping[str, Any]) -> bool:
    name = args.get("release")
    return set(args) == {"release"} and isinstance(name, str) and RELEASE.fullmatch(name) is not None


# What a person reads when the form is another, and the form.
FORMS: Mapping[str, tuple[str, Form]] = {
    "status": ("no arguments", _nothing),
    "resend": ("stream (sensor or uplink), run (16 octets), from and to (numbers of records, from 1)", _records),
    "rebirth": ("no arguments", _nothing),
    "set-learning": (
        "action (start, freeze, reset, approve) and one of role and device (aa:bb:cc:dd:ee:ff)",
        REQUESTS["set-learning"],
    ),
    "change-window": ("role (or *), start_s and end_s since 1970, a week at most", REQUESTS["change-window"]),
    "label-device": (
        "device (aa:bb:cc:dd:ee:ff) and label (at most 40 letters, digits, spaces, dots and dashes; empty: none)",
        REQUESTS["label-device"],
    ),
    "record-headers": ("device (aa:bb:cc:dd:ee:ff) and seconds (1 to 60)", REQUESTS["record-headers"]),
    "suppress": (
        "finding, severity, hours (1 to 8784), why (1 to 64 characters), device or role; peer, protocol, port",
        REQUESTS["suppress"],
    ),
    "unsuppress": ("suppression (the id of its command, 32 hex digits)", REQUESTS["unsuppress"]),
    "update-to": ("release (the name of one that lies on the appliance)", _release),
    "self-test": ("no arguments", _nothing),
    "quiesce": ("seconds (10 to 3600)", REQUESTS["quiesce"]),
    "restart": ("what (sensor or uplink)", _restart),
    "hold": ("why (1 to 64 printable characters)", _why),
    "release-hold": ("no arguments", _nothing),
    "support-bundle": ("no arguments", _nothing),
    "rotate-key": ("no arguments", _nothing),
}


def fits(name: str, args: Mapping[str, Any]) -> str:
    """Empty when the arguments are of the command's form, else what they should be."""
    form = FORMS.get(name)
    if form is None:
        return f"{name[:32]!r} is no command of this release"
    return "" if form[1](args) else f"arguments: {form[0]}"
