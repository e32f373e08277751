"""What a program says when it breaks: the kind and the place. In processes of their own: hooks are the process's."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent.last_words import fault
from tests.conftest import ROOT
from tests.journeys.whole import allow_cores

HELD = "Quillfeather"  # built by the child from two halves, or its source would hold the word
START = f"""
import ctypes, faulthandler, os, sys, threading
from agent.last_words import leave_nothing
held = "Quill" + "feather"
assert held == "{HELD[:5]}" + "{HELD[5:]}"
"""
GUARDED = START + 'leave_nothing("wardtap")\n'
WAYS = {
    "raised": "raise ValueError(held)",
    "raised from another": "try:\n    {}[held]\nexcept KeyError as error:\n    raise OSError(held) from error",
    "with a note": "error = ValueError(held)\nerror.add_note(held)\nraise error",
    "in a thread": "t = threading.Thread(target=int, args=(held,))\nt.start()\nt.join()",
    "while tidying": "class Held:\n    def __del__(self):\n        raise ValueError(held)\nh = Held()\ndel h",
    "a syntax error": "compile(held + ' )', held, 'exec')",
    "too deep": "def deep(words):\n    deep(words)\ndeep(held)",
    "no standard error": "sys.stderr = None\nraise ValueError(held)",
    "aborted": "faulthandler.enable()\nos.abort()",
    "bad memory": "faulthandler.enable()\nctypes.string_at(1)",
}


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A child that may write a core of any size into its folder."""
    return subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False, timeout=300, preexec_fn=allow_cores,
    )  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_nothing_that_was_held_is_said_or_left(way: str, tmp_path: Path) -> None:
    done = run(GUARDED + WAYS[way], tmp_path)
    assert HELD not in done.stdout + done.stderr
    assert not list(tmp_path.iterdir())
    if way not in {"no standard error", "aborted", "bad memory"}:
        assert "wardtap: a fault of its own" in done.stderr
        assert re.search(r" at \S+:\d+\n", done.stderr), "the place is named"


def test_one_that_is_ended_because_it_hangs_says_where(tmp_path: Path) -> None:
    """As a service manager does whose watchdog bites: SIGABRT."""
    hangs = "import signal\ndef stands(words):\n    os.kill(os.getpid(), signal.SIGABRT)\nstands(held)"
    done = run(GUARDED + hangs, tmp_path)
    assert re.search(r"line \d+ in stands", done.stderr)
    assert HELD not in done.stderr


def test_python_itself_would_have_said_it(tmp_path: Path) -> None:
    """The control: without the guard the same scripts tell what they held."""
    told = [way for way, script in WAYS.items() if HELD in run(START + script, tmp_path).stderr]
    assert len(told) >= 5, told


def test_a_core_would_have_been_left(tmp_path: Path) -> None:
    """The control: an abort without the guard leaves a core that holds the word."""
    pattern = Path("/proc/sys/kernel/core_pattern").read_text("ascii").strip()
    if pattern.startswith("|") or "/" in pattern:
        pytest.skip(f"cores go elsewhere on this machine: {pattern}")
    run(START + WAYS["aborted"], tmp_path)
    cores = list(tmp_path.iterdir())
    if not cores:
        pytest.skip("this machine writes no cores")
    assert HELD.encode() in cores[0].read_bytes()


def test_the_process_is_closed(tmp_path: Path) -> None:
    ask = "import resource\nprint(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    assert run(GUARDED + ask, tmp_path).stdout == "(0, 0) 0\n"


def test_chain_and_places(tmp_path: Path) -> None:
    done = run(GUARDED + WAYS["raised from another"], tmp_path)
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert lines[0] == "wardtap: a fault of its own: OSError at <string>:10"
    assert lines[1].startswith("wardtap:   <string>:10 <module>")
    assert lines[2] == "wardtap: after: KeyError at <string>:8"
    assert len(run(GUARDED + WAYS["too deep"], tmp_path).stderr.splitlines()) < 80


def test_half_a_line() -> None:
    assert fault(ValueError("words")) == "ValueError at ?"
    with pytest.raises(ZeroDivisionError) as raised:
        divmod(1, 0)
    assert fault(raised.value).startswith("ZeroDivisionError at test_last_words.py:")
