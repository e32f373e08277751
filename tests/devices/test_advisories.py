"""The posture packs: which advisories are about a device, until when a system is supported, and what is refused."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from agent.devices.advisories import BY_MAKER, BY_PRODUCT, FILES, MATCHES_MAX, PosturePack
from agent.devices.packs import PACKS_FOLDER, Packs
from agent.errors import InputError
from agent.kept_toml import parse_toml

PACK = PosturePack.load(PACKS_FOLDER, parse_toml)


def _row(identifier: str, **changes: Any) -> dict[str, Any]:
    row = {
        "id": identifier,
        "title": "A pump",
        "flaws": 2,
        "makers": ["Maker"],
        "roles": ["infusion-pump"],
        "names": [],
    }
    return row | changes


def test_a_model_is_matched_by_its_product_and_the_rest_by_maker_and_role() -> None:
    found = PACK.about(["Alaris PC Unit"], "Alaris Medical", "infusion-pump")
    by = {advisory.id: advisory.match for advisory in found}
    assert by["ICSMA-23-194-01"] == by["ICSMA-17-017-02"] == BY_PRODUCT
    assert by["ICSMA-18-235-01"] == BY_MAKER, "the Alaris Plus is another product"
    assert next(iter(by)) == "ICSMA-23-194-01", "the newest first"
    assert "ICSMA-19-164-01" not in by, "the gateway is no pump"


def test_the_pts_and_the_monitors_have_theirs() -> None:
    assert [a.id for a in PACK.about((), "TransLogic", "tube-station")] == ["ICSMA-21-215-01"]
    monitors = PACK.about((), "Philips Patient Monitoring", "patient-monitor")
    assert {"ICSMA-18-156-01", "ICSMA-20-254-01"} <= {advisory.id for advisory in monitors}
    assert all(advisory.match == BY_MAKER for advisory in monitors)
    assert PACK.about(["VxWorks"], "", "unknown")[0].match == BY_PRODUCT


@pytest.mark.parametrize(("maker", "role"), [("Dell", "hospital-server"), ("Alaris Medical", "unknown"), ("", "")])
def test_nothing_is_known_of_others(maker: str, role: str) -> None:
    assert PACK.about((), maker, role) == ()


def test_makers_of_the_pack_are_makers_of_the_vendor_pack() -> None:
    """A maker that is spelled otherwise would never match. `Siemens`, `Philips` and `Capsule` are told by signals."""
    packs = Packs.load()
    makers = {maker for maker, _ in PACK._by_maker}
    assert sorted(maker for maker in makers if maker not in packs) == []
    assert sorted(name for name in PACK._by_name if name not in packs) == []
    assert sorted(name for name in PACK.systems() if name not in packs) == []


def test_support() -> None:
    assert PACK.ended("Windows XP/2003") == "2015-07-14"
    assert PACK.ended("Windows 7") == "2020-01-14"
    assert PACK.ended("Windows 10 or later") == PACK.ended("") == ""


def test_each_day_on_which_support_ended_names_where_it_was_read() -> None:
    table = parse_toml((PACKS_FOLDER / "support.toml").read_text("utf-8"))
    sources = {name for row in table["support"]["rows"] for name in row["source"].split()}
    assert sources == set(table["sources"])
    assert {row["verified"] for row in table["support"]["rows"]} <= {"V", "U"}
    for row in table["support"]["rows"]:
        said = " ".join(table["sources"][name] for name in row["source"].split())
        assert row["verified"] == "U" or row["ended"] in said, row["system"]


def test_at_most_so_many_the_newest() -> None:
    rows = [_row(f"ICSMA-{year}-{day:03d}-01") for year in range(17, 25) for day in range(1, 9)]
    found = PosturePack(rows, (), "1").about((), "Maker", "infusion-pump")
    assert len(found) == MATCHES_MAX
    assert (found[0].id, found[0].flaws) == ("ICSMA-24-008-01", 2)


@pytest.mark.parametrize(
    "row", [{}, _row("x", roles=["pump"]), _row("x", flaws="many"), _row("x") | {"more": 1}, _row("x", roles=[5])]
)
def test_rows_that_cannot_be_used(row: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        PosturePack([row], (), "1")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("text", ["", "version = ", 'version = "1"\n[advisories]\nrows = [{ id = "x" }]\n'])
def test_a_damaged_pack_is_named(tmp_path: Path, name: str, text: str) -> None:
    for file in FILES:
        shutil.copy(PACKS_FOLDER / file, tmp_path)
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        PosturePack.load(tmp_path, parse_toml)
    assert str(tmp_path) in str(caught.value)


def test_a_day_that_is_none() -> None:
    with pytest.raises(ValueError, match="month"):
        PosturePack((), [{"system": "x", "ended": "2020-13-01"}], "1")


def test_the_versions_of_all_three_are_part_of_the_packs() -> None:
    assert Packs.load().version.partition("+ieee")[0].endswith(f"+csaf{PACK.version}")
    assert PACK.version == "20241024.1.1"
