"""docs/privacy.md says of every field that may leave what it is: its tables are held against the code's."""

import re
from collections.abc import Iterator

from agent.packets.hints.records import KINDS
from agent.summaries.privacy import GATE, JUDGED, Form
from agent.wire.body import SCHEMAS
from agent.wire.schema import Choice, Columns, Free, ListOf, MapOf, OneOf, Places, Record, Text
from agent.wire.types import SEQUENCED, MessageType
from tests.conftest import ROOT

OUTWARD = SEQUENCED | {MessageType.BIRTH, MessageType.STATE}
WORDS = {
    Form.WORD: "token or pseudonym",
    Form.NAME: "pseudonym",
    Form.NUMBER: "number, token or pseudonym",
    Form.NEVER: "never",
}


def _page() -> str:
    return (ROOT / "docs" / "privacy.md").read_text("utf-8")


def _rows(heading: str) -> list[list[str]]:
    """Cells of the table under a heading, without its head."""
    part = _page().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _texts(field: object, path: str) -> Iterator[str]:
    """Where text may stand in a message."""
    match field:
        case Text() | Choice() | Free():
            yield path
        case MapOf():
            yield f"{path} (keys)"
            yield from _texts(field.item, path)
        case ListOf():
            yield from _texts(field.item, path)
        case Record():
            for name, inner in field.fields.items():
                yield from _texts(inner, f"{path}.{name}")
        case Places(places=inner):
            for number, place in enumerate(inner):
                yield from _texts(place, f"{path}[{number}]")
        case Columns() | OneOf():
            for number, inner in enumerate(field.fields):
                yield from _texts(inner, f"{path}[{number}]" if isinstance(field, Columns) else path)
        case _:
            return


def test_every_text_of_every_message_is_on_the_page() -> None:
    """Walked through the schemas that every message is checked against; text anywhere else is refused there."""
    there = {
        path for kind in OUTWARD for path in _texts(SCHEMAS[kind], kind.removeprefix("wardtap/").partition(".")[0])
    }
    told = [name for row in _rows("Texts in messages") for name in re.findall(r"`([^`]+)`", row[0])]
    assert sorted(told) == sorted(there)


def test_every_signal_is_on_the_page_with_its_form() -> None:
    rows = {row[0].strip("`"): row[1] for row in _rows("Signals")}
    assert rows == {kind: WORDS[GATE.get(kind, Form.NEVER)] for kind in {*KINDS, *GATE}}


def test_every_text_of_the_judge_is_on_the_page() -> None:
    part = _page().split("\n## Evidence of findings\n", 1)[1].split("\n## ", 1)[0]
    assert set(re.findall(r"`([a-z-]+)`", part)) == JUDGED
