"""`wardtap enrol`: a new tap takes its kit, makes its key and asks to be entered. No trust on first use.

Everything of the kit is checked before a file is written: the table against the root that came with it, the names, the
time. What is written can be written again after a cut; a tap that has another root or is entered already is not
enrolled over it. The request is a sealed `enrol.v1`, signed by the new key; it is carried to the desk as a file, and a
person compares the fingerprint that both screens show.
"""

import json
from pathlib import Path

from agent.clock import Clock, boot_id
from agent.durable import write_atomically
from agent.errors import Refused, StateError
from agent.service.timekeeping import FILE_NAME as TIME_NAME
from agent.signing.envelope import seal
from agent.signing.keys import ALGORITHM, PrivateKey
from agent.signing.kit import Kit
from agent.signing.trust import ROOT_NAME, load_trust, open_trust, parse_root
from agent.wire import body
from agent.wire.types import MessageType

REQUEST_NAME = "enrol.bin"
HARDWARE = (Path("/sys/firmware/devicetree/base/serial-number"), Path("/etc/machine-id"))
HARDWARE_OCTETS_MAX = 64
TLS_FILES = {"ca": "ca.pem", "certificate": "bootstrap.pem", "key": "bootstrap.key"}


def hardware_id(places: tuple[Path, ...] = HARDWARE) -> str:
    """The board's serial number, or this system's id; empty where neither is told."""
    for place in places:
        try:
            text = place.read_bytes()[:HARDWARE_OCTETS_MAX].decode("ascii", "replace").strip("\0 \n")
        except OSError:
            continue
        if text.isprintable():
            return text
    return ""


def enrol(kit: Kit, state: Path, site: str, agent: str, clock: Clock) -> str:
    """Lay the uplink's files and the request; the fingerprint to compare.

    Refused: `wrong-agent`, `expired-kit` and the reasons of a trust table; StateError when it is enrolled already.
    """
    if (kit.site, kit.agent) != (site, agent):
        what = f"is for {kit.agent} at {kit.site}, this is {agent} at {site}"
        raise Refused(what, reason="wrong-agent", todo="name site and agent in wardtap.toml as the kit does")
    if clock.state()[0] == "synced" and clock.wall_ns() > kit.not_after_ns:
        raise Refused("the kit is older than a day", reason="expired-kit", todo="have another one made")
    own = state / "uplink"
    _check_trust(kit, own)
    (own / "tls").mkdir(parents=True, exist_ok=True)
    key = _key(own / "agent.key")
    write_atomically(own / ROOT_NAME, kit.root.encode())
    write_atomically(own / "trust.bin", kit.trust)
    write_atomically(own / TIME_NAME, json.dumps({"told_ns": kit.issued_ns}).encode())
    for field, name in TLS_FILES.items():
        text: str = getattr(kit, field)
        if text:
            write_atomically(own / "tls" / name, text.encode(), 0o600 if field == "key" else 0o640)
    write_atomically(own / REQUEST_NAME, request(kit, key))
    return key.public.fingerprint


def request(kit: Kit, key: PrivateKey) -> bytes:
    """The sealed `enrol.v1`: token, new key, hardware, signed with that key."""
    content = {
        "agent": kit.agent,
        "site": kit.site,
        "token": kit.token,
        "public": key.public.raw,
        "algorithm": ALGORITHM,
        "hardware": hardware_id(),
        "boot": boot_id(),
    }
    return seal(MessageType.ENROL, body.encode(MessageType.ENROL, None, content), [key])


def _check_trust(kit: Kit, own: Path) -> None:
    table = open_trust(kit.trust, parse_root(kit.root.encode(), "the kit's root"))
    if table.site != kit.site:
        raise Refused(f"its trust table is of {table.site}", reason="wrong-site")
    if (own / ROOT_NAME).exists() and (own / ROOT_NAME).read_bytes() != kit.root.encode():
        raise StateError("has another root", where=str(own / ROOT_NAME), todo="a kit never changes who is trusted")
    if (own / "trust.bin").exists():
        present = load_trust(own / "trust.bin", own / ROOT_NAME)
        if any(entry.name == kit.agent for entry in present.agents()) or present.version > table.version:
            raise StateError("is enrolled already", where=str(own), todo="rotate-key changes its key")


def _key(path: Path) -> PrivateKey:
    """The new key, made once: a kit that is taken again asks for the same."""
    if not path.exists():
        PrivateKey.generate().save(path)
    return PrivateKey.load(path)
