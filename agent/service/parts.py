"""What the judge is made of: packs, contracts and the site's pseudonym key, from where the configuration says."""

from pathlib import Path

from agent.config import Config
from agent.devices.packs import Packs
from agent.devices.roles import ROLES, TIERS
from agent.findings.contracts import ContractSet, shipped_folder
from agent.service.pipeline import Judgement
from agent.summaries.privacy import Pseudonyms


def judgement(config: Config, key: bytes) -> Judgement:
    """Load them; a ConfigError names the file and the line."""
    folder = Path(config.findings.contracts) if config.findings.contracts else shipped_folder()
    return Judgement(
        packs=Packs.load(),
        contracts=ContractSet.load(folder, ROLES, TIERS),
        pseudonyms=Pseudonyms(key, config.identity.plain_name_patterns),
    )
