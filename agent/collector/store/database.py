"""Opening the collector's file, and saying in one line why SQLite refuses.

WAL so that readers never wait for the writer; synchronous=FULL so that COMMIT returns after fsync
(sqlite.org/pragma.html): an acknowledgement is only worth something after that.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from agent.collector.store.migrations import MIGRATIONS
from agent.errors import StateError

FILE_NAME = "collector.sqlite3"
BUSY_MS = 2_000  # another process (a backup, `dump`) may hold the file this long before a batch is put off
CACHE_KIB = 16_384


def open_writer(path: Path) -> sqlite3.Connection:
    """A connection that may write, with every migration applied; StateError when the file cannot be used."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise StateError(_plain(error), where=str(path), todo="is the state directory there and yours?") from error
    try:
        path.chmod(0o600)  # an inventory of a ward is nobody else's business
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        _migrate(connection, path)
    except (OSError, sqlite3.Error) as error:
        connection.close()
        raise StateError(_plain(error), where=str(path)) from error
    except StateError:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A read-only connection; StateError when there is nothing to read or a newer release wrote it."""
    if not path.is_file():
        raise StateError("no collector database here", where=str(path), todo="start `wardtap-collector run` first")
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro", uri=True, timeout=BUSY_MS / 1000, isolation_level=None
        )
    except sqlite3.Error as error:
        raise StateError(_plain(error), where=str(path)) from error
    try:
        connection.row_factory = sqlite3.Row
        _check_version(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise StateError(_plain(error), where=str(path)) from error
    except StateError:
        connection.close()
        raise
    return connection


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version != len(MIGRATIONS):
        raise StateError(f"database version {version}, this release reads {len(MIGRATIONS)}", where=str(path))


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of it or nothing of it; StateError when SQLite will not (locked, full, damaged), with nothing changed."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    except sqlite3.Error as error:
        raise StateError(_plain(error), where="collector database", todo=_todo(error)) from error


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        todo = "start the release that wrote it"
        raise StateError(f"database version {version} is newer than this release", where=str(path), todo=todo)
    for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
        with transaction(connection):
            if int(connection.execute("PRAGMA user_version").fetchone()[0]) >= number:
                continue  # another process was faster
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={number}")


def _plain(error: Exception) -> str:
    return str(error) or type(error).__name__


def _todo(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorname", "") or ""
    if code.startswith("SQLITE_FULL"):
        return "free some space; nothing was acknowledged, the taps will send it again"
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another program holds the file; it is tried again"
    return ""
