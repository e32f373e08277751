"""After the warm-up every kernel of the hot path is there, once, and a real capture compiles nothing more."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.house.test_kernels import NOT_IN_A_REPLAY, kernel_names
from tests.simulators.bursts import THIN

PROGRAM = """
import contextlib, importlib, io, json, sys
from agent.service.warmup import warm_up
ready, now = warm_up()
names = sys.argv[1].split()
def counts():
    found = {}
    for name in names:
        module, function = name.split(":")
        found[name] = len(getattr(importlib.import_module(module), function).signatures)
    return found
warm = counts()
from agent.service.cli import main
with contextlib.redirect_stdout(io.StringIO()):
    code = main(["replay", "tests/captures/ward.pcap.gz", "--json", "--flows"])
print(json.dumps({"ready": ready, "warm": warm, "after": counts(), "code": code}))
"""


@pytest.mark.skipif(THIN > 1, reason="nothing is compiled without the JIT")
def test_one_signature_of_every_kernel() -> None:
    command = [sys.executable, "-c", PROGRAM, " ".join(kernel_names())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=3600)
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["code"] == 0
    joined = [name for name, reason in NOT_IN_A_REPLAY.items() if reason == "compiled into take_burst"]
    cold = [name for name, count in told["warm"].items() if count != 1 and name not in joined]
    assert not cold, f"the warm-up does not reach {cold}"
    assert told["after"] == told["warm"], "a real capture compiled a second version"
    assert told["ready"] >= len(told["warm"]) - len(joined)
