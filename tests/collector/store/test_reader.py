from pathlib import Path

import pytest

from agent.collector.store.reader import reading
from agent.errors import StateError
from tests.collector.conftest import Deliver
from tests.simulators.reporter import Reporter

COUNT = "SELECT count(*) AS n FROM records"


def test_all_questions_of_a_page_see_one_moment(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    deliver(tap.summary())
    with reading(tmp_path) as reader:
        assert reader.rows(COUNT) == [{"n": 1}]
        deliver(tap.summary())  # the writer does not wait for the reader
        assert reader.rows(COUNT) == [{"n": 1}]
    with reading(tmp_path) as reader:
        assert reader.rows(COUNT) == [{"n": 2}]


def test_a_question_that_cannot_be_answered_is_a_state_error(store: object, tmp_path: Path) -> None:
    with reading(tmp_path) as reader, pytest.raises(StateError):
        reader.rows("SELECT * FROM nothing")


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(StateError), reading(tmp_path / "nowhere"):
        pass
