"""An update asked for from afar, cut before each of its steps: the one table of its states, held against install.sh.

install.sh is the truth (docs/decisions/0026-the-updater-is-a-script.md). It is run here as it is, but for one line that
writes down each change before it is made and ends everything before a chosen one, as a power cut would.
"""

import fnmatch
import os
import shutil
import signal
import subprocess
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.install.conftest import Appliance, Staged

ID = bytes(range(16))
SLOW = bool(os.environ.get("WARDTAP_SLOW"))  # every step; else the first in each state
CHANGE = "    changes=$((changes + 1))\n"
TRACED = f"""{CHANGE}    printf '%s\\n' "$*" >>"$WARDTAP_TRACE"
    [ "$(wc -l <"$WARDTAP_TRACE")" != "${{WARDTAP_CUT:-0}}" ] || kill -9 0
"""
# Verifying is another test's subject: this one says yes, and keeps the floor.
YES = """#!/bin/sh
[ "$2" != confirm ] || echo '{"floor": 2}' >"$5/floor.json"
"""


class State(StrEnum):
    """What lies on the disk, in the order of an update."""

    ASKED = "the uplink's request"
    TAKEN = "no request, nothing noted"
    NOTED = "a pending update, the old release"
    SWITCHED = "a pending update, the new release"
    ANSWERED = "a pending update that is answered"
    OVER = "an answer, nothing pending"


class End(NamedTuple):
    """What the next start makes of it."""

    runs: str
    answer: str


NOTHING = End("old", "")  # after a quarter of an hour the uplink says that nobody answered; nothing was obeyed
DONE, BACK = End("new", "done"), End("old", "failed")
# A release that comes up, and one that does not: the states that its update goes through, and how a cut in one ends.
WAYS: dict[str, list[tuple[State, End]]] = {
    "comes up": [
        (State.ASKED, DONE), (State.TAKEN, NOTHING), (State.NOTED, DONE), (State.SWITCHED, DONE),
        (State.ANSWERED, DONE), (State.OVER, DONE),
    ],
    "does not": [
        (State.ASKED, BACK), (State.TAKEN, NOTHING), (State.NOTED, BACK), (State.SWITCHED, BACK), (State.NOTED, BACK),
        (State.ANSWERED, BACK), (State.OVER, BACK),
    ],
}  # fmt: skip
# The changes that lead from one state to the next.
MOVES = (
    "rm -f */update/request", "mv */update.pending.part *", "mv -T */.current.new */current",
    "mv */update.answer.part *", "rm -f */update.pending",
)  # fmt: skip


class Cut:
    """One appliance whose updates leave a trace and can be ended before any step."""

    def __init__(self, staged: Staged, folder: Path, way: str) -> None:
        self.old, self.new, self.way = staged.old, staged.new, way
        shutil.copytree(staged.appliance.root, folder / "root", symlinks=True)
        shutil.copytree(staged.appliance.source, folder / "source")
        script = folder / "source" / "install.sh"
        text = script.read_text()
        assert text.count(CHANGE) == 1, "do_it is the only way to change anything"
        script.write_text(text.replace(CHANGE, TRACED))
        self.appliance, self.trace = Appliance(folder / "source", folder / "root"), folder / "trace"
        for release in self.appliance.path("/opt/wardtap/releases").iterdir():
            (release / "bin" / "wardtap").write_text(YES)
        if way == "comes up":
            self.appliance.say_up(self.new)
        self.appliance.ask(self.new, ID)

    def run(self, cut: int = 0) -> list[str]:
        """The updater, to its end or until just before its n-th change; the changes that it came to."""
        self.trace.write_text("")
        environment = os.environ | {"WARDTAP_TRACE": str(self.trace), "WARDTAP_CUT": str(cut), "WARDTAP_UP_S": "0"}
        command = ["sh", str(self.appliance.source / "install.sh"), "update", "--requested"]
        child = subprocess.run(
            [*command, "--root", str(self.appliance.root), "--no-venv"], env=environment, capture_output=True,
            check=False, timeout=600, start_new_session=True,
        )  # fmt: skip
        assert (child.returncode == -signal.SIGKILL) == bool(cut)
        return self.trace.read_text().replace(f"{self.trace.parent}/", "").splitlines()

    def state(self) -> State:
        """What lies on the disk."""
        answered = self.answer() != ""
        if self.appliance.path("/opt/wardtap/update.pending").exists():
            on = State.SWITCHED if self.appliance.link("current") == self.new else State.NOTED
            return State.ANSWERED if answered else on
        if answered:
            return State.OVER
        asked = self.appliance.path("/var/lib/wardtap/update/request").exists()
        return State.ASKED if asked else State.TAKEN

    def answer(self) -> str:
        """`done`, `failed`, or nothing."""
        place = self.appliance.path("/opt/wardtap/update.answer")
        return place.read_text().split()[1] if place.exists() else ""

    def end(self) -> End:
        """How it stands now; every file is as it was laid in any case."""
        assert self.appliance.at_root("status").returncode == 0
        return End("new" if self.appliance.link("current") == self.new else "old", self.answer())


def moves(change: str) -> bool:
    """Whether it leads to the next state."""
    return any(fnmatch.fnmatch(change, move) for move in MOVES)


@pytest.mark.parametrize("way", WAYS)
def test_cut_anywhere_it_ends_as_the_table_says(staged: Staged, tmp_path: Path, way: str) -> None:
    if way == "does not" and not SLOW:
        pytest.skip("the full form asks for WARDTAP_SLOW=1")
    whole, told = Cut(staged, tmp_path / "whole", way), WAYS[way]
    changes = whole.run()
    assert (whole.state(), whole.end()) == told[-1]
    assert sum(map(moves, changes)) == len(told) - 1, "install.sh goes through the states of the table, and no others"
    at = 0
    for step, change in enumerate(changes, 1):
        state, end = told[at]
        if SLOW or step == 1 or moves(changes[step - 2]):
            cut = Cut(staged, tmp_path / str(step), way)
            assert cut.run(step) == changes[:step], "the same steps each time"
            assert cut.state() is state, f"before: {change}"
            if state not in {State.TAKEN, State.OVER}:  # what nobody starts again
                cut.run()
            assert cut.end() == end, f"before: {change}"
            assert cut.state() is (State.TAKEN if end == NOTHING else State.OVER)
            shutil.rmtree(tmp_path / str(step))
        at += moves(change)
