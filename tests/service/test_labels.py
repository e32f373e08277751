"""Labels are kept, bounded, shown on cards, and are no evidence of a role."""

import json
from pathlib import Path

import pytest

from agent.errors import Refused
from agent.service import labels as labels_module
from agent.service.labels import Labels
from agent.wire.summary import NAMES_MAX, Card

MAC = "00:d0:75:18:42:9b"
CARD = Card(3, bytes.fromhex("00d07518429b"), 20, "infusion-pump", 930, names=("~abc",), evidence=(("oui", "x", 400),))


def test_kept_and_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    Labels(path).put(MAC, "Bed 3 pump")
    again = Labels(path)
    shown = again.on(CARD)
    assert shown.names == ("Bed 3 pump", "~abc")
    assert shown.evidence[0] == ("label", "Bed 3 pump", 0)
    assert (shown.role, shown.confidence_permille) == (CARD.role, CARD.confidence_permille)
    again.put(MAC, "")
    assert again.on(CARD) == CARD
    assert not Labels(path).all


def test_other_cards_stay_as_they_are(tmp_path: Path) -> None:
    labels = Labels(tmp_path / "labels.json")
    labels.put("00:00:00:00:00:01", "x")
    assert labels.on(CARD) is CARD


def test_a_card_full_of_names_keeps_to_the_wires_limit(tmp_path: Path) -> None:
    labels = Labels(tmp_path / "labels.json")
    labels.put(MAC, "Bed 3")
    full = CARD._replace(names=tuple(f"~{n}" for n in range(NAMES_MAX)))
    assert len(labels.on(full).names) == NAMES_MAX
    labels.on(full).to_list()


def test_a_full_table_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels_module, "LABELS_MAX", 1)
    labels = Labels(tmp_path / "labels.json")
    labels.put(MAC, "Bed 3")
    labels.put(MAC, "Bed 4")
    with pytest.raises(Refused):
        labels.put("00:00:00:00:00:01", "x")
    assert list(labels.all.values()) == ["Bed 4"]


def test_a_disk_that_refuses_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    labels = Labels(tmp_path / "file" / "labels.json")
    with pytest.raises(OSError, match="File exists"):
        labels.put(MAC, "Bed 3")
    assert labels.on(CARD) is CARD


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", json.dumps({MAC: "\x1b[2J"}).encode(), json.dumps({"*": "x"}).encode(), b'{"%s": 7}']
)
def test_a_strangers_file_labels_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "labels.json"
    path.write_bytes(content.replace(b"%s", MAC.encode()))
    assert not Labels(path).all
