"""What both programs that play captures need: what the judge is made of, and what could not be read."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from agent.config import Config
from agent.devices.baseline import Baseline
from agent.devices.packs import Packs
from agent.devices.roles import ROLES, TIERS
from agent.devices.site_packs import in_force
from agent.errors import InputError
from agent.findings.contracts import ContractSet, shipped_folder
from agent.findings.name_lists import NameLists, load_lists
from agent.kept_toml import KeptToml
from agent.packets.layouts import LINKS_READ
from agent.summaries.privacy import Pseudonyms
from agent.tap.replay import ReplaySource


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the judge and the identifier are made of; loaded once, read-only."""

    packs: Packs
    contracts: ContractSet
    pseudonyms: Pseudonyms
    baseline: Baseline  # what was learned before; a replay begins with an empty one
    lists: NameLists
    refused: tuple[InputError, ...] = ()  # packs of the site that this release cannot use


def unread_links(source: ReplaySource) -> list[InputError]:
    """Link types of the files that the decoder does not read: their frames were counted as ignored."""
    return [
        InputError(f"link type {link} is not read", where=f"{name}: offset {at}", todo="its frames were ignored")
        for (name, link), at in source.links.items()
        if link not in LINKS_READ
    ]


def judgement(config: Config, key: bytes, state: Path | None = None, baseline: Baseline | None = None) -> Judgement:
    """Load them, with the packs of the site that are in force in a state folder; a ConfigError names file and line.

    Without a baseline nothing was learned.
    """
    folder = Path(config.findings.contracts) if config.findings.contracts else shipped_folder()
    parse = KeptToml(Path(os.environ["NUMBA_CACHE_DIR"]) / "tables")  # agent.jit says where this release's kernels lie
    site, refused = usable(in_force(state) if state else [])
    packs = Packs.load(parse=parse, site=site)
    return Judgement(
        packs=packs,
        contracts=ContractSet.load(folder, ROLES, TIERS, parse),
        pseudonyms=Pseudonyms(key, config.identity.plain_name_patterns, packs),
        baseline=baseline or Baseline(ROLES),
        lists=load_lists(parse=parse),
        refused=refused,
    )


def usable(folders: Iterable[Path]) -> tuple[list[Path], tuple[InputError, ...]]:
    """Packs of the site that this release can use, and why not the others: none of them may keep a sensor from work."""
    good: list[Path] = []
    refused: list[InputError] = []
    for folder in folders:
        try:
            Packs.load(site=[folder])
            good.append(folder)
        except InputError as error:
            refused.append(error)
    return good, tuple(refused)
