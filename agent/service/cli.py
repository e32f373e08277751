"""`wardtap`: the command line of the appliance."""

import argparse
import os
import sys
from pathlib import Path

from agent import __version__
from agent.errors import WardtapError

OUR_FAULT = 70  # sysexits EX_SOFTWARE
BROKEN_PIPE = 141  # what a shell shows for a writer whose reader went away


def _replay(options: argparse.Namespace) -> int:
    from agent.service.replay import Wanted, replay  # noqa: PLC0415 - kernels are loaded only where they are needed

    wanted = Wanted(options.json, options.flows, options.plain_names)
    return replay(options.files, _config(options), wanted)


def _config(options: argparse.Namespace):  # type: ignore[no-untyped-def]  # noqa: ANN202
    from agent import config  # noqa: PLC0415

    if options.config:
        return config.load(options.config)
    return config.default(getattr(options, "state", None))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wardtap", description="A passive security monitor for a ward's network.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    replay = commands.add_parser("replay", help="run the whole sensor over capture files")
    replay.add_argument("files", nargs="+", type=Path, metavar="FILE", help="pcap, pcapng, gzip of either; - for a pipe")
    replay.add_argument("--json", action="store_true", help="JSON Lines: device, flow, finding, coverage, stats")
    replay.add_argument("--flows", action="store_true", help="with --json: a line for every flow record")
    replay.add_argument("--plain-names", action="store_true", help="names as they were on the wire; not pseudonyms")
    replay.add_argument("--config", type=Path, help="configuration file")
    replay.set_defaults(run=_replay)
    commands.add_parser("version", help="print the version").set_defaults(run=_version)
    return parser


def _version(_: argparse.Namespace) -> int:
    print(f"wardtap {__version__}")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Entry point. Errors for people are one line; the exit code tells their kind."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except WardtapError as error:
        print(f"wardtap: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more to say to a closed pipe
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return 130
    return code
