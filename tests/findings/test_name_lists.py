"""The lists of a folder: all of them, or a reason."""

from pathlib import Path

import pytest

from agent.errors import ConfigError, InputError
from agent.findings.name_lists import load_lists, shipped_packs
from agent.findings.sites_file import SITES


def test_the_shipped_ones() -> None:
    lists = load_lists()
    assert len(lists.suffixes) > 9000
    assert lists.model.score("hospital") > 1
    assert lists.sites.site("youtube.com") is not None


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="list of sites cannot be read"):
        load_lists(tmp_path)
    (tmp_path / SITES).write_bytes((shipped_packs() / SITES).read_bytes())
    with pytest.raises(InputError, match="suffix list cannot be read"):
        load_lists(tmp_path)
    (tmp_path / SITES).write_bytes(b"#" * (256 * 1024 + 1))
    with pytest.raises(ConfigError, match="longer than"):
        load_lists(tmp_path)
