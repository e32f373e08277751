"""The next key: drawn once, proven, in use only when the table has it for us, and safe against a cut in between."""

from pathlib import Path

import pytest

from agent.errors import StateError
from agent.service.key_change import KeyChange
from agent.signing.keys import PrivateKey, PublicKey
from agent.signing.roster import Trust, TrustEntry
from agent.signing.rotation import proof_text
from agent.wire.types import Role
from tests.simulators.kit import AGENT, SITE, Kit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Kit(tmp_path).lay().state / "uplink"


def keys(folder: Path) -> KeyChange:
    return KeyChange(folder, SITE, AGENT)


def table(public: PublicKey, role: Role = Role.AGENT, name: str = AGENT, site: str = SITE) -> Trust:
    return Trust([TrustEntry.for_key(public, role, name, site)])


def drawn(folder: Path) -> PublicKey:
    told = keys(folder).draw()
    public = PublicKey.from_bytes(told["public"])
    assert public.verify(told["proof"], proof_text(SITE, AGENT, public.raw))
    assert told["fingerprint"] == public.fingerprint
    return public


def test_drawn_once_and_asked_again_the_same(folder: Path) -> None:
    assert drawn(folder) == drawn(folder)
    assert (folder / "agent.key.next").stat().st_mode & 0o777 == 0o600
    assert keys(folder).key.public != drawn(folder)


def test_in_use_once_the_table_has_it(folder: Path) -> None:
    old, fresh, held = keys(folder).key.public, drawn(folder), keys(folder)
    assert not held.adopt(table(old))
    assert held.adopt(table(fresh))
    assert held.key.public == fresh
    assert keys(folder).key.public == fresh
    assert PrivateKey.load(folder / "agent.key.old").public == old
    assert not held.adopt(table(fresh)), "once"


@pytest.mark.parametrize(
    ("role", "name", "site"), [("operator", AGENT, SITE), ("agent", "tap-2", SITE), ("agent", AGENT, "x")]
)
def test_a_table_that_has_it_for_another_changes_nothing(folder: Path, role: str, name: str, site: str) -> None:
    fresh, held = drawn(folder), keys(folder)
    assert not held.adopt(table(fresh, Role(role), name, site))
    assert held.key.public != fresh


def test_a_cut_between_the_renames_is_mended(folder: Path) -> None:
    fresh = drawn(folder)
    (folder / "agent.key").rename(folder / "agent.key.old")
    assert keys(folder).key.public == fresh


def test_no_key_at_all_is_said(folder: Path) -> None:
    (folder / "agent.key").unlink()
    with pytest.raises(StateError):
        keys(folder)


def test_a_damaged_next_key_is_drawn_anew(folder: Path) -> None:
    (folder / "agent.key.next").write_text("x")
    (folder / "agent.key.next").chmod(0o600)
    assert not keys(folder).adopt(table(keys(folder).key.public))
    drawn(folder)
