"""The readers' fuzzer: its judge sees a broken promise, its short run finds none."""

import importlib.util
import os
import subprocess
import sys

import pytest

from agent.packets.hints import READERS
from agent.packets.hints.records import Signal
from agent.packets.records import HintKind
from tests.conftest import ROOT
from tests.fuzz.hint_cases import case_of, judge, seeds

SHORT_S = "5"
HERE = importlib.util.find_spec("atheris") is not None


def test_every_seed_keeps_the_promise() -> None:
    cases = list(seeds())
    assert len({case[0] for case in cases}) == len(READERS)
    for case in (b"", *cases):
        judge(case)


@pytest.mark.parametrize(
    "signal",
    [Signal("no.such", "x"), *(Signal("ntp.asks", value) for value in ("", "\x1b[2J", "x" * 129))],
)
def test_a_broken_promise_is_found(monkeypatch: pytest.MonkeyPatch, signal: Signal) -> None:
    monkeypatch.setitem(READERS, HintKind.NTP, lambda _: [signal])
    with pytest.raises(AssertionError):
        judge(case_of(HintKind.NTP, b"x"))


@pytest.mark.skipif(not HERE, reason="atheris is not installed (no wheel for this machine): tests/fuzz/README.md")
def test_short_run() -> None:
    words = [sys.executable, "-m", "tests.fuzz.fuzz_hints", "--seconds", SHORT_S]
    done = subprocess.run(
        words, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, errors="replace"
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    runs = [line.split()[1] for line in said.splitlines() if line.startswith("stat::number_of_executed_units")]
    assert [int(run) > 1000 for run in runs] == [True], said[-2000:]
