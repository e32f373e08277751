"""Which of the laid releases may run, and the floor that only rises."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import Refused, StateError
from agent.update.laid import FLOOR_NAME, look, raise_floor, read_floor, require
from tests.signing.test_releases import ROOT, sealed, tree

NAME = "0.2.0-0a1b2c3d"


@pytest.fixture
def opt(tmp_path: Path) -> Path:
    """One signed release of serial 7 with the floor 3."""
    sealed(tree(tmp_path / "releases" / NAME))
    return tmp_path


def test_a_signed_release_may_run_and_raises_the_floor_once_it_has(opt: Path) -> None:
    assert read_floor(opt) == 0
    release = require(opt, NAME, ROOT, 0)
    assert read_floor(opt) == 0, "looking changes nothing"
    assert raise_floor(opt, release) == 3
    assert raise_floor(opt, release._replace(floor=1)) == 3
    assert raise_floor(opt, release._replace(floor=8)) == 8
    with pytest.raises(Refused) as caught:
        look(opt, NAME, ROOT, 0)
    assert caught.value.reason == "rollback"


REFUSED: dict[str, tuple[str, Callable[[Path], object]]] = {
    "not laid whole": ("not-laid", lambda folder: (folder / "manifest.sha256").unlink()),
    "not signed": ("not-signed", lambda folder: (folder / "release.sealed").unlink()),
    "one signer": ("not-allowed", lambda folder: sealed(folder, signers=1)),
    "noise": ("bad-envelope", lambda folder: (folder / "release.sealed").write_bytes(b"\x94noise")),
    "huge": ("not-signed", lambda folder: (folder / "release.sealed").write_bytes(bytes(1 << 20))),
    "over": ("expired-release", lambda folder: sealed(folder, not_after_ns=4)),
    "changed": ("bad-release", lambda folder: (folder / "install.sh").write_text("rm -rf /\n")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_not_run(opt: Path, name: str) -> None:
    reason, spoil = REFUSED[name]
    spoil(opt / "releases" / NAME)
    with pytest.raises(Refused) as caught:
        require(opt, NAME, ROOT, 5)
    assert caught.value.reason == reason


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".hidden", "-x", "x" * 65, "a b", "a\n"])
def test_what_is_no_name_is_not_looked_for(opt: Path, name: str) -> None:
    with pytest.raises(Refused) as caught:
        look(opt, name, ROOT, 0)
    assert caught.value.reason == "bad-name"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"floor": -1}', '{"floor": true}', '{"floor": "9"}', " " * 999])
def test_a_damaged_floor_lets_nothing_run(opt: Path, text: str) -> None:
    (opt / FLOOR_NAME).write_text(text)
    with pytest.raises(StateError):
        look(opt, NAME, ROOT, 0)
