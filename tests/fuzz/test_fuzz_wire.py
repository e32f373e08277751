"""The bodies' fuzzer: its judge sees a broken promise, its short run finds none."""

import importlib.util
import os
import subprocess
import sys
from typing import Any

import pytest

from agent.wire import tables
from agent.wire.summary import Summary
from agent.wire.types import MessageType
from tests.conftest import ROOT
from tests.fuzz.wire_cases import KINDS, case_of, judge, seeds

SHORT_S = "2"
HERE = importlib.util.find_spec("atheris") is not None


def test_every_seed_keeps_the_promise() -> None:
    cases = list(seeds())
    assert {case[0] for case in cases} == set(range(len(KINDS)))
    for case in (b"", b"\x00", *cases):
        judge(case)
        for at in range(0, len(case), 7):  # cut, and one octet another
            judge(case[:at])
            judge(case[:at] + bytes((case[at] ^ 0x81,)) + case[at + 1 :])


def test_a_broken_promise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    good = next(case for case in seeds() if KINDS[case[0]] == MessageType.SUMMARY)
    take = tables.take_edges

    def forgets(*columns: Any) -> list[Any]:
        return take(*columns)[1:]

    monkeypatch.setattr(tables, "take_edges", forgets)
    with pytest.raises(AssertionError):
        judge(good)


def test_another_exception_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: Any) -> Summary:
        raise IndexError

    monkeypatch.setattr(Summary, "from_content", breaks)
    with pytest.raises(IndexError):
        judge(next(case for case in seeds() if KINDS[case[0]] == MessageType.SUMMARY))


def test_cases_name_their_type() -> None:
    assert case_of(MessageType.EPOCH, b"x")[0] == KINDS.index(MessageType.EPOCH)


@pytest.mark.skipif(not HERE, reason="atheris is not installed (no wheel for this machine): tests/fuzz/README.md")
def test_short_run() -> None:
    words = [sys.executable, "-m", "tests.fuzz.fuzz_wire", "--seconds", SHORT_S]
    done = subprocess.run(
        words, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, errors="replace"
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    runs = [line.split()[1] for line in said.splitlines() if line.startswith("stat::number_of_executed_units")]
    assert [int(run) > 10 for run in runs] == [True], said[-2000:]
