"""What is refused by a form says what the form is; every command has one."""

from agent.commands.forms import FORMS, fits
from agent.commands.handlers import HANDLERS
from agent.commands.requests import REQUESTS


def test_every_command_has_a_form() -> None:
    assert set(FORMS) == set(HANDLERS)
    assert set(REQUESTS) - {"cards"} <= set(FORMS), "what the sensor takes, a person can order"


def test_a_person_is_told_the_form() -> None:
    assert fits("status", {}) == ""
    assert "no arguments" in fits("status", {"x": 1})
    assert "1 to 60" in fits("record-headers", {"device": "00:d0:75:18:42:9b", "seconds": 99})
    assert "no command" in fits("format-disk", {})


def test_what_is_no_text_is_no_reason() -> None:
    assert fits("hold", {"why": "theatre 3"}) == ""
    for why in ("", "x" * 65, "two\nlines", 7, None):
        assert fits("hold", {"why": why})
