"""A tap's log against what it reported: changed, cut at the end, made anew - each shows; an honest one does not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.commands import audit as log_module
from agent.commands.audit import HEAD_EVENT, NO_HEAD, AuditLog
from agent.ctl.audit import judge
from agent.ctl.cli import main

Out = pytest.CaptureFixture[str]
REPORTED = (2, 4, 7)  # after these lines the tap told its head


class Pair:
    """A tap's log, and the collector's with the heads that it reported."""

    def __init__(self, folder: Path) -> None:
        self.tap, self.collector = folder / "tap.log", folder / "collector.log"
        self.heads = self.write(self.tap)
        notes = AuditLog(self.collector, SystemClock())
        for number in REPORTED:
            notes.append(HEAD_EVENT, site="ward", agent="tap-1", head=self.heads[number - 1].hex())
            notes.append("receipt", agent="tap-1", command="status", state="done")
        notes.close()

    @staticmethod
    def write(path: Path, lines: int = 8) -> list[bytes]:
        log = AuditLog(path, SystemClock())
        found = [log.append("accepted", command="status", id=f"{number:032x}") for number in range(lines)]
        log.close()
        return found


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def test_an_honest_log(pair: Pair, capsys: Out) -> None:
    assert main(["audit", "verify", str(pair.tap), "--heads", str(pair.collector), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"lines": 8, "head": pair.heads[-1].hex(), "compared": 3, "fault": ""}
    assert main(["audit", "verify", str(pair.collector)]) == 0


def _cut(pair: Pair, lines: int) -> None:
    kept = pair.tap.read_bytes().splitlines(keepends=True)[:lines]
    pair.tap.write_bytes(b"".join(kept))


def _anew(pair: Pair) -> None:
    pair.tap.unlink()
    pair.write(pair.tap, 9)


def _altered(pair: Pair) -> None:
    pair.tap.write_bytes(pair.tap.read_bytes().replace(b'"n":3', b'"n":9'))


def _without_a_line(pair: Pair) -> None:
    lines = pair.tap.read_bytes().splitlines(keepends=True)
    pair.tap.write_bytes(b"".join([*lines[:4], *lines[5:]]))


SPOILED: dict[str, tuple[Callable[[Pair], object], str]] = {
    "cut before the last report": (lambda pair: _cut(pair, 6), "missing"),
    "cut to nothing": (lambda pair: _cut(pair, 0), "no head"),
    "made anew": (_anew, "no head"),
    "a word changed": (_altered, "chain breaks"),
    "a line taken out": (_without_a_line, "chain breaks"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_every_change_shows(pair: Pair, name: str, capsys: Out) -> None:
    spoil, said = SPOILED[name]
    spoil(pair)
    assert main(["audit", "verify", str(pair.tap), "--heads", str(pair.collector)]) == 7
    assert said in capsys.readouterr().err


def test_what_was_not_reported_yet_may_be_missing(pair: Pair) -> None:
    """The chain alone cannot know it, and the page says so."""
    _cut(pair, 7)
    assert judge(pair.tap, pair.collector, "tap-1").fault == ""


def test_a_tap_that_reported_before_its_first_line_is_honest_and_one_that_tells_of_nothing_later_is_not(
    tmp_path: Path,
) -> None:
    """What a lab and the demo do: the uplink has a link before anything was decided."""
    log, collector = tmp_path / "tap.log", tmp_path / "collector.log"
    heads = Pair.write(log, 3)
    for told, honest in (((NO_HEAD, heads[1]), True), ((NO_HEAD, heads[1], NO_HEAD), False), ((NO_HEAD,), True)):
        collector.unlink(missing_ok=True)
        notes = AuditLog(collector, SystemClock())
        for head in told:
            notes.append(HEAD_EVENT, site="ward", agent="tap-1", head=head.hex())
        notes.close()
        assert (judge(log, collector, "tap-1").fault == "") is honest, told


def test_the_collectors_log_must_be_whole_itself(pair: Pair, capsys: Out) -> None:
    lines = pair.collector.read_bytes().splitlines(keepends=True)
    pair.collector.write_bytes(b"".join(lines[1:3] + lines[4:]))
    assert main(["audit", "verify", str(pair.tap), "--heads", str(pair.collector)]) == 7
    assert "collector.log" in capsys.readouterr().err


def test_heads_of_several_taps_are_told_apart(pair: Pair, capsys: Out) -> None:
    notes = AuditLog(pair.collector, SystemClock())
    notes.append(HEAD_EVENT, site="ward", agent="tap-2", head=bytes([2] * 32).hex())
    notes.close()
    assert main(["audit", "verify", str(pair.tap), "--heads", str(pair.collector)]) == 2
    assert "--agent" in capsys.readouterr().err
    assert judge(pair.tap, pair.collector, "tap-1").fault == ""
    assert judge(pair.tap, pair.collector, "tap-2").fault


def test_a_part_that_was_put_away_belongs_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "AUDIT_BYTES_MAX", 1500)
    pair = Pair(tmp_path)
    assert pair.tap.with_name("tap.log.1").exists()
    assert judge(pair.tap, pair.collector, "").fault == ""
    older = pair.tap.with_name("tap.log.1")
    older.write_bytes(b"".join(older.read_bytes().splitlines(keepends=True)[:-1]))
    assert "go on where" in judge(pair.tap, None, "").fault


def test_no_log_is_said(tmp_path: Path, capsys: Out) -> None:
    assert main(["audit", "verify", str(tmp_path / "none")]) == 2
    assert "no such log" in capsys.readouterr().err
