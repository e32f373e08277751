"""Building the vendor pack from registry files."""

from pathlib import Path

import pytest

from agent.devices import build_packs
from agent.devices.oui import VendorBlocks
from agent.devices.packs import PACKS_FOLDER
from agent.errors import InputError

HEAD = "Registry,Assignment,Organization Name,Organization Address\n"
DEBIAN = Path("/usr/share/ieee-data")


def _registry(folder: Path) -> Path:
    rows = {
        "oui.csv": 'MA-L,00D075,"ALARIS  MEDICAL\tSYSTEMS, INC.",x\nMA-L,0050C2,IEEE Registration Authority,x\n',
        "mam.csv": "MA-M,144FD7E,Edan,x\nMA-M,741AE09,Private,\n",
        "oui36.csv": "MA-S,70B3D54CC,FRESENIUS,x\n",
        "iab.csv": "IAB,0050C2B1E,Abbott,x\n",
    }
    for name, text in rows.items():
        (folder / name).write_text(HEAD + text, "utf-8")
    (folder / ".lastupdate").write_text("1661630937\n", "utf-8")
    return folder


def test_all_sizes_are_read_and_private_blocks_left_out(tmp_path: Path) -> None:
    assert build_packs.read_registry(_registry(tmp_path)) == {
        (24, 0x00D075): "ALARIS MEDICAL SYSTEMS, INC.",
        (28, 0x144FD7E): "Edan",
        (36, 0x70B3D54CC): "FRESENIUS",
        (36, 0x0050C2B1E): "Abbott",
    }
    assert build_packs.registry_date(tmp_path) == 20220827


def test_the_command_writes_the_same_octets_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _registry(tmp_path)
    written = []
    for _ in range(2):
        assert build_packs.main(["--ieee", str(tmp_path), "--out", str(tmp_path)]) == 0
        written.append((tmp_path / "oui.bin").read_bytes())
    assert written[0] == written[1]
    assert "4 blocks" in capsys.readouterr().out
    assert len(VendorBlocks.load(tmp_path / "oui.bin")) == 4


def test_a_missing_or_odd_registry_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build_packs.main(["--ieee", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    _registry(tmp_path)
    (tmp_path / "iab.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(InputError, match=r"iab\.csv"):
        build_packs.read_registry(tmp_path)


def test_names_are_printable_and_bounded() -> None:
    assert build_packs.organisation("  A\x00 B \u202e C ") == "A B C"
    assert len(build_packs.organisation("x" * 500)) == 64


def test_the_shipped_pack_is_what_the_command_builds(tmp_path: Path) -> None:
    shipped = PACKS_FOLDER / "oui.bin"
    if not (DEBIAN / "oui.csv").is_file():
        pytest.skip("no registry here: install Debian's ieee-data")
    if build_packs.registry_date(DEBIAN) != VendorBlocks.load(shipped).date:
        pytest.skip("the registry here is of another day than the shipped pack")
    assert build_packs.main(["--out", str(tmp_path)]) == 0
    assert (tmp_path / "oui.bin").read_bytes() == shipped.read_bytes()
