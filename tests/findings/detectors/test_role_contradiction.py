"""role-contradiction: only what matters on a ward, in the pack's words."""

import pytest

from tests.findings.bench import Bench, ids

OFFERS = "offers says pacs, not iot-other"


def test_a_hobby_board_that_does_a_pacs_work(bench: Bench) -> None:
    board = bench.add("iot-other", contradictions=("oui says x", OFFERS))
    (found,) = bench.interval()
    assert found.id == "role-contradiction"
    assert found.sentence == (
        "Consumer device 00:d0:75:18:00:00 (Maker) does the work of a PACS, although it looks like a consumer device."
    )
    assert not bench.interval()
    assert bench.mac(board) == found.mac


def test_several_makers_behind_one_modality(bench: Bench) -> None:
    bench.add("imaging-modality", contradictions=("2 makers' DICOM implementations behind one address",))
    assert ids(bench.interval()) == ["role-contradiction"]


@pytest.mark.parametrize(
    ("role", "conflict"),
    [
        ("hospital-server", OFFERS),
        ("iot-other", "offers says hospital-server, not iot-other"),
        ("imaging-modality", "software says office-workstation, not imaging-modality"),
        ("unknown", "evidence now leans to hospital-server, named unknown before"),
        ("pacs", "2 makers' DICOM implementations behind one address"),
    ],
)
def test_ordinary_doubts_stay_in_the_card(bench: Bench, role: str, conflict: str) -> None:
    bench.add(role, contradictions=(conflict,))
    assert not bench.interval()
