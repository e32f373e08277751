"""What the updater is told, and root's copy of the release keys."""

import io
import sys
from pathlib import Path

import pytest

from agent.errors import Refused, StateError
from agent.service.release_check import check, confirm, pin
from agent.signing.kit import Kit, write_kit
from agent.signing.trust import ROOT_NAME, root_json
from tests.signing.test_releases import KEYS, sealed, tree
from tests.simulators.kit import AGENT, SITE
from tests.simulators.kit import Kit as People

NAME = "0.2.0-0a1b2c3d"
ROOT_TEXT = root_json([key.public for key in KEYS])


def kit(tmp_path: Path, root: str = ROOT_TEXT) -> Path:
    trust = People(tmp_path / "state").sealed_trust
    path = tmp_path / "kit.json"
    path.write_bytes(write_kit(Kit(SITE, AGENT, bytes(16), 1, 2, "mqtts://broker:8883", trust, root)))
    return path


def test_checked_with_the_pinned_keys_and_confirmed(tmp_path: Path) -> None:
    sealed(tree(tmp_path / "releases" / NAME))
    with pytest.raises(StateError):
        check(tmp_path, NAME, tmp_path)
    assert pin(tmp_path, kit(tmp_path)).endswith("the release keys of the kit")
    assert "serial 7, signed by release-1, release-2" in check(tmp_path, NAME, tmp_path)
    assert "below serial 3" in confirm(tmp_path, NAME, tmp_path)
    (tmp_path / "uplink").mkdir()
    (tmp_path / "uplink" / "time.json").write_text('{"told_ns": 99}')
    sealed(tmp_path / "releases" / NAME, not_after_ns=98)
    with pytest.raises(Refused, match="no longer valid"):
        check(tmp_path, NAME, tmp_path)


def test_keys_are_pinned_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin(tmp_path, kit(tmp_path))
    pin(tmp_path, kit(tmp_path))
    other = root_json([key.public for key in reversed(KEYS)])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(kit(tmp_path, other).read_bytes())))
    with pytest.raises(StateError, match="other release keys"):
        pin(tmp_path, Path("-"))
    assert (tmp_path / ROOT_NAME).read_text() == ROOT_TEXT
