"""The words of `wardtap release`, and what each of them calls."""

import argparse
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> None:
    """`check`, `confirm` and `pin`."""
    things = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    for name, told in (
        ("check", "whether a laid release is signed and may run"),
        ("confirm", "it has come up: none below its floor may run any more"),
    ):
        one = things.add_parser(name, help=told)
        one.add_argument("name", metavar="NAME")
        one.add_argument("--state", type=Path, default=Path("/var/lib/wardtap"), metavar="DIR")
    pin = things.add_parser("pin", help="take the release keys out of an enrolment kit, once")
    pin.add_argument("kit", type=Path, metavar="FILE", help="- for standard input")
    for one in things.choices.values():
        one.add_argument("--opt", type=Path, default=Path("/opt/wardtap"), metavar="DIR")
        one.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the line; a release that may not run is a refusal."""
    from agent.service import release_check  # noqa: PLC0415 - only its own command loads keys

    if options.what == "pin":
        print(release_check.pin(options.opt, options.kit))
    else:
        do = release_check.check if options.what == "check" else release_check.confirm
        print(do(options.opt, options.name, options.state))
    return 0
