"""A line of the doctor is one line, whatever a name or an error holds."""

from agent.errors import ConfigError, PermissionNeeded
from agent.service.check import LINE_MAX, Level, fail, failed, ok, warn


def test_as_people_read_it() -> None:
    assert str(ok("leg", "eth1", "up")) == "ok    leg         eth1: up"
    assert str(warn("heat", "", "81 °C", "give it air")) == "warn  heat        81 °C -> give it air"
    assert str(fail("key", "/k", "open", "chmod", PermissionNeeded)) == "fail  key         /k: open -> chmod"


def test_an_error_becomes_a_failure_of_its_kind() -> None:
    check = failed("config", ConfigError("tap.legz is no key", where="a.toml:2", todo="legs"))
    assert (check.level, check.kind.exit_code) == (Level.FAIL, 2)
    assert str(check) == "fail  config      a.toml:2: tap.legz is no key -> legs"


def test_one_line() -> None:
    told = str(warn("leg", "a\nb\x1b[2J", "x" * 1000))
    assert told.isprintable()
    assert len(told.replace("⟨U+000A⟩", "?").replace("⟨U+001B⟩", "?")) == LINE_MAX + 1, "a hidden one counts as one"
