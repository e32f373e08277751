"""What both programs that play captures need: what the judge is made of, and what could not be read."""

import os
from pathlib import Path

from agent.config import Config
from agent.devices.baseline import Baseline
from agent.devices.packs import Packs
from agent.devices.roles import ROLES, TIERS
from agent.errors import InputError
from agent.findings.contracts import ContractSet, shipped_folder
from agent.kept_toml import KeptToml
from agent.packets.layouts import LINKS_READ
from agent.service.pipeline import Judgement
from agent.summaries.privacy import Pseudonyms
from agent.tap.replay import ReplaySource


def unread_links(source: ReplaySource) -> list[InputError]:
    """Link types of the files that the decoder does not read: their frames were counted as ignored."""
    return [
        InputError(f"link type {link} is not read", where=f"{name}: offset {at}", todo="its frames were ignored")
        for (name, link), at in source.links.items()
        if link not in LINKS_READ
    ]


def judgement(config: Config, key: bytes, baseline: Baseline | None = None) -> Judgement:
    """Load them; a ConfigError names the file and the line. Without a baseline nothing was learned."""
    folder = Path(config.findings.contracts) if config.findings.contracts else shipped_folder()
    parse = KeptToml(Path(os.environ["NUMBA_CACHE_DIR"]) / "tables")  # agent.jit says where this release's kernels lie
    return Judgement(
        packs=Packs.load(parse=parse),
        contracts=ContractSet.load(folder, ROLES, TIERS, parse),
        pseudonyms=Pseudonyms(key, config.identity.plain_name_patterns),
        baseline=baseline or Baseline(ROLES),
    )
