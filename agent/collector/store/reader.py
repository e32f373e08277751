"""Reading the collector's file beside the writer: each question sees one consistent moment (WAL)."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.collector.store.database import FILE_NAME, open_reader
from agent.errors import StateError

Row = dict[str, Any]


class Reader:
    """One consistent view of the store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows of a question, as column -> value."""
        return list(self.stream(sql, parameters))

    def stream(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[Row]:
        """The rows one by one; for answers that may be large."""
        try:
            for row in self._connection.execute(sql, parameters):
                yield dict(row)
        except sqlite3.Error as error:
            raise StateError(str(error), where="collector database") from error


@contextmanager
def reading(state: Path) -> Iterator[Reader]:
    """A reader of the store in a state directory; StateError when there is none."""
    connection = open_reader(state / FILE_NAME)
    try:
        connection.execute("BEGIN")  # one moment for all questions of a page
        yield Reader(connection)
    finally:
        connection.close()
