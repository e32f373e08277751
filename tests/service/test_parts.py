"""What the judge is made of: as shipped, or from the folder that the configuration names."""

from pathlib import Path

import pytest

from agent.config import Config, FindingsConfig, IdentityConfig
from agent.errors import ConfigError
from agent.service.parts import judgement, unread_links
from agent.tap.replay import ReplaySource
from tests.forge.pcap import Frame, Pcap
from tests.service.bench import KEY, parts


def test_shipped() -> None:
    assert parts().packs.version
    assert parts().contracts.version
    assert parts().pseudonyms.name("PCU-1") == parts().pseudonyms.name("PCU-1")
    assert "PCU-1" not in parts().pseudonyms.name("PCU-1")


def test_plain_names_of_the_site() -> None:
    config = Config(identity=IdentityConfig(plain_name_patterns=("PCU-[0-9]+",)))
    made = judgement(config, KEY).pseudonyms
    assert made.name("PCU-13408871") == "PCU-13408871"
    assert made.name("ward-3").startswith("~")


def test_a_folder_without_contracts(tmp_path: Path) -> None:
    config = Config(findings=FindingsConfig(contracts=str(tmp_path)))
    with pytest.raises(ConfigError) as refused:
        judgement(config, KEY)
    assert str(tmp_path) in str(refused.value)


def test_link_types_that_are_not_read_are_named_with_file_and_offset(tmp_path: Path) -> None:
    odd, plain = tmp_path / "odd.pcap", tmp_path / "plain.pcap"
    odd.write_bytes(Pcap(link=147).octets([Frame(1_000_000_000, b"\x00" * 40)]))
    plain.write_bytes(Pcap().octets([Frame(1_000_000_000, b"\xff" * 60)]))
    source = ReplaySource([odd, plain])
    while source.next_burst() is not None:
        pass
    (fault,) = unread_links(source)
    assert str(fault) == f"{odd}: offset 40: link type 147 is not read (its frames were ignored)"
