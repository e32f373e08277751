"""The life of an appliance under a real systemd (tests/install/life.py): with WARDTAP_DEBIAN_ROOT, as root. Long."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.install.life import missing
from tests.install.seen import BEGIN, END, table, write

PATIENCE_S = 3 * 3600


@pytest.mark.root
@pytest.mark.slow
def test_every_row_holds() -> None:
    tree = os.environ.get("WARDTAP_DEBIAN_ROOT", "")
    if not os.environ.get("WARDTAP_SLOW"):
        pytest.skip("the full form asks for WARDTAP_SLOW=1")
    if not tree:
        pytest.skip("no machine to boot: WARDTAP_DEBIAN_ROOT names a tree of debootstrap")
    if why := missing(Path(tree)):
        pytest.skip(f"no machine can be booted here: {why}")
    command = [sys.executable, "-m", "tests.install.life", tree, "--plain"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


def test_it_says_why_it_cannot_be_run(tmp_path: Path) -> None:
    assert missing(tmp_path) != "", "an empty folder is no Debian"


def test_the_page_s_table_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write(page, table(["| boots | yes | 3 |"]))
    head, *rows, end, last = page.read_text().splitlines()[1:]
    assert (head, end, last) == (BEGIN, END, "after")
    assert rows[0] == "| row | what was seen | s | on |"
    assert rows[-1].startswith("| boots | yes | 3 | 2")
