"""The vendor pack: what goes in comes out, longest block first, and damage is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices.oui import NAMES_MAX, Assignment, VendorBlocks, encode
from agent.devices.packs import PACKS_FOLDER
from agent.errors import InputError

BLOCKS = {(24, 0x144FD7): "Registry", (28, 0x144FD7E): "Edan", (36, 0x70B3D54CC): "Fresenius", (24, 0x00D075): "Alaris"}


def _loaded(blocks: dict[tuple[int, int], str]) -> VendorBlocks:
    return VendorBlocks(encode(blocks, 20220827), "memory")


def test_longest_block_first() -> None:
    packed = _loaded(BLOCKS)
    assert packed.find(0x144FD7E12345) == Assignment("Edan", 28)
    assert packed.find(0x144FD7F12345) == Assignment("Registry", 24)
    assert packed.find(0x70B3D54CC123) == Assignment("Fresenius", 36)
    assert packed.find(0x00D07518429B) == Assignment("Alaris", 24)
    assert (len(packed), packed.date) == (4, 20220827)


@pytest.mark.parametrize("mac", [0, 1, 0x70B3D54CD000, (1 << 48) - 1, 1 << 48, 1 << 63, -1])
def test_what_is_not_there_is_none(mac: int) -> None:
    assert _loaded(BLOCKS).find(mac) is None


@given(
    st.dictionaries(
        st.one_of(
            st.tuples(st.just(24), st.integers(0, 2**24 - 1)),
            st.tuples(st.just(28), st.integers(0, 2**28 - 1)),
            st.tuples(st.just(36), st.integers(0, 2**36 - 1)),
        ),
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
        max_size=30,
    ),
    st.integers(0, 2**48 - 1),
)
def test_the_pack_answers_as_a_table_does(blocks: dict[tuple[int, int], str], other: int) -> None:
    packed = _loaded(blocks)
    for mac in [prefix << (48 - bits) for bits, prefix in blocks] + [other]:
        wanted = next((blocks[b, mac >> (48 - b)] for b in (36, 28, 24) if (b, mac >> (48 - b)) in blocks), None)
        found = packed.find(mac)
        assert (found and found.organisation) == wanted


def test_damage_is_refused_or_answered_never_raised_elsewhere() -> None:
    whole = encode(BLOCKS, 20220827)
    for length in range(len(whole)):
        with pytest.raises(InputError):
            VendorBlocks(whole[:length], "memory")
    for at in range(len(whole)):
        damaged = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        try:
            packed = VendorBlocks(damaged, "memory")
        except InputError:
            continue
        packed.find(0x144FD7E12345)


def test_files_that_are_none(tmp_path: Path) -> None:
    for content in (b"", b"x" * 100):
        path = tmp_path / "oui.bin"
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"oui\.bin"):
            VendorBlocks.load(path)
    with pytest.raises(InputError):
        VendorBlocks.load(tmp_path / "missing.bin")


def test_more_names_than_fit_are_refused() -> None:
    with pytest.raises(InputError, match="organisations"):
        encode({(24, number): str(number) for number in range(NAMES_MAX + 1)}, 1)


def test_the_shipped_pack_is_small_and_whole() -> None:
    path = PACKS_FOLDER / "oui.bin"
    assert path.stat().st_size < 2_000_000
    packed = VendorBlocks.load(path)
    assert len(packed) > 40_000
    assert packed.find(0x8C1F64775000) == Assignment("Becton Dickinson", 36)
    assert packed.find(0x50A030800000) == Assignment("GE Medical System China Co. Ltd.", 28)


def test_names_are_told_apart_letter_by_letter() -> None:
    packed = _loaded(BLOCKS | {(24, 0x000001): "Ältere Geräte GmbH"})
    assert all(packed.names_one(name) for name in (*BLOCKS.values(), "Ältere Geräte GmbH"))
    assert not any(packed.names_one(name) for name in ("", "A", "alaris", "Alaris ", "Zz", "Ältere", "\udcff"))


def test_every_name_of_the_shipped_registry_is_found() -> None:
    packed = VendorBlocks.load(PACKS_FOLDER / "oui.bin")
    assert all(packed.names_one(packed._name(number)) for number in range(0, packed._names, 37))
