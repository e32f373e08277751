"""The trust table is changed by two release keys, in one place or in two; nothing weak, foreign or double gets in."""

from pathlib import Path

import pytest

from agent.ctl.cli import main
from agent.ctl.lab import Lab
from agent.errors import Refused
from agent.signing.keys import Y_ORDER_8, PrivateKey
from agent.signing.rotation import proof_text
from agent.signing.trust import load_trust
from agent.wire.types import Role

Out = pytest.CaptureFixture[str]


class Office:
    """A lab's places, and the new table."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.new = lab, lab.folder / "trust-2.bin"
        self.trust, self.root = lab.operator / "trust.bin", lab.operator / "trust-root.json"

    def release(self, *numbers: int) -> list[str]:
        return [str(self.lab.folder / "release" / f"release-{number}.key") for number in numbers]

    def change(self, *words: str, keys: tuple[int, ...] = (1, 2)) -> int:
        place = ["--trust", str(self.trust), "--out", str(self.new)]
        return main([*words, *place, "--release-key", *self.release(*keys)])


@pytest.fixture
def office(lab: Lab) -> Office:
    return Office(lab)


def test_a_key_is_drawn_shown_and_added(office: Office, capsys: Out) -> None:
    path = office.lab.folder / "nina.key"
    assert main(["keys", "new", str(path)]) == 0
    key = PrivateKey.load(path)
    assert key.public.raw.hex() in capsys.readouterr().out
    assert main(["keys", "new", str(path)]) == 7
    assert office.change("keys", "add", "engineer", "nina", "--public", key.public.raw.hex()) == 0
    assert key.public.fingerprint in capsys.readouterr().out
    before, after = load_trust(office.trust), load_trust(office.new, office.root)
    entry = after.find(key.key_id)
    assert entry is not None
    assert (entry.role, entry.name, entry.site) == (Role.ENGINEER, "nina", "ward")
    assert (after.version, len(after)) == (before.version + 1, len(before) + 1)
    assert office.change("keys", "add", "engineer", "nina", "--public", key.public.raw.hex()) == 7, "never over a table"


def test_a_revoked_name_is_gone_and_the_rest_stays(office: Office, capsys: Out) -> None:
    before = load_trust(office.trust)
    assert office.change("revoke", "operator") == 0
    after = load_trust(office.new, office.root, version_min=before.version)
    assert [entry for entry in before.entries() if entry not in after.entries()] == [*before.by_role(Role.OPERATOR)]
    assert "revoked: operator operator" in capsys.readouterr().out


def test_one_key_of_a_name_by_its_fingerprint(office: Office) -> None:
    entry = load_trust(office.trust).by_role(Role.CUSTODIAN)[0]
    assert office.change("revoke", entry.public.fingerprint) == 0
    assert load_trust(office.new, office.root).find(entry.key_id) is None


def test_two_release_keys_in_two_places(office: Office, capsys: Out) -> None:
    assert office.change("revoke", "operator", keys=(1,)) == 0
    assert "draft" in capsys.readouterr().out
    with pytest.raises(Refused):
        load_trust(office.new, office.root)
    sign = ["keys", "sign", str(office.new), "--root", str(office.root), "--release-key"]
    assert main([*sign, *office.release(1)]) == 6, "twice by one is not by two"
    assert main([*sign, str(office.lab.operator / "custodian.key")]) == 6
    with pytest.raises(Refused):
        load_trust(office.new, office.root)
    assert main([*sign, *office.release(3)]) == 0
    assert load_trust(office.new, office.root).version == 2


WEAK = {
    "small order": Y_ORDER_8.to_bytes(32, "little").hex(),
    "neutral": (1).to_bytes(32, "little").hex(),
    "not canonical": ((1 << 255) - 18).to_bytes(32, "little").hex(),
    "too short": "00",
    "no hex": "zz",
}


@pytest.mark.parametrize("name", WEAK)
def test_a_weak_key_is_not_added(office: Office, name: str) -> None:
    assert office.change("keys", "add", "agent", "tap-2", "--public", WEAK[name]) in {2, 6}
    assert not office.new.exists()


def test_another_taps_key_is_not_added_twice(office: Office, capsys: Out) -> None:
    tap = PrivateKey.load(office.lab.agent / "uplink" / "agent.key").public
    assert office.change("keys", "add", "agent", "tap-2", "--public", tap.raw.hex()) == 6
    assert "twice" in capsys.readouterr().err
    assert not office.new.exists()


def test_a_taps_next_key_needs_its_own_word(office: Office) -> None:
    fresh = PrivateKey.generate()
    raw = fresh.public.raw
    words = ("keys", "add", "agent", "tap-1", "--public", raw.hex(), "--proof")
    assert office.change(*words, fresh.sign(proof_text("ward", "tap-2", raw)).hex()) == 6
    assert not office.new.exists()
    assert office.change(*words, fresh.sign(proof_text("ward", "tap-1", raw)).hex()) == 0
    assert len(load_trust(office.new, office.root).agents()) == 2


def test_others_than_release_keys_change_nothing(office: Office, tmp_path: Path) -> None:
    place = ["--trust", str(office.trust), "--out", str(office.new)]
    assert main(["revoke", "operator", *place, "--release-key", str(office.lab.operator / "custodian.key")]) == 6
    assert office.change("revoke", "nobody") == 2
    assert not office.new.exists()
