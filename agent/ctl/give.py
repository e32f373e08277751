"""Giving a command: signed by one or two people, sent, its receipts shown. With `--dry-run` nothing is signed or sent.

Two people need not sit at one keyboard: the first signs with `--save FILE`, the second with `wardtapctl countersign
FILE`, and whoever is last sends it with `wardtapctl send FILE`. The file holds nothing secret.
"""

import argparse
import json
import secrets
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.clock import Clock, SystemClock
from agent.commands.forms import fits
from agent.commands.policy import COMMANDS, Policy
from agent.ctl import views
from agent.ctl.asks import ASKS
from agent.ctl.conversation import converse, first_birth
from agent.ctl.order import Order
from agent.ctl.session import Broker
from agent.durable import write_atomically
from agent.errors import InputError, Refused
from agent.signing.envelope import add_signature, open_envelope
from agent.signing.files import read_regular
from agent.signing.keys import PrivateKey
from agent.signing.trust import load_trust
from agent.visible import visible
from agent.wire import body as wire_body
from agent.wire.command import Command, Receipt
from agent.wire.types import RULES, MessageType

BUNDLE_BYTES_MAX = 4 << 20  # inflated; a tap's bundle has some ten thousand octets


def add_parsers(commands: Any) -> None:
    """`command NAME`, a sub-command for each command, `countersign` and `send`."""
    plain = commands.add_parser("command", help="sign a command, send it, wait for the verified receipt")
    plain.add_argument("name", help="for example: status")
    plain.add_argument("--args", default="{}", metavar="JSON", help="arguments of the command")
    plain.set_defaults(demand=lambda options, _: (options.name, _arguments(options.args)))
    _options(plain)
    for name, ask in ASKS.items():
        parser = commands.add_parser(name, help=ask.told)
        ask.options(parser)
        parser.set_defaults(demand=_typed(name))
        if name == "support-bundle":
            parser.add_argument("--out", type=Path, metavar="FILE", help="where to write it, as JSON")
        _options(parser)
    second = commands.add_parser("countersign", help="look at a saved command and sign it as the second person")
    second.add_argument("file", type=Path)
    second.add_argument("--key", type=Path, required=True, metavar="FILE", help="your own private key")
    second.add_argument("--trust", type=Path, required=True, metavar="FILE")
    second.add_argument("--root", type=Path, metavar="FILE")
    second.set_defaults(do=_countersign)
    send = commands.add_parser("send", help="send a saved command, wait for its receipt")
    send.add_argument("file", type=Path)
    send.set_defaults(do=_send)
    connection(send)


def _typed(name: str) -> Any:
    return lambda options, clock: (name, ASKS[name].args(options, clock))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key", type=Path, required=True, nargs="+", metavar="FILE", help="your own private key")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be signed and sent")
    parser.add_argument("--save", type=Path, metavar="FILE", help="sign, do not send: for the second person")
    parser.set_defaults(do=_give, out=None)
    connection(parser)


def connection(parser: argparse.ArgumentParser) -> None:
    """Which tap, whose table, which broker."""
    parser.add_argument("--agent", required=True, help="the tap, by its id")
    parser.add_argument("--site", required=True, help="its site")
    parser.add_argument("--trust", type=Path, required=True, metavar="FILE", help="the trust table")
    parser.add_argument("--root", type=Path, metavar="FILE", help="default: trust-root.json beside the trust table")
    parser.add_argument("--broker", required=True, metavar="URL", help="mqtts://host:8883")
    parser.add_argument("--wait", type=float, default=30.0, metavar="S", help="seconds for the last receipt (30)")
    parser.add_argument("--json", action="store_true", help="for programs")
    for name in ("ca", "certificate", "tls-key"):
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help="for mqtts")


def broker_of(options: argparse.Namespace) -> Broker:
    """Where to connect, under a name of this moment."""
    client = f"wardtapctl-{secrets.token_hex(4)}"
    return Broker(options.broker, client, options.ca, options.certificate, options.tls_key)


def _give(options: argparse.Namespace) -> int:
    clock = SystemClock()
    name, args = options.demand(options, clock)
    if name in COMMANDS and (wrong := fits(name, args)):
        raise InputError(wrong, where=name)
    order = _order(options, clock)
    if options.dry_run:
        _show_plan(order, name, args, as_json=options.json)
        return 0
    if options.save:
        sealed = first_birth(order, broker_of(options), clock, options.wait, (name, args))
        write_atomically(options.save, sealed.payload)
        print(f"{options.save}: {name} for {options.agent}, signed by {len(order.keys)}; not sent")
        return 0
    return _finish(order, converse(order, broker_of(options), clock, options.wait, (name, args)), options)


def _order(options: argparse.Namespace, clock: Clock) -> Order:
    trust = load_trust(options.trust, options.root, now_ns=clock.wall_ns())
    return Order(options.site, options.agent, [PrivateKey.load(path) for path in options.key], trust)


def _show_plan(order: Order, name: str, args: dict[str, Any], *, as_json: bool) -> None:
    """What would happen, and whether the shipped policy would allow it."""
    try:
        Policy().check(name, order.role, len(order.keys))
        verdict = "allowed by the shipped policy"
    except Refused as error:
        verdict = f"would be refused: {error.what}"
    plan = {"name": name, "args": views.plain(args), "agent": order.agent, "site": order.site, "role": order.role}
    plan |= {"signers": len(order.keys), "policy": verdict, "sent": "nothing"}
    print(json.dumps(plan) if as_json else "\n".join(views.lines(plan)))


def _finish(order: Order, receipt: Receipt, options: argparse.Namespace) -> int:
    _print_receipts(order.receipts, as_json=options.json)
    if receipt.state != "done":
        raise Refused(f"{receipt.name} {receipt.state}: {receipt.reason or 'no reason given'}", reason=receipt.state)
    if getattr(options, "out", None):
        _write_bundle(receipt, options.out)
    return 0


def _write_bundle(receipt: Receipt, path: Path) -> None:
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(receipt.result["bundle"], BUNDLE_BYTES_MAX)
        held = json.loads(text)
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise InputError("the tap's bundle cannot be read", where=receipt.name) from error
    write_atomically(path, json.dumps(held, indent=1).encode())
    print(f"{path}: {', '.join(map(visible, held))}")


def _saved(path: Path) -> bytes:
    return read_regular(path, RULES[MessageType.COMMAND].sealed_bytes_max)[0]


def _countersign(options: argparse.Namespace) -> int:
    """The second person sees what they sign, and that the first signature is good."""
    trust = load_trust(options.trust, options.root, now_ns=SystemClock().wall_ns())
    opened = open_envelope(_saved(options.file), trust, expect=(MessageType.COMMAND,))
    command = Command.from_content(wire_body.decode(MessageType.COMMAND, opened.body)[1])
    key = PrivateKey.load(options.key)
    if key.key_id in {entry.key_id for entry in opened.signers}:
        raise Refused("you have signed it already: a second person must", reason="too-few-signers")
    write_atomically(options.file, add_signature(_saved(options.file), key))
    told = {"name": command.name, "args": views.plain(command.args), "agent": command.agent, "site": command.site}
    told |= {"role": command.role, "signed_before_by": [entry.name for entry in opened.signers]}
    print("\n".join(views.lines(told)))
    print(f"{options.file}: signed by {len(opened.signers) + 1}")
    return 0


def _send(options: argparse.Namespace) -> int:
    clock = SystemClock()
    trust = load_trust(options.trust, options.root, now_ns=clock.wall_ns())
    order = Order(options.site, options.agent, [], trust)
    sealed = order.take(_saved(options.file))
    return _finish(order, converse(order, broker_of(options), clock, options.wait, sealed), options)


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
            print(json.dumps(plain | {"result": views.plain(receipt.result)}))
            continue
        print(f"{visible(receipt.name)}: {receipt.state}{f' ({visible(receipt.reason)})' if receipt.reason else ''}")
        result = {name: value for name, value in receipt.result.items() if name != "bundle"}  # --out reads it
        print("".join(f"  {line}\n" for line in views.lines(views.plain(result))), end="")
