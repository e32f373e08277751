"""Births and states: the newest of each tap. An unsigned will is kept, and shown as the hint that it is."""

import json
import sqlite3

from agent.collector.records import Presence
from agent.wire.presence import Birth, State


def enter_presence(connection: sqlite3.Connection, presence: Presence) -> None:
    """Remember who a tap says it is, or how it is."""
    connection.execute("INSERT OR IGNORE INTO taps (site, agent) VALUES (?,?)", (presence.site, presence.agent))
    if isinstance(presence.content, Birth):
        _birth(connection, presence, presence.content)
    else:
        _state(connection, presence, presence.content)


def _birth(connection: sqlite3.Connection, presence: Presence, birth: Birth) -> None:
    # A broker may hand out an old retained birth of this boot: the newer one stays.
    connection.execute(
        """UPDATE taps SET boot=?, run=?, version=?, contracts=?, legs=?, born_ns=?, born_mono_ns=?
           WHERE site=? AND agent=? AND NOT (boot=? AND born_mono_ns>?)""",
        (
            *(birth.boot, birth.run, birth.version, birth.contracts, json.dumps(list(birth.legs))),
            *(presence.received_ns, birth.mono_ns, presence.site, presence.agent, birth.boot, birth.mono_ns),
        ),
    )


def _state(connection: sqlite3.Connection, presence: Presence, state: State) -> None:
    connection.execute(
        "UPDATE taps SET state=?, state_signed=?, state_ns=? WHERE site=? AND agent=?",
        (state.state, int(presence.signed), presence.received_ns, presence.site, presence.agent),
    )
