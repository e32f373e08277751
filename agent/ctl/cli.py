"""`wardtapctl`: what an operator does. Errors are one line on standard error; exit codes: agent/errors.py."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from agent import __version__
from agent.clock import SystemClock
from agent.command_line import described, ended
from agent.ctl import audit, completion, enrol, give, lab, release, table, views, wanted
from agent.ctl.page import ask
from agent.durable import write_atomically
from agent.errors import InputError
from agent.last_words import leave_nothing
from agent.paragraphs import terminal_width
from agent.signing.keys import PrivateKey
from agent.signing.packs import SEAL_NAME, read_files, seal_pack

PAGE = "http://127.0.0.1:8080"
BROKER = "mqtt://127.0.0.1:1883"


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    if arguments is None:  # nobody else's code runs in this process
        leave_nothing("wardtapctl")
    options = described(_parser()).parse_args(arguments)
    return ended("wardtapctl", lambda: int(options.do(options)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wardtapctl", description="Commands to taps, and what the collector knows.")
    parser.add_argument("--version", action="version", version=f"wardtapctl {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _lab_options(commands.add_parser("lab", help="make a whole site in one folder, to try everything by hand"))
    give.add_parsers(commands)
    wanted.add_parsers(commands)
    audit.add_parsers(commands)
    enrol.add_parsers(commands)
    release.add_parsers(commands)
    listing = commands.add_parser("list", help="findings, devices or taps")
    listing.add_argument("what", nargs="?", choices=sorted(views.LISTS), default="findings")
    show = commands.add_parser("show", help="one device, or one finding by its number")
    show.add_argument("name", help="MAC address or number")
    show.add_argument("--site", default="", help="needed when two sites have that address")
    for view, do in ((listing, _list), (show, _show)):
        view.add_argument("--page", default=PAGE, metavar="URL", help=f"the collector (default: {PAGE})")
        view.add_argument("--json", action="store_true")
        view.set_defaults(do=do)
    _pack_options(commands.add_parser("pack", help="sign a folder of data for your site's taps"))
    keys = commands.add_parser("keys", help="keys and the trust table").add_subparsers(required=True, metavar="COMMAND")
    table.add_parsers(commands, keys)
    one = keys.add_parser("show", help="fingerprints in a key, a trust table or a root file")
    one.add_argument("file", type=Path)
    one.add_argument("--root", type=Path, metavar="FILE", help="for a trust table (default: trust-root.json beside it)")
    one.set_defaults(do=_keys_show)
    shell = commands.add_parser("completion", help="words for bash: source <(wardtapctl completion)")
    shell.set_defaults(do=_completion)
    return parser


def _lab_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="new or empty")
    parser.add_argument("--broker", default=BROKER, metavar="URL")
    parser.add_argument("--site", default="ward")
    parser.add_argument("--agent", default="tap-1")
    parser.set_defaults(do=_lab)


def _pack_options(parser: argparse.ArgumentParser) -> None:
    sign = parser.add_subparsers(required=True, metavar="COMMAND").add_parser("sign", help="write its pack.sealed")
    sign.add_argument("folder", type=Path, metavar="DIR", help="signals.toml, vendors.toml, ... of your own")
    sign.add_argument("--name", required=True, help="1 to 32 of a-z, 0-9, -")
    sign.add_argument("--site", required=True)
    sign.add_argument("--serial", type=int, required=True, help="higher than the one before")
    sign.add_argument("--key", type=Path, required=True, nargs="+", metavar="FILE", help="an engineer's or custodian's")
    sign.set_defaults(do=_pack_sign)


def _pack_sign(options: argparse.Namespace) -> int:
    files = read_files(options.folder)
    keys = [PrivateKey.load(path) for path in options.key]
    sealed = seal_pack(files, keys, name=options.name, site=options.site, serial=options.serial)
    write_atomically(options.folder / SEAL_NAME, sealed, 0o644)
    print(f"{options.folder / SEAL_NAME}: {len(files)} files as {options.name} {options.serial}")
    return 0


def _lab(options: argparse.Namespace) -> int:
    made = lab.make_lab(
        options.folder, site=options.site, agent=options.agent, broker=options.broker, clock=SystemClock()
    )
    print((made.folder / "README").read_text(encoding="utf-8"), end="")
    return 0


def _list(options: argparse.Namespace) -> int:
    view = views.LISTS[options.what]
    items = ask(options.page, view.path)[view.key]
    print(json.dumps(items) if options.json else views.listing(view, items, terminal_width()))
    return 0


def _show(options: argparse.Namespace) -> int:
    if options.name.isdigit():
        found = [
            item for item in ask(options.page, "/api/findings.json")["findings"] if item["number"] == int(options.name)
        ]
    else:
        devices = ask(options.page, "/api/devices.json")["devices"]
        wanted = [
            item for item in devices if item["mac"] == options.name.lower() and options.site in {"", item["site"]}
        ]
        found = [ask(options.page, f"/api/devices/{item['site']}/{item['mac']}.json") for item in wanted]
    if not found:
        raise InputError("the collector does not know it", where=options.name)
    for item in found:
        print(json.dumps(item) if options.json else views.details(item, terminal_width()))
    return 0


def _keys_show(options: argparse.Namespace) -> int:
    for line in views.keys(options.file, options.root):
        print(line)
    return 0


def _completion(_: argparse.Namespace) -> int:
    print(completion.script(_parser()), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
