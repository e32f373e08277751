"""What the judge is made of: as shipped, or from the folder that the configuration names."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.config import Config
from agent.errors import ConfigError
from agent.service.parts import judgement
from tests.service.bench import KEY, parts


def test_shipped() -> None:
    assert parts().packs.version
    assert parts().contracts.version
    assert parts().pseudonyms.name("PCU-1") == parts().pseudonyms.name("PCU-1")
    assert "PCU-1" not in parts().pseudonyms.name("PCU-1")


def test_plain_names_of_the_site() -> None:
    config = replace(Config(), identity=replace(Config().identity, plain_name_patterns=("PCU-[0-9]+",)))
    made = judgement(config, KEY).pseudonyms
    assert made.name("PCU-13408871") == "PCU-13408871"
    assert made.name("ward-3").startswith("~")


def test_a_folder_without_contracts(tmp_path: Path) -> None:
    config = replace(Config(), findings=replace(Config().findings, contracts=str(tmp_path)))
    with pytest.raises(ConfigError) as refused:
        judgement(config, KEY)
    assert str(tmp_path) in str(refused.value)
