import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.collector.store.database import FILE_NAME, open_reader, open_writer, transaction
from agent.collector.store.migrations import MIGRATIONS
from agent.errors import StateError


def test_a_new_file_is_wal_full_private_and_complete(tmp_path: Path) -> None:
    with closing(open_writer(tmp_path / "state" / FILE_NAME)) as connection:
        pragma = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
        assert pragma == {"journal_mode": "wal", "synchronous": 2}
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    assert (tmp_path / "state" / FILE_NAME).stat().st_mode & 0o077 == 0


def test_migrations_run_once_and_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / FILE_NAME
    open_writer(path).close()
    extended = (*MIGRATIONS, ("CREATE TABLE later (x)", "INSERT INTO later VALUES (1)"))
    monkeypatch.setattr("agent.collector.store.database.MIGRATIONS", extended)
    for _ in range(2):
        with closing(open_writer(path)) as connection:
            assert connection.execute("SELECT x FROM later").fetchall() == [(1,)]


def test_a_migration_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / FILE_NAME
    open_writer(path).close()
    broken = (*MIGRATIONS, ("CREATE TABLE half (x)", "this is no SQL"))
    monkeypatch.setattr("agent.collector.store.database.MIGRATIONS", broken)
    with pytest.raises(StateError):
        open_writer(path)
    monkeypatch.undo()
    with closing(open_writer(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master WHERE name='half'").fetchall() == []


def test_a_file_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with closing(open_writer(path)) as connection:
        connection.execute("PRAGMA user_version=99")
    for opener in (open_writer, open_reader):
        with pytest.raises(StateError, match="99"):
            opener(path)


@pytest.mark.parametrize(
    "content", [b"this is not a database at all, far from it" * 50, b"SQLite format 3\x00" + bytes(4000)]
)
def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    for opener in (open_writer, open_reader):
        with pytest.raises(StateError) as caught:
            opener(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no collector database"):
        open_reader(tmp_path / FILE_NAME)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StateError):
        open_writer(tmp_path / "file" / FILE_NAME)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    open_writer(tmp_path / FILE_NAME).close()
    with (
        closing(open_reader(tmp_path / FILE_NAME)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM records")


def test_a_fault_of_ours_rolls_back_too(tmp_path: Path) -> None:
    with closing(open_writer(tmp_path / FILE_NAME)) as connection:

        def half() -> None:
            with transaction(connection):
                connection.execute("INSERT INTO counters VALUES ('x', 1)")
                raise RuntimeError("ours")

        with pytest.raises(RuntimeError):
            half()
        assert connection.execute("SELECT count(*) FROM counters").fetchone() == (0,)
        assert not connection.in_transaction
