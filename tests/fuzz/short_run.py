"""The short run of a fuzzer, as a process: it finds nothing and did try something."""

import importlib.util
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

NEEDS_ATHERIS = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris is not installed (no wheel for this machine): tests/fuzz/README.md",
)
RUNS_MIN = 1000


def short_run(fuzzer: str, seconds: int) -> None:
    """One module of tests.fuzz for so long."""
    words = [sys.executable, "-m", f"tests.fuzz.{fuzzer}", "--seconds", str(seconds)]
    done = subprocess.run(
        words, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, errors="replace"
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    runs = [line.split()[1] for line in said.splitlines() if line.startswith("stat::number_of_executed_units")]
    assert [int(run) > RUNS_MIN for run in runs] == [True], said[-2000:]
