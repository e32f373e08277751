"""Building the advisory pack from an index."""

from pathlib import Path

import pytest

from agent.devices import build_advisories as build
from agent.devices.advisories import PosturePack
from agent.devices.packs import PACKS_FOLDER
from agent.errors import InputError
from agent.kept_toml import parse_toml
from tests.conftest import ROOT

LINES = (
    "ICSMA-23-194-01\tBD Alaris System  with Guardrails Suite MX\tCVE-2018-1285,CVE-2023-30559,+11",
    "ICSMA-17-017-02\tBD Alaris 8015 PC Unit (Update B)\tCVE-2016-8375,CVE-2016-9355",
    "ICSMA-24-151-02\tA toaster\tCVE-2024-1",
)


def _index(folder: Path, *lines: str) -> Path:
    path = folder / "index.tsv"
    path.write_text("\n".join(lines or LINES) + "\n", "utf-8")
    (folder / "products.toml").write_text((PACKS_FOLDER / "products.toml").read_text("utf-8"), "utf-8")
    return path


def test_ids_titles_and_counts(tmp_path: Path) -> None:
    rows = build.read_index(_index(tmp_path))
    assert rows[0] == build.Row("ICSMA-17-017-02", "BD Alaris 8015 PC Unit", 2)
    assert rows[1] == build.Row("ICSMA-23-194-01", "BD Alaris System with Guardrails Suite MX", 13)


def test_the_command_writes_a_pack_that_can_be_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--index", str(_index(tmp_path)), "--snapshot", "2024-10-24", "--out", str(tmp_path)]
    assert build.main(arguments) == 0
    said = capsys.readouterr().out
    assert "2 advisories, 1 left out" in said
    assert "no product: ICSMA-24-151-02 A toaster" in said
    for name in ("support.toml", "defaults.toml"):
        (tmp_path / name).write_text((PACKS_FOLDER / name).read_text("utf-8"), "utf-8")
    pack = PosturePack.load(tmp_path, parse_toml)
    assert [a.flaws for a in pack.about(["Alaris PC Unit"], "", "")] == [13, 2]
    before = (tmp_path / build.PACK_NAME).read_bytes()
    assert build.main(arguments) == 0
    assert (tmp_path / build.PACK_NAME).read_bytes() == before


@pytest.mark.parametrize("line", ["no tabs", "ICSMA-1\tx\ty", "ICSMA-23-194-01\tx", "CVE-2020-1\tx\ty"])
def test_lines_that_are_none(tmp_path: Path, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    index = _index(tmp_path, LINES[0], line)
    with pytest.raises(InputError, match=":2"):
        build.read_index(index)
    assert build.main(["--index", str(index), "--snapshot", "2024-10-24", "--out", str(tmp_path)]) > 0
    assert "index.tsv:2" in capsys.readouterr().err


def test_a_day_that_is_none_and_a_missing_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index = _index(tmp_path)
    assert build.main(["--index", str(index), "--snapshot", "today", "--out", str(tmp_path)]) > 0
    assert build.main(["--index", str(tmp_path / "no"), "--snapshot", "2024-10-24", "--out", str(tmp_path)]) > 0
    assert "cannot be read" in capsys.readouterr().err


def test_the_first_product_that_fits_counts() -> None:
    products = parse_toml((PACKS_FOLDER / "products.toml").read_text("utf-8"))["products"]["rows"]
    gateway = build.product_of("BD Alaris Gateway Workstation", products)
    assert gateway is not None
    assert gateway["roles"] == ["pump-gateway"]
    assert build.product_of("Philips' IntelliVue Patient and Avalon Fetal Monitors", products) is not None
    assert build.product_of("A toaster", products) is None


def test_the_shipped_pack_is_what_the_index_gives() -> None:
    """Where the index is at hand: the pack was built by this command from it, and from nothing else."""
    index = ROOT.parent / "shared" / "research" / "csaf_medical_index.tsv"
    if not index.is_file():
        pytest.skip("no index of advisories here")
    products = parse_toml((PACKS_FOLDER / "products.toml").read_text("utf-8"))["products"]["rows"]
    text, left = build.pack(build.read_index(index), products, "20241024")
    assert (PACKS_FOLDER / build.PACK_NAME).read_text("utf-8") == text
    assert len(left) == 81
