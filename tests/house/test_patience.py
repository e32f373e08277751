"""What keeps a release waiting is a test that gives a busy machine no time: bounds on waiting are generous."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import imports, python_files, syntax

PAUSE_S, PATIENT_S = 1.0, 30.0  # what is no longer than a second is a pause in a loop, or shows that nothing comes
WAITS = {"wait", "join", "wait_for_publish", "wait_connected", "settimeout", "eventually", "flush"}
OTHERS = {"threading", "subprocess", "socket", "time", "http.client", "urllib.request", "tests.faults.conftest"}
NAMED = {"timeout", "timeout_s", "within_s"}
CLOCKS = {"perf_counter", "perf_counter_ns"}  # time.thread_time is what a test of speed may ask
# `path:line's call` with the reason why it may be short.
EXCEPTIONS = {"tests/simulators/listener.py:wait": "after a kill"}


def bounds(call: ast.Call) -> Iterator[float]:
    """The numbers that say how long a call may take."""
    name = called(call)
    given = [argument for argument in call.args if name in WAITS] + [
        word.value for word in call.keywords if word.arg in NAMED
    ]
    for value in given:
        if isinstance(value, ast.Constant) and isinstance(value.value, int | float):
            yield float(value.value)


def called(call: ast.Call) -> str:
    """The last part of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def calls() -> Iterator[tuple[Path, ast.Call]]:
    """Every call of what waits for others; benches wait in simulated time, measurements are for an idle machine."""
    for path in python_files("tests"):
        if path.parts[1] not in {"bench", "house"} and OTHERS & {one.module for one in imports(path)}:
            yield from ((path, node) for node in ast.walk(syntax(path)) if isinstance(node, ast.Call))


def test_who_waits_waits_long_enough() -> None:
    short = [
        f"{path}:{call.lineno} {called(call)} {seconds:g} s"
        for path, call in calls()
        for seconds in bounds(call)
        if PAUSE_S < seconds < PATIENT_S and f"{path}:{called(call)}" not in EXCEPTIONS
    ]
    assert not short, f"wait {PATIENT_S:g} s and more; what is there sooner costs nothing: {short}"


def test_no_test_holds_the_wall_clock_against_the_product() -> None:
    asked = [f"{path}:{call.lineno}" for path, call in calls() if called(call) in CLOCKS]
    assert not asked, f"a busy machine is no fault of the product: {asked}"
