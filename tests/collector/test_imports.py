"""Off the appliance there is no numba and no pcapy: the collector and the command line must not ask for them."""

import subprocess
import sys

import pytest

BLOCK = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked}:
            raise ModuleNotFoundError("blocked: " + name, name=name)
sys.meta_path.insert(0, Refuse())
import {module}
assert not {{"numba", "pcapy", "numpy"}} & set(sys.modules)
sys.exit({module}.main({arguments}))
"""


def run(module: str, arguments: list[str], *blocked: str) -> subprocess.CompletedProcess[str]:
    code = BLOCK.format(module=module, arguments=arguments, blocked=set(blocked) | {"numba", "pcapy", "numpy"})
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("module", ["agent.collector.cli", "agent.ctl.cli"])
def test_it_starts_without_numba_numpy_and_pcapy(module: str) -> None:
    done = run(module, ["--version"])
    assert done.returncode == 0, done.stderr


def test_without_the_page_packages_the_rest_works_and_the_page_says_what_it_needs(tmp_path: object) -> None:
    done = run("agent.collector.cli", ["counts", "--state", str(tmp_path)], "starlette", "uvicorn", "jinja2")
    assert done.returncode == 7
    assert done.stderr.startswith("wardtap-collector: ")
    assert done.stderr.count("\n") == 1
