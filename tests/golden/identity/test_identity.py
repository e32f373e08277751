"""Who the devices of real captures are taken to be: the committed table, and what must hold of it."""

from functools import cache
from pathlib import Path

import pytest

from agent.devices.identity import is_random
from agent.devices.packs import Packs
from agent.devices.roles import ROLES
from tests.golden.identity import make
from tests.golden.identity.score import Row, scores, table, total
from tests.simulators.bursts import HASHES

pytestmark = [pytest.mark.captures, HASHES]
AGAIN = "if this is meant: python -m tests.golden.identity.make --write, and say why in the commit"


@cache
def _rows(captures: Path) -> list[Row]:
    return make.rows(captures)


def test_the_table_is_what_identity_says(captures: Path) -> None:
    told, wanted = make.text(_rows(captures)).splitlines(), make.TABLE.read_text("utf-8").splitlines()
    assert [line for line in told if line not in wanted] == [], AGAIN
    assert told == wanted, AGAIN


def test_every_device_with_a_truth_was_heard(captures: Path) -> None:
    heard = {(row.capture, row.device) for row in _rows(captures)}
    assert sorted(make.truth().keys() - heard) == []
    assert {role for role, _ in make.truth().values()} <= {*ROLES, ""}


def test_right_or_unknown_and_never_surely_wrong(captures: Path) -> None:
    assert [row for row in _rows(captures) if row.verdict() == "WRONG"] == []
    assert [row for row in _rows(captures) if row.surely_wrong()] == []
    assert (total(_rows(captures)).recall or 0) >= 0.95


def test_the_maker_is_told_wherever_the_registry_has_the_block(captures: Path) -> None:
    packs = Packs.load()
    assert [row for row in _rows(captures) if row.vendor_wrong()] == []
    silent = []
    for row in _rows(captures):
        if len(row.device) == 17 and ":" in row.device and not row.vendor:
            mac = int(row.device.replace(":", ""), 16)
            if not is_random(mac) and packs.vendor(mac) is not None:
                silent.append(row)
    assert silent == []


def test_the_page_has_the_figures(captures: Path) -> None:
    page = make.PAGE.read_text("utf-8")
    assert make.page(_rows(captures), page) == page, AGAIN


def _row(truth: str, said: str, confidence: float = 0.9, maker: str = "", vendor: str = "") -> Row:
    return Row("a/b", "00:00:00:00:00:01", truth, said, confidence, maker, vendor)


def test_how_it_is_scored() -> None:
    rows = [_row("pacs", "pacs"), _row("pacs", "unknown", 0.0), _row("phone", "pacs", 0.5), _row("", "printer")]
    pacs, phone = scores(rows)
    assert (pacs.precision, pacs.recall, pacs.unknown, pacs.falsely) == (0.5, 0.5, 1, 1)
    assert (phone.precision, phone.recall) == (None, 0.0)
    assert [row.verdict() for row in rows] == ["right", "unknown", "WRONG", "-"]
    assert not any(row.surely_wrong() for row in rows)
    assert _row("phone", "pacs", 0.61).surely_wrong()
    assert _row("", "", 0, "Dell", "Dell").vendor_wrong() is False
    assert _row("", "", 0, "Dell", "").vendor_wrong()
    assert table(rows)[-1] == "| all | 3 | 1 | 1 | 1 | 0.50 | 0.33 |"
