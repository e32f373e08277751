"""`wardtapctl`: what an operator does. Errors are one line on standard error; exit codes: agent/errors.py."""

import argparse
import json
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent import __version__
from agent.clock import SystemClock
from agent.ctl import lab, views
from agent.ctl.conversation import converse
from agent.ctl.order import Order
from agent.ctl.page import ask
from agent.ctl.session import Broker
from agent.ctl.terminal import printable
from agent.durable import write_atomically
from agent.errors import InputError, Refused, WardtapError
from agent.last_words import fault, leave_nothing
from agent.signing.keys import PrivateKey
from agent.signing.packs import SEAL_NAME, read_files, seal_pack
from agent.signing.trust import load_trust
from agent.wire.command import Receipt

OWN_FAULT = 70
PIPE_CLOSED = 141
PAGE = "http://127.0.0.1:8080"
BROKER = "mqtt://127.0.0.1:1883"


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    if arguments is None:  # nobody else's code runs in this process
        leave_nothing("wardtapctl")
    options = _parser().parse_args(arguments)
    try:
        return int(options.do(options))
    except WardtapError as error:
        print(f"wardtapctl: {printable(error, 1000)}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at exit
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - our own fault, and still no traceback for a person
        print(f"wardtapctl: a fault of its own: {fault(error)}", file=sys.stderr)
        return OWN_FAULT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="wardtapctl", description="Commands to taps, and what the collector knows.")
    parser.add_argument("--version", action="version", version=f"wardtapctl {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _lab_options(commands.add_parser("lab", help="make a whole site in one folder, to try everything by hand"))
    _command_options(commands.add_parser("command", help="sign a command, send it, wait for the verified receipt"))
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
    keys = commands.add_parser("keys", help="look at key files").add_subparsers(required=True, metavar="COMMAND")
    one = keys.add_parser("show", help="fingerprints in a key, a trust table or a root file")
    one.add_argument("file", type=Path)
    one.add_argument("--root", type=Path, metavar="FILE", help="for a trust table (default: trust-root.json beside it)")
    one.set_defaults(do=_keys_show)
    return parser


def _lab_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="new or empty")
    parser.add_argument("--broker", default=BROKER, metavar="URL")
    parser.add_argument("--site", default="ward")
    parser.add_argument("--agent", default="tap-1")
    parser.set_defaults(do=_lab)


def _command_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="for example: status")
    parser.add_argument("--agent", required=True)
    parser.add_argument("--site", required=True)
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="your own private key")
    parser.add_argument("--trust", type=Path, required=True, metavar="FILE")
    parser.add_argument("--root", type=Path, metavar="FILE", help="default: trust-root.json beside the trust table")
    parser.add_argument("--broker", required=True, metavar="URL")
    parser.add_argument("--args", default="{}", metavar="JSON", help="arguments of the command")
    parser.add_argument("--wait", type=float, default=30.0, metavar="S", help="for the last receipt")
    parser.add_argument("--json", action="store_true")
    for name in ("ca", "certificate", "tls-key"):
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help="for mqtts")
    parser.set_defaults(do=_command)


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


def _command(options: argparse.Namespace) -> int:
    clock = SystemClock()
    trust = load_trust(options.trust, options.root, now_ns=clock.wall_ns())
    order = Order(options.site, options.agent, PrivateKey.load(options.key), trust)
    client = f"wardtapctl-{secrets.token_hex(4)}"
    broker = Broker(options.broker, client, options.ca, options.certificate, options.tls_key)
    receipt = converse(order, broker, clock, options.wait, (options.name, _arguments(options.args)))
    _print_receipts(order.receipts, as_json=options.json)
    if receipt.state != "done":
        raise Refused(f"{receipt.name} {receipt.state}: {receipt.reason or 'no reason given'}", reason=receipt.state)
    return 0


def _arguments(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputError(f"not JSON: {error}", where="--args") from error
    if not isinstance(value, dict):
        raise InputError("not a JSON object", where="--args")
    return value


def _print_receipts(receipts: Sequence[Receipt], *, as_json: bool) -> None:
    for receipt in receipts:
        if as_json:
            plain = {"id": receipt.id.hex(), "name": receipt.name, "state": receipt.state, "reason": receipt.reason}
            print(json.dumps(plain | {"result": _plain(receipt.result)}))
            continue
        print(
            f"{printable(receipt.name)}: {receipt.state}{f' ({printable(receipt.reason)})' if receipt.reason else ''}"
        )
        print("".join(f"  {line}\n" for line in views.lines(_plain(receipt.result))), end="")


def _plain(value: Any) -> Any:
    """Octets as hex, for people and for JSON."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _list(options: argparse.Namespace) -> int:
    view = views.LISTS[options.what]
    items = ask(options.page, view.path)[view.key]
    print(json.dumps(items) if options.json else views.listing(view, items))
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
        print(json.dumps(item) if options.json else views.details(item))
    return 0


def _keys_show(options: argparse.Namespace) -> int:
    for line in views.keys(options.file, options.root):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
