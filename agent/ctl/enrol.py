"""`wardtapctl enrol kit` and `enrol accept`: a new tap gets a kit, asks with it, and is entered once two screens agree.

The book is a folder at the desk with one small file per kit: the hash of its token, whose it is, until when. A request
is accepted when it is signed by the key it brings, its token stands in the book, for that tap, in time - and the person
typed the fingerprint that the tap shows. The token's file goes before the table is written: it is good once.
"""

import argparse
import json
import secrets
from pathlib import Path
from typing import Any

from agent.clock import NS_PER_S, SystemClock
from agent.ctl.conversation import CONNECT_S
from agent.ctl.give import broker_of
from agent.ctl.session import Session
from agent.ctl.table import change_options, entry_for, people, write
from agent.durable import fsync_folder, write_atomically
from agent.errors import InputError, LinkError, Refused, StateError
from agent.signing.envelope import open_enrol
from agent.signing.files import read_regular
from agent.signing.keys import PublicKey
from agent.signing.kit import PEM_OCTETS_MAX, TOKEN_OCTETS, VALID_NS_MAX, Kit, token_hash, write_kit
from agent.signing.trust import ROOT_NAME, load_trust
from agent.visible import visible
from agent.wire import topics
from agent.wire.topics import valid_id
from agent.wire.types import RULES, MessageType, Role

ENTRY_BYTES_MAX = 1024


def add_parsers(commands: Any) -> None:
    """Both halves."""
    what = commands.add_parser("enrol", help="bring a new tap in").add_subparsers(required=True, metavar="COMMAND")
    kit = what.add_parser("kit", help="make a kit for one tap, good for a day")
    kit.add_argument("agent", help="the new tap's id")
    kit.add_argument("--trust", type=Path, required=True, metavar="FILE")
    kit.add_argument("--root", type=Path, metavar="FILE")
    kit.add_argument("--broker", required=True, metavar="URL")
    for name, told in (("ca", "the broker's CA"), ("certificate", "the bootstrap one"), ("tls-key", "its key")):
        kit.add_argument(f"--{name}", type=Path, metavar="FILE", help=told)
    kit.add_argument("--out", type=Path, required=True, metavar="FILE")
    kit.set_defaults(do=_kit)
    accept = what.add_parser("accept", help="enter a tap's new key into the trust table")
    accept.add_argument("file", type=Path, help="its enrol.bin")
    accept.add_argument("--fingerprint", required=True, help="as the tap shows it")
    change_options(accept)
    accept.set_defaults(do=_accept)
    wait = what.add_parser("wait", help="listen for a tap's request and show its fingerprint; changes nothing")
    wait.add_argument("agent")
    wait.add_argument("--site", required=True)
    wait.add_argument("--broker", required=True, metavar="URL")
    wait.add_argument("--wait", type=float, default=600.0, metavar="S")
    wait.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the request goes, for `accept`")
    for name in ("ca", "certificate", "tls-key"):
        wait.add_argument(f"--{name}", type=Path, metavar="FILE", help="for mqtts")
    wait.set_defaults(do=_wait)
    for parser in (kit, accept):
        parser.add_argument("--book", type=Path, required=True, metavar="DIR", help="kits that are out")


def _kit(options: argparse.Namespace) -> int:
    now_ns, trust = SystemClock().wall_ns(), load_trust(options.trust, options.root)
    if not valid_id(options.agent):
        raise InputError("an agent is 1 to 32 of a-z, 0-9, -", where=repr(options.agent))
    if any(entry.name == options.agent for entry in trust.agents()):
        raise Refused(f"{options.agent} is in the table already", reason="wrong-agent", todo="revoke it first")
    kit = Kit(
        site=trust.site,
        agent=options.agent,
        token=secrets.token_bytes(TOKEN_OCTETS),
        issued_ns=now_ns,
        not_after_ns=now_ns + VALID_NS_MAX,
        broker=options.broker,
        trust=read_regular(options.trust, RULES[MessageType.TRUST].sealed_bytes_max)[0],
        root=_text(options.root or options.trust.with_name(ROOT_NAME)),
        ca=_text(options.ca),
        certificate=_text(options.certificate),
        key=_text(options.tls_key),
    )
    octets = write_kit(kit)
    if options.out.exists():
        raise StateError("exists, and a kit is never written over", where=str(options.out))
    row = {"agent": kit.agent, "site": kit.site, "not_after_ns": kit.not_after_ns}
    write_atomically(options.book / token_hash(kit.token), json.dumps(row).encode(), 0o600)
    write_atomically(options.out, octets, 0o600)
    print(f"{options.out}: for {kit.agent} at {kit.site}, good once and for a day; bring it by hand")
    return 0


def _text(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return read_regular(path, PEM_OCTETS_MAX)[0].decode("ascii")
    except UnicodeDecodeError as error:
        raise InputError("is no text of certificates", where=str(path)) from error


def _accept(options: argparse.Namespace) -> int:
    content, key = open_enrol(read_regular(options.file, RULES[MessageType.ENROL].sealed_bytes_max)[0])
    present, now_ns = load_trust(options.trust, options.root), SystemClock().wall_ns()
    if options.out.exists():
        raise StateError("exists, and a table is never written over", where=str(options.out))
    place = options.book / token_hash(content["token"])
    row = _row(place)
    if (row["agent"], row["site"]) != (content["agent"], content["site"]) or content["site"] != present.site:
        raise Refused(f"the token is not that of {content['agent']} at {content['site']}", reason="wrong-agent")
    if now_ns > row["not_after_ns"]:
        raise Refused("the kit is older than a day", reason="expired", todo="make another one")
    if options.fingerprint.strip().lower() != key.fingerprint:
        raise Refused(f"this request's key is {key.fingerprint}", reason="wrong-key", todo="look at the tap's screen")
    entry = entry_for(key, Role.AGENT, content["agent"], present.site, now_ns)
    place.unlink()  # good once, whatever comes after
    fsync_folder(options.book)
    write(options, present, [*people(present), entry])
    print(f"entered: {entry.name} {key.fingerprint} on {visible(content['hardware']) or 'hardware that says nothing'}")
    return 0


def _wait(options: argparse.Namespace) -> int:
    """The first request signed by the key it brings that names this tap; whether it is this tap, a person sees."""
    clock = SystemClock()
    end_ns = clock.mono_ns() + round(options.wait * NS_PER_S)
    with Session(broker_of(options), [topics.up(options.site, options.agent, "enrol")], CONNECT_S) as session:
        while (left_ns := end_ns - clock.mono_ns()) > 0:
            heard = session.next(left_ns / NS_PER_S)
            key = _asked(heard.payload, options) if heard is not None else None
            if heard is not None and key is not None:
                write_atomically(options.out, heard.payload)
                print(f"{options.out}: {options.agent} asks with {key.fingerprint}; compare it with the tap's screen")
                return 0
    raise LinkError("no request of this tap came in time", todo="`wardtap enrol --kit FILE --send` on the tap")


def _asked(payload: bytes, options: argparse.Namespace) -> PublicKey | None:
    try:
        content, key = open_enrol(payload)
    except Refused:
        return None
    return key if (content["agent"], content["site"]) == (options.agent, options.site) else None


def _row(place: Path) -> dict[str, Any]:
    try:
        row = json.loads(place.read_bytes()[:ENTRY_BYTES_MAX])
        return {"agent": str(row["agent"]), "site": str(row["site"]), "not_after_ns": int(row["not_after_ns"])}
    except FileNotFoundError as error:
        raise Refused("its token is in no kit of this book, or was used", reason="unknown-token") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StateError("this line of the book cannot be read", where=str(place)) from error
