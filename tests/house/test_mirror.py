"""agent/x/y.py is tested by tests/x/test_y.py, and the other way round; exceptions with their reason."""

from fnmatch import fnmatchcase
from pathlib import Path

from tests.house.tree import ROOT, python_files, syntax

# Files whose test stands elsewhere, or that have nothing to test: pattern -> reason.
UNTESTED = {
    "agent/__main__.py": "one line; the journeys call it",
    "*/__init__.py": "a docstring and names; imported by every test of the room",
    "*/records.py": "field tables, asserted at import and read by every test of the room",
    "agent/packets/layouts.py": "offsets of standards; the naive twin checks them by other means",
}
# Tests that mirror no single file: pattern -> reason.
UNMIRRORED = {
    "tests/packets/hints/test_readers.py": "what every reader promises, asked of all of them",
    "tests/agreement/*": "others' tools against the whole of wardtap",
    "tests/golden/*": "a capture to exact bytes: the whole journey",
    "tests/journeys/*": "stories that cross rooms",
    "tests/faults/*": "processes killed and disks full: several rooms at once",
    "tests/fuzz/*": "one per entrance, not per file",
    "tests/bench/*": "measurements",
    "tests/house/*": "the tree itself",
    "tests/naive/*": "the twins' own checks",
    "tests/forge/*": "the builders' own checks",
    "tests/simulators/*": "the simulators' own checks",
    "tests/install/*": "install.sh, which is no module",
    "tests/hw/*": "the hardware folder",
    "tests/firmware_config/*": "files of the appliance's OS",
}
AGENT = [str(path) for path in python_files("agent")]
TESTS = [str(path) for path in python_files("tests") if path.name.startswith("test_")]


def excused(name: str, table: dict[str, str]) -> bool:
    """Whether a row excuses a file."""
    return any(fnmatchcase(name, pattern) for pattern in table)


def mirror(name: str) -> Path:
    """Where the test of a file stands."""
    path = Path(name)
    return Path("tests", *path.parts[1:-1], f"test_{path.name}")


def test_every_file_has_its_test() -> None:
    alone = [name for name in AGENT if not excused(name, UNTESTED) and not (ROOT / mirror(name)).is_file()]
    assert not alone, "no test mirrors:\n" + "\n".join(f"{name} -> {mirror(name)}" for name in alone)


def test_every_test_has_its_file() -> None:
    for name in TESTS:
        path = Path(name)
        words = path.stem.removeprefix("test_").split("_")
        wanted = [Path("agent", *path.parts[1:-1], "_".join(words[:size]) + ".py") for size in range(len(words), 0, -1)]
        found = any((ROOT / place).is_file() for place in wanted)  # test_x_more.py may go on where test_x.py is full
        assert found or excused(name, UNMIRRORED), f"{name} tests {wanted[0]}, which does not exist"


def test_a_test_file_tests() -> None:
    for name in TESTS:
        named = [getattr(node, "name", "") for node in syntax(Path(name)).body]
        assert any(text.lower().startswith("test") for text in named), f"{name} has no test"


def test_excuses_are_still_needed() -> None:
    """An excuse for a file that has its test hides the next one; folders of stories may come later."""
    idle = [name for name in UNTESTED if "*" not in name and (ROOT / mirror(name)).is_file()]
    assert not idle, f"these are tested by now: {idle}"


def test_folders_of_tests_are_packages() -> None:
    """Equal names in two folders clash unless each is a package."""
    folders = {path.parent for path in python_files("tests")}
    assert not [str(folder) for folder in folders if not (ROOT / folder / "__init__.py").is_file()]
