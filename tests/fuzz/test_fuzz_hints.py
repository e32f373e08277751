"""The readers' fuzzer: its judge sees a broken promise, its short run finds none."""

import pytest

from agent.packets.hints import READERS
from agent.packets.hints.records import Signal
from agent.packets.records import HintKind
from tests.fuzz.hint_cases import case_of, judge, seeds
from tests.fuzz.short_run import NEEDS_ATHERIS, short_run

SHORT_S = 5


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


@NEEDS_ATHERIS
def test_short_run() -> None:
    short_run("fuzz_hints", SHORT_S)
