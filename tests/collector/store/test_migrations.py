import re
import sqlite3
from contextlib import closing

from agent.collector.store.migrations import MIGRATIONS


def test_every_step_runs_on_what_the_steps_before_it_made() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in MIGRATIONS:
            for statement in step:
                connection.execute(statement)  # would refuse two statements in one string
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
        assert {"records", "devices", "findings", "notices", "run_totals"} <= names
        for name in names:
            connection.execute(f"SELECT * FROM {name}")  # views name columns that exist


def test_records_are_found_by_agent_run_stream_and_number() -> None:
    text = next(statement for statement in MIGRATIONS[0] if "CREATE TABLE records " in statement)
    assert re.search(r"PRIMARY KEY \(agent, run, stream, seq\)\) WITHOUT ROWID$", text)
