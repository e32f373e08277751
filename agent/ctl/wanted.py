"""`wardtapctl config diff|apply`: what a tap is to be set to, against what it was told last.

It is signed and kept at the broker. What was told last is read from the broker and believed only when it is authentic.
The answer is the receipt that names the configuration: accepted, then done once the tap runs with it - which is after
both its programs have started again.
"""

import argparse
import difflib
import hashlib
import json
from pathlib import Path
from typing import Any

from agent import config as configuration
from agent.clock import NS_PER_S, Clock, SystemClock
from agent.ctl import views
from agent.ctl.conversation import CONNECT_S
from agent.ctl.give import broker_of, connection
from agent.ctl.order import Order
from agent.ctl.session import Heard, Session
from agent.errors import InputError, LinkError, Refused
from agent.signing.envelope import open_envelope, require_site, seal
from agent.signing.files import read_regular
from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust
from agent.signing.trust import load_trust
from agent.visible import visible
from agent.wire import body as wire_body
from agent.wire import topics
from agent.wire.command import FINAL_STATES
from agent.wire.types import MessageType

TEXT_OCTETS_MAX = 48 * 1024  # wire.authority.CONFIG
SETTLE_S = 1.0  # a broker gives what it keeps at once; after this there is nothing


def add_parsers(commands: Any) -> None:
    """`config diff` and `config apply`."""
    both = commands.add_parser("config", help="the desired configuration of a tap")
    things = both.add_subparsers(required=True, metavar="COMMAND")
    diff = things.add_parser("diff", help="a file against what the tap was told last; signs and sends nothing")
    apply = things.add_parser("apply", help="sign a file, keep it at the broker, wait until the tap runs with it")
    apply.add_argument(
        "--key", type=Path, required=True, nargs="+", metavar="FILE", help="an engineer's or custodian's"
    )
    apply.add_argument("--version", type=int, default=0, metavar="N", help="default: one more than the last")
    apply.add_argument("--dry-run", action="store_true", help="as diff, with the version that it would get")
    for parser in (diff, apply):
        parser.add_argument("file", type=Path, help="a whole wardtap.toml")
        connection(parser)
    diff.set_defaults(do=_apply, dry_run=True, key=[], version=0)
    apply.set_defaults(do=_apply)


class Told:
    """What the broker keeps for one tap, as far as it is authentic, and what the tap says of itself."""

    def __init__(self, order: Order, trust: Trust) -> None:
        self.order, self._trust = order, trust
        self.version, self.text = 0, ""

    def hear(self, heard: Heard, now_ns: int) -> None:
        """One message; what cannot be verified changes nothing."""
        if heard.topic != topics.down(self.order.site, self.order.agent, "config"):
            self.order.hear(heard.topic, heard.payload, now_ns)
            return
        try:
            opened = open_envelope(heard.payload, self._trust, expect=(MessageType.CONFIG,))
            require_site(opened, self.order.site)
            _, content = wire_body.decode(MessageType.CONFIG, opened.body)
        except Refused as error:
            self.order.refusals.append(error.reason)
            return
        ours = (content["agent"], content["site"]) == (self.order.agent, self.order.site)
        if ours and content["version"] > self.version:
            self.version, self.text = content["version"], content["text"]


def _text(path: Path) -> str:
    """The file, refused here already when the tap would refuse it."""
    octets, _ = read_regular(path, TEXT_OCTETS_MAX)
    try:
        text = octets.decode()
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8 text", where=str(path)) from error
    configuration.parse(text, str(path))
    return text


def _apply(options: argparse.Namespace) -> int:
    clock = SystemClock()
    text = _text(options.file)
    trust = load_trust(options.trust, options.root, now_ns=clock.wall_ns())
    keys = [PrivateKey.load(path) for path in options.key]
    told = Told(Order(options.site, options.agent, keys, trust), trust)
    filters = [*told.order.filters(), topics.down(options.site, options.agent, "config")]
    with Session(broker_of(options), filters, CONNECT_S) as session:
        _listen(session, told, clock, SETTLE_S)
        version = options.version or told.version + 1
        if options.dry_run:
            _show(told, text, version, options)
            return 0
        if told.order.birth is None:
            raise LinkError("no verified birth of this agent came in time", todo="is its uplink connected?")
        octets = _content(told.order, text, version)
        told.order.expect(hashlib.sha256(octets).digest()[:16])
        topic = topics.down(options.site, options.agent, "config")
        session.publish(topic, seal(MessageType.CONFIG, octets, keys), retain=True)
        _listen(session, told, clock, options.wait)
    return _end(told.order, version, as_json=options.json)


def _content(order: Order, text: str, version: int) -> bytes:
    assert order.birth is not None
    content = {"agent": order.agent, "site": order.site, "key_id": order.birth.key_id, "version": version, "text": text}
    return wire_body.encode(MessageType.CONFIG, None, content)


def _listen(session: Session, told: Told, clock: Clock, wait_s: float) -> None:
    """Until the last receipt, or the time is over."""
    end_ns = clock.mono_ns() + round(wait_s * NS_PER_S)
    while (left_ns := end_ns - clock.mono_ns()) > 0:
        heard = session.next(left_ns / NS_PER_S)
        if heard is not None:
            told.hear(heard, clock.wall_ns())
        last = told.order.last
        if last is not None and last.state in FINAL_STATES:
            return


def _show(told: Told, text: str, version: int, options: argparse.Namespace) -> None:
    lines = list(
        difflib.unified_diff(
            told.text.splitlines(), text.splitlines(), f"version {told.version}", str(options.file), lineterm=""
        )
    )
    if options.json:
        print(json.dumps({"told": told.version, "version": version, "diff": lines, "sent": "nothing"}))
        return
    print("\n".join(visible(line, 1000) for line in lines) or f"nothing else than version {told.version}")
    print(f"it would be version {version}; nothing was sent")


def _end(order: Order, version: int, *, as_json: bool) -> int:
    last = order.last
    if last is None:
        raise LinkError("kept at the broker, but the tap has not answered yet", todo="it takes it at its next link")
    told = {"version": version, "state": last.state, "reason": last.reason, **views.plain(last.result)}
    print(json.dumps(told) if as_json else "\n".join(views.lines(told)))
    if last.state not in FINAL_STATES:
        raise LinkError(f"only {last.state} in time", todo="it runs with it after both its programs have started again")
    if last.state != "done":
        raise Refused(f"config {last.state}: {last.reason or 'no reason given'}", reason=last.state)
    return 0
