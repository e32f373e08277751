from pathlib import Path

import pytest

from agent.ctl import views
from agent.ctl.lab import Lab
from agent.errors import PermissionNeeded, StateError


def test_a_list_has_a_line_per_item_and_hostile_names_stay_text() -> None:
    item = {"number": 1, "severity": "page", "id": "x", "mac": "m", "role": "\x1b[2J", "count": 2, "last_ns": 0}
    text = views.listing(views.LISTS["findings"], [item | {"sentence": "a\nb"}])
    assert len(text.splitlines()) == 3
    assert "\x1b" not in text
    assert views.listing(views.LISTS["devices"], []) == "no devices"
    device = {"mac": "m", "role": "r", "confidence": 0.5, "vendor": "v", "addresses": ["1", "2", "3"], "worst": ""}
    assert "50%" in views.listing(views.LISTS["devices"], [device])


def test_details_are_nested_dated_and_printable() -> None:
    text = views.details(
        {"first_ns": 10**18, "mono_ns": 5, "e": [{"last_ns": 10**18}], "d": {"k": "\u202e"}, "l": [1, 2]}
    )
    assert text.splitlines() == [
        "first_ns: 2001-09-09 01:46:40",
        "mono_ns: 5",
        "e:",
        "  last_ns 2001-09-09 01:46:40",
        "d:",
        "  k: ⟨U+202E⟩",
        "l: 1, 2",
    ]


def test_evidence_is_told_in_words_within_the_width() -> None:
    item = {
        "sentence": "a long sentence " * 9,
        "evidence": [{"name": "role-confidence-permille", "value": 990}, {"name": "peer", "value": "x\x1b"}],
        "why": [{"signal": "dhcp.vendor", "value": "alaris-pcu", "weight": 1.0}],
        "posture": [{"aspect": "advisory", "word": "ICSMA-23-194-01"}],
        "edges": [{"peer": "10.1.1.1", "peer_role": ""}],
    }
    told = views.details(item, 60).splitlines()
    assert max(map(len, told)) <= 60
    for line in (
        "  role confidence: 99 %", "  peer: x⟨U+001B⟩", "  DHCP vendor alaris-pcu, weight 1.0",
        "  advisory: ICSMA-23-194-01", "  peer 10.1.1.1",
    ):  # fmt: skip
        assert line in told


def test_keys_show_what_a_file_holds(lab: Lab) -> None:
    (line,) = views.keys(lab.operator / "operator.key", None)
    fingerprint = line.split()[2]
    assert any(fingerprint in row and "operator" in row for row in views.keys(lab.operator / "trust.bin", None))
    assert sum("release" in row for row in views.keys(lab.operator / "trust-root.json", None)) == 3


def test_what_is_no_key_file_is_one_line(lab: Lab, tmp_path: Path) -> None:
    other = tmp_path / "x"
    with pytest.raises(StateError):
        views.keys(other, None)
    other.write_bytes(b"\x93rubbish")
    with pytest.raises(StateError):
        views.keys(other, lab.operator / "trust-root.json")
    loose = lab.operator / "operator.key"
    loose.chmod(0o640)
    with pytest.raises(PermissionNeeded):
        views.keys(loose, None)
