"""Who may touch what came from the wire: a payload, a name; each row with its reason. The rest never sees one."""

import ast
from pathlib import Path

import pytest

from tests.house.tree import python_files, syntax

SENSOR = [
    f"agent/{room}" for room in ("tap", "packets", "flows", "devices", "findings", "summaries", "spool", "service")
]
# attribute -> files of the sensor that may use it
TOUCHED: dict[str, dict[str, str]] = {
    "payload": {
        "agent/packets/news.py": "copies it out of the ring, and says its length",
        "agent/service/pipeline.py": "gives it to its reader, and forgets it",
        "agent/service/uplink.py": "another payload: signed messages of the broker; this process sees no packet",
        "agent/service/people_desk.py": "as the uplink: commands and configurations, signed",
    },
    "names": {
        "agent/devices/identity.py": "gathers them",
        "agent/devices/view.py": "keeps the table of names by address, and asks it nothing",
        "agent/service/replay.py": "asks that table for a flow's responder, and gives the answer to the gate",
        "agent/service/lines.py": "prints them through the gate, or plain to the person with the capture",
        "agent/summaries/builder.py": "gives them to the gate",
        "agent/service/labels.py": "behind the gate: puts an operator's word before the pseudonyms",
        "agent/findings/ledger.py": "other names: members of a group of findings",
    },
}
QUIET = [f"agent/{room}" for room in ("tap", "packets", "flows", "spool")]  # they hold octets and show none


@pytest.mark.parametrize("attribute", TOUCHED)
def test_only_those_touch_it(attribute: str) -> None:
    found = {
        str(path)
        for path in python_files(*SENSOR)
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Attribute) and node.attr == attribute
    }
    assert found == set(TOUCHED[attribute])


def _shows(node: ast.AST) -> bool:
    """Whether code makes a picture of a value for a person: `!r`, `!a`, repr(), ascii(), print()."""
    if isinstance(node, ast.FormattedValue):
        return node.conversion in {ord("r"), ord("a")}
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"repr", "ascii", "print"}


@pytest.mark.parametrize("room", QUIET)
def test_rooms_that_hold_octets_show_none(room: str) -> None:
    shown = [
        f"{path}:{getattr(node, 'lineno', 0)}"
        for path in python_files(room)
        for node in ast.walk(syntax(path))
        if _shows(node)
    ]
    assert not shown


def test_nobody_of_the_sensor_has_a_log() -> None:
    """A log is a way out that no gate stands before: what the sensor says are the few lines of its own."""
    for path in python_files(*SENSOR):
        if path == Path("agent/service/embedded_broker.py"):  # the demo's, which silences a library
            continue
        imported = {
            alias.name for node in ast.walk(syntax(path)) if isinstance(node, ast.Import) for alias in node.names
        }
        assert not imported & {"logging", "traceback", "pdb", "cgitb", "warnings"}, str(path)
