"""The status file's form: what is written is what is read; what is anything else is refused, whoever wrote it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from agent.errors import InputError
from agent.service.status import (
    FILE_BYTES_MAX,
    RUNTIME,
    STATE,
    TALKERS_MAX,
    TEXT_MAX,
    WHOLE_MAX,
    BoardStatus,
    LegStatus,
    SpoolStatus,
    Status,
    Talker,
    load,
    parse,
    places,
    status_file,
)
from agent.tap.records import LEGS_MAX
from tests.service.bench import status_of


def test_written_and_read() -> None:
    for status in (status_of(), status_of(talkers=(), legs=()), status_of(board=BoardStatus(temperature_mc=-1))):
        assert parse(status.to_json()) == status


def test_the_largest_is_within_the_bound() -> None:
    """Longest texts, largest numbers, all rows."""
    most, text = WHOLE_MAX - 1, "\u0394" * TEXT_MAX  # six octets each in JSON

    def fill(kind: Any) -> Any:
        return kind(**{name: text if form is str else most for name, form in kind.__annotations__.items()})

    plain = {name: text if form is str else most for name, form in Status.__annotations__.items()}
    rows = {
        "legs": (fill(LegStatus),) * LEGS_MAX,
        "talkers": (fill(Talker),) * TALKERS_MAX,
        "spool": fill(SpoolStatus),
        "board": fill(BoardStatus),
        "version": 1,
    }
    status = Status(**(plain | rows))
    assert len(status.to_json()) < FILE_BYTES_MAX
    assert parse(status.to_json()) == status


def changed(**fields: Any) -> bytes:
    """A status with other fields."""
    held = json.loads(status_of().to_json())
    return json.dumps(held | fields).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\xff", b"[]", b"1", b"{}", b'{"version":1}', b"[" * 5000, b" " * (FILE_BYTES_MAX + 1),
        changed(version=2), changed(more=1), changed(pid="1"), changed(pid=True), changed(pid=1.5), changed(pid=None),
        changed(pid=1 << 63), changed(agent=1), changed(legs={}), changed(legs=[1]), changed(talkers=[{"mac": "a"}]),
        changed(legs=[status_of().legs[0]._asdict()] * 17), changed(spool=[]), changed(board={"temperature_mc": "hot"}),
    ],
)  # fmt: skip
def test_anything_else_is_refused(raw: bytes) -> None:
    with pytest.raises(InputError, match=r"^place: is no status") as refused:
        parse(raw, "place")
    assert refused.value.where == "place"


def test_texts_are_cut_and_printable() -> None:
    assert parse(changed(agent="a\x1b[2Jb\nc\u202e")).agent == "a⟨U+001B⟩[2Jb⟨U+000A⟩c⟨U+202E⟩"
    assert len(parse(changed(site="x" * 10_000)).site) == TEXT_MAX + 1


def test_where_it_lies(tmp_path: Path) -> None:
    assert status_file(tmp_path, {}) == tmp_path / "sensor" / "status.json"
    assert status_file(tmp_path, {"RUNTIME_DIRECTORY": "/run/a:/run/b"}) == Path("/run/a/status.json")
    assert places(None) == places(STATE) == (RUNTIME / "status.json", STATE / "sensor" / "status.json")
    assert places(tmp_path) == (tmp_path / "sensor" / "status.json",)


def test_the_newest_is_read(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    assert load((old, new)) is None
    old.write_bytes(status_of(devices=1).to_json())
    os.utime(old, (1, 1))
    assert load((old, new)) == (status_of(devices=1), old)
    new.write_bytes(status_of(devices=2).to_json())
    assert load((old, new)) == (status_of(devices=2), new)
    new.unlink()
    new.symlink_to(old)
    os.utime(new, (2, 2))
    assert load((old, new)) == (status_of(devices=1), old), "a link leads nowhere"
    old.write_bytes(b"x")
    with pytest.raises(InputError, match="is no status file"):
        load((old,))
