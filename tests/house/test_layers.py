"""Who may import whom: the tables of layers.py against every file; a file that no row names fails.

A stage imports the shared ground and only `records.py` of the stages before it. So a change of a stage's inside cannot
reach another, and what a process of the appliance must never hold (keys, packets) it cannot hold by accident.
"""

import ast
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.house.layers import (
    ABSENCES,
    IDLE_ROWS,
    OFF_THE_APPLIANCE,
    OWNERS,
    PASTED,
    PROGRAMS,
    ROOMS,
    Absence,
    Owner,
    Room,
)
from tests.house.tree import ROOT, Import, imports, python_files, syntax

AGENT = python_files("agent")


def fits(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of the patterns names it."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def room_of(path: Path) -> Room | None:
    """The row of a file."""
    return next((room for room in ROOMS if fnmatchcase(str(path), room.files)), None)


def owner_of(module: str) -> Owner | None:
    """The row of a package or capability; the longest name counts."""
    rows = [row for row in OWNERS if module == row.module or module.startswith(row.module + ".")]
    return max(rows, key=lambda row: len(row.module), default=None)


def at_home(path: Path, module: str) -> bool:
    """Whether a module lies in the same room; kernels see only rows and layouts there, never each other."""
    folder = ".".join(path.parts[:2])
    inside = len(path.parts) > 2 and (module == folder or module.startswith(folder + "."))
    last = module.rsplit(".", 1)[-1]
    if path.name == "kernels_burst.py" and inside and last.startswith("kernels"):
        return True  # it joins the others
    if path.name.startswith("kernels"):
        return inside and last in PASTED
    return inside


def refusal(path: Path, found: Import, room: Room) -> str:
    """Why an import is not allowed; empty when it is."""
    where, module = f"{path}:{found.line} imports {found.module}", found.module
    if module.startswith("."):
        return f"{where}: say the whole name"
    if module.split(".")[0] == "agent":
        if at_home(path, module):
            return ""
        if ".".join(module.split(".")[:2]) in OFF_THE_APPLIANCE and module not in room.may:
            return f"{where}: collector and ctl do not exist on the appliance"
        return "" if fits(module, room.may) else f"{where}: {room.files} may not, because {room.because}"
    owner = owner_of(module)
    if owner is None:
        known = module.split(".")[0] in sys.stdlib_module_names
        return "" if known else f"{where}: a third-party package needs an owner in layers.py and a decision"
    if fits(str(path), owner.files):
        return ""
    return f"{where}: only {', '.join(owner.files) or 'nobody'} may, because {owner.because}"


@pytest.mark.parametrize("name", [str(path) for path in AGENT])
def test_imports_are_those_of_the_room(name: str) -> None:
    path = Path(name)
    room = room_of(path)
    assert room is not None, f"{path} is in no row of layers.py: decide what it may import, and why"
    wrong = [text for found in imports(path) if (text := refusal(path, found, room))]
    assert not wrong, "\n".join(wrong)


def test_every_row_names_a_file() -> None:
    idle = {room.files for room in ROOMS if not any(room_of(path) is room for path in AGENT)}
    assert idle == set(IDLE_ROWS), "rows without a file hide a moved room"


def test_every_row_has_a_reason() -> None:
    assert all(len(row.because.split()) >= 2 for row in (*ROOMS, *OWNERS, *ABSENCES))


def test_nobody_imports_service() -> None:
    guilty = [
        f"{path}:{found.line}"
        for path in AGENT
        for found in imports(path)
        if found.module.startswith("agent.service") and path.parts[1] not in {"service", "__main__.py"}
    ]
    assert not guilty, f"the assembly knows everybody, so nobody may know it: {guilty}"


def test_kernels_call_only_kernels_of_their_room() -> None:
    """Numba does not rebuild a kernel when one of another file changes; the cache folder's name does it for all."""
    for path in AGENT:
        if path.name.startswith("kernels"):
            room = ".".join(path.parts[:-1])
            called = [found.module for found in imports(path) if ".kernels" in found.module]
            assert all(module.startswith(f"{room}.kernels") for module in called), f"{path} imports {called}"
            assert not called or path.name == "kernels_burst.py", "one kernel of a room joins the others"


def loads(modules: list[str], absent: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Import modules in a fresh interpreter in which some packages do not exist."""
    lines = ["import sys", *(f"sys.modules[{name!r}] = None" for name in absent)]
    lines += [f"import {name}" for name in modules]
    command = [sys.executable, "-W", "error", "-c", "\n".join(lines)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def modules_of(rooms: tuple[str, ...]) -> list[str]:
    """Every module of some rooms."""
    files = [path for path in AGENT if path.parts[1] in rooms]
    return sorted(".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in files)


@pytest.mark.parametrize("row", ABSENCES, ids=lambda row: "-".join(row.rooms))
def test_rooms_import_without(row: Absence) -> None:
    done = loads(modules_of(row.rooms), row.absent)
    assert done.returncode == 0, f"must import without {row.absent}, because {row.because}:\n{done.stderr[-2000:]}"


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_import_without(program: str) -> None:
    done = loads([program], PROGRAMS[program])
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_clock_is_asked_in_one_place() -> None:
    """`datetime.now` and its kin ask the time too."""
    asks = {"now", "utcnow", "today"}
    guilty = [
        f"{path}:{node.lineno}"
        for path in AGENT
        if path != Path("agent/clock.py")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Attribute)
        and node.attr in asks
        and getattr(node.value, "id", "") in {"datetime", "date"}
    ]
    assert not guilty, f"only agent/clock.py asks the time: {guilty}"
