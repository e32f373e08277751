"""What the judge knows of names before it hears any: suffixes, the letters of words, sites. Loaded once, read-only."""

from pathlib import Path
from typing import Final, NamedTuple

from agent.errors import ConfigError
from agent.findings.name_model import NameModel, load_model
from agent.findings.sites_file import NO_SITES, SITES, Sites, parse_sites
from agent.findings.suffixes import Suffixes, load_suffixes
from agent.kept_toml import Parse, parse_toml

_FILE_MAX_BYTES: Final = 256 * 1024


class NameLists(NamedTuple):
    """The three lists."""

    suffixes: Suffixes
    model: NameModel
    sites: Sites = NO_SITES


def shipped_packs() -> Path:
    """The packs of this release."""
    return Path(__file__).resolve().parents[2] / "firmware_config" / "packs"


def load_lists(folder: Path | None = None, parse: Parse = parse_toml) -> NameLists:
    """The lists of a folder of packs, of this release's without one. InputError or ConfigError."""
    folder = folder or shipped_packs()
    path = folder / SITES
    try:
        data = path.read_bytes()[: _FILE_MAX_BYTES + 1]
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the list of sites cannot be read: {error}", where=str(path)) from error
    if len(data) > _FILE_MAX_BYTES:
        raise ConfigError(f"longer than {_FILE_MAX_BYTES} octets", where=str(path))
    return NameLists(load_suffixes(folder), load_model(folder), parse_sites(text, parse))
