"""Any change to the log shows, and the log goes on after any accident."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.commands import audit
from agent.commands.audit import AuditLog, heads, last_head, rows, verify


@pytest.fixture
def log(tmp_path: Path) -> Iterator[AuditLog]:
    made = AuditLog(tmp_path / "audit.log", SystemClock())
    for number in range(5):
        made.append("accepted", command="status", id=f"{number:032x}")
    yield made
    made.close()


def test_a_log_is_a_chain(log: AuditLog) -> None:
    found = verify(log.path)
    assert (found.number, found.head, found.broken_at) == (5, log.head, 0)


def test_it_goes_on_after_a_restart(log: AuditLog) -> None:
    log.close()
    again = AuditLog(log.path, SystemClock())
    again.append("refused", reason="expired")
    again.close()
    assert verify(log.path).number == 6
    assert verify(log.path).broken_at == 0


@pytest.mark.parametrize("change", ["altered", "deleted", "swapped", "inserted"])
def test_every_change_shows(log: AuditLog, change: str) -> None:
    lines = log.path.read_bytes().splitlines(keepends=True)
    if change == "altered":
        lines[2] = lines[2].replace(b"status", b"stotus")
    elif change == "deleted":
        del lines[2]
    elif change == "swapped":
        lines[1], lines[2] = lines[2], lines[1]
    else:
        lines.insert(2, lines[0])
    log.path.write_bytes(b"".join(lines))
    assert verify(log.path).broken_at in {2, 3}


def test_a_cut_end_shows_by_the_head_that_was_sent(log: AuditLog) -> None:
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(lines[:-1]))
    found = verify(log.path)
    assert found.broken_at == 0
    assert found.head != log.head


def test_every_octet_cut_off_or_flipped_still_lets_it_start(log: AuditLog, tmp_path: Path) -> None:
    whole = log.path.read_bytes()
    for at in range(0, len(whole), 7):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]):
            path = tmp_path / "damaged.log"
            path.write_bytes(damaged)
            again = AuditLog(path, SystemClock())
            again.append("accepted", command="status")
            again.close()
            assert path.read_bytes().startswith(damaged), "what was there stays as it was"


def test_a_large_log_is_put_away_and_the_chain_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "AUDIT_BYTES_MAX", 2000)
    log = AuditLog(tmp_path / "audit.log", SystemClock())
    for _ in range(20):
        log.append("accepted", command="status")
    log.close()
    older, newer = verify(tmp_path / "audit.log.1"), verify(tmp_path / "audit.log")
    assert older.broken_at == newer.broken_at == 0
    assert newer.number == 20
    assert older.head.hex() in (tmp_path / "audit.log").read_text().splitlines()[0]


def test_a_disk_that_refuses_is_an_error(log: AuditLog) -> None:
    os.close(log._descriptor)
    log._descriptor = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(OSError, match="space"):
        log.append("accepted")


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("")
    (tmp_path / "audit.log").symlink_to(tmp_path / "target")
    with pytest.raises(OSError):
        AuditLog(tmp_path / "audit.log", SystemClock())


def test_cut_after_it_was_put_away_the_chain_goes_on(log: AuditLog) -> None:
    log.close()
    log.path.replace(log.path.with_name("audit.log.1"))
    again = AuditLog(log.path, SystemClock())
    assert (again.number, again.head) == (5, log.head)
    again.append("accepted", command="status")
    again.close()
    assert verify(log.path).number == 6


def test_every_line_was_the_head_once(log: AuditLog) -> None:
    told = list(heads(log.path))
    assert [number for number, _ in told] == [1, 2, 3, 4, 5]
    assert told[-1][1] == log.head
    log.path.write_bytes(log.path.read_bytes() + b"{}\n")
    assert list(heads(log.path)) == told, "what is not true is no line"
    assert list(rows(log.path.with_name("none"))) == []


def test_who_may_only_read_is_told_the_last_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    assert last_head(path) is None
    log = AuditLog(path, SystemClock())
    for number in range(1, 40):
        assert last_head(path) == ((number - 1, log.head) if number > 1 else None)
        log.append("accepted", what="x" * 200)
    log.close()
    whole = path.read_bytes()
    for octets in (whole[:-1], whole + b"{", whole[:-9] + b"00000000\n", b"\n", b"x" * 9999):
        path.write_bytes(octets)
        assert last_head(path) is None
