"""A whole site in one folder - keys, trust table, configuration - to run every part by hand against one's own broker.

Everything a real site gets from enrolment in different places lies together here, private release keys included: it is
a laboratory, and the folder says so.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from agent import config as agent_config
from agent.clock import NS_PER_S, Clock
from agent.errors import InputError, StateError
from agent.signing.keys import PrivateKey
from agent.signing.trust import TrustEntry, build_trust, load_trust, root_json
from agent.wire.topics import valid_id
from agent.wire.types import Role

RELEASE_KEYS = 3
VALID_S = 366 * 86_400  # a lab that is older than a year should be made again
EARLIER_S = 366 * 86_400  # a capture that is played may be older than its lab
PEOPLE = (Role.OPERATOR, Role.ENGINEER, Role.CUSTODIAN)
SECOND = "custodian-2"  # some commands need two
NOTE = """A laboratory of wardtap, made by `wardtapctl lab`: never use its keys on a ward.

  mosquitto -c {folder}/mosquitto.conf
  wardtap-collector run --state {collector} --broker {broker}      # the page: http://127.0.0.1:8080/
  wardtap sensor --state {agent} --replay CAPTURE
  wardtap uplink --state {agent}
  wardtapctl command status --agent {name} --site {site} --key {operator}/operator.key --trust {operator}/trust.bin \\
    --broker {broker}
  wardtap-collector dump --state {collector} --json
"""
BROKER = """# Clear and open to everybody on this machine: for a laboratory only.
listener {port} 127.0.0.1
allow_anonymous true
max_packet_size 262144
"""


class Lab(NamedTuple):
    """What was made."""

    folder: Path
    agent: Path
    collector: Path
    operator: Path
    broker: str


def make_lab(folder: Path, *, site: str, agent: str, broker: str, clock: Clock) -> Lab:
    """Make it in a new or empty folder; InputError for bad names, StateError when something is in the way."""
    for name in (site, agent):
        if not valid_id(name):
            raise InputError("a site or agent is 1 to 32 of a-z, 0-9, -", where=repr(name))
    lab = Lab(folder, folder / "agent", folder / "collector", folder / "operator", broker)
    try:
        _folders(lab)
        keys = _keys(folder)
        _trust(lab, keys, site, agent, clock.wall_ns())
        _agent(lab, keys, site, agent)
        keys["collector"].save(lab.collector / "collector.key")
        for name in (*PEOPLE, SECOND):
            keys[name].save(lab.operator / f"{name}.key")
        _notes(lab, site, agent)
    except OSError as error:
        raise StateError(f"cannot be made: {error.strerror or error}", where=str(error.filename or folder)) from error
    load_trust(lab.collector / "trust.bin", now_ns=clock.wall_ns())  # what was made is what will be read
    return lab


def _folders(lab: Lab) -> None:
    lab.folder.mkdir(parents=True, exist_ok=True)
    if any(lab.folder.iterdir()):
        raise StateError("is not empty, and keys are never written over", where=str(lab.folder))
    places = ("agent/sensor/spool", "agent/requests", "agent/uplink/spool", "collector", "operator", "release")
    for place in places:
        (lab.folder / place).mkdir(mode=0o700, parents=True)


def _keys(folder: Path) -> dict[str, PrivateKey]:
    """One key per role; the release keys are kept in `release/`."""
    keys = {name: PrivateKey.generate() for name in ("agent", "collector", *PEOPLE, SECOND)}
    for number in range(1, RELEASE_KEYS + 1):
        keys[f"release-{number}"] = PrivateKey.generate()
        keys[f"release-{number}"].save(folder / "release" / f"release-{number}.key")
    return keys


def _trust(lab: Lab, keys: Mapping[str, PrivateKey], site: str, agent: str, now_ns: int) -> None:
    names = {"agent": agent, "collector": "collector"} | {str(role): str(role) for role in PEOPLE}
    first_ns, last_ns = now_ns - EARLIER_S * NS_PER_S, now_ns + VALID_S * NS_PER_S
    endless = [TrustEntry.for_key(keys[role].public, Role(role), name, site) for role, name in names.items()]
    endless.append(TrustEntry.for_key(keys[SECOND].public, Role.CUSTODIAN, SECOND, site))
    entries = [dataclasses.replace(entry, not_before_ns=first_ns, not_after_ns=last_ns) for entry in endless]
    signers = [keys["release-1"], keys["release-2"]]
    table = build_trust(entries, signers, version=1, not_after_ns=last_ns, site=site)
    root = root_json([keys[f"release-{number}"].public for number in range(1, RELEASE_KEYS + 1)])
    for place in (lab.agent / "uplink", lab.collector, lab.operator):
        (place / "trust.bin").write_bytes(table)
        (place / "trust-root.json").write_text(root, encoding="ascii")


def _agent(lab: Lab, keys: Mapping[str, PrivateKey], site: str, agent: str) -> None:
    keys["agent"].save(lab.agent / "uplink" / "agent.key")
    plain = agent_config.default(lab.agent.resolve())
    config = plain._replace(
        site=plain.site._replace(site=site, agent=agent), uplink=plain.uplink._replace(broker=lab.broker)
    )
    text = agent_config.to_toml(config)
    agent_config.parse(text, "the lab's wardtap.toml")
    (lab.agent / "wardtap.toml").write_text(text, encoding="utf-8")


def _notes(lab: Lab, site: str, agent: str) -> None:
    port = lab.broker.rsplit(":", 1)[-1].strip("/")
    port = port if port.isdigit() else "1883"
    (lab.folder / "mosquitto.conf").write_text(BROKER.format(port=port), encoding="ascii")
    places = {"folder": lab.folder, "agent": lab.agent, "collector": lab.collector, "operator": lab.operator}
    note = NOTE.format(**places, broker=lab.broker, name=agent, site=site)
    (lab.folder / "README").write_text(note, encoding="utf-8")
