"""Every command and option is completed, by a real bash."""

import shutil
import subprocess

import pytest

from agent.ctl.asks import ASKS
from agent.ctl.cli import main

Out = pytest.CaptureFixture[str]
CASES = [
    ("sup", {"support-bundle", "suppress"}),
    ("keys a", {"add"}),
    ("suppress new-edge --sev", {"--severity"}),
    ("suppress new-edge --severity p", {"page", "posture"}),
    ("record-headers --dr", {"--dry-run"}),
    ("keys add --release-key /tmp/x --o", {"--out"}),
    ("no-such-command", set[str]()),
]


@pytest.fixture
def script(capsys: Out) -> str:
    assert main(["completion"]) == 0
    return capsys.readouterr().out


def test_every_command_is_there(script: str) -> None:
    assert all(f'" {name}"' in script for name in ASKS)


@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_bash_offers_what_fits(script: str, typed: str, offered: set[str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    ask = f"{script}\nCOMP_WORDS=(wardtapctl {typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _wardtapctl\n"
    ask += 'printf "%s\\n" "${COMPREPLY[@]}"\n'
    said = subprocess.run([bash, "-c", ask], capture_output=True, text=True, check=True, timeout=60)
    assert said.stderr == ""
    assert set(said.stdout.split()) == offered
