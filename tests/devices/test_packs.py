"""The identity packs: every line can be used, and what must be known is known."""

import shutil
from pathlib import Path

import pytest

from agent.devices.identity import Identifier
from agent.devices.packs import PACKS_FOLDER, Packs
from agent.errors import InputError
from agent.packets.hints.records import Signal
from agent.packets.records import Application, application_name


@pytest.fixture(scope="module")
def packs() -> Packs:
    return Packs.load()


@pytest.mark.parametrize(
    ("mac", "name", "role"),
    [
        (0x00D07518429B, "Alaris Medical", "infusion-pump"),
        (0x0003B16A0F58, "ICU Medical", "infusion-pump"),
        (0x0009FB2E6190, "Philips Patient Monitoring", "patient-monitor"),
        (0x0008FB5219D0, "SonoSite", "imaging-modality"),
        (0x144FD7E00001, "Edan", "patient-monitor"),
        (0x0022DB000001, "TransLogic", "tube-station"),
        (0x0024DD000001, "CenTrak", "rtls"),
        (0x186517000001, "", ""),
        (0x001865000001, "Siemens Healthcare Diagnostics", "lab-analyser"),
        (0x00108D0B5520, "Johnson Controls", "building-control"),
        (0x504A5E000001, "Masimo", "patient-monitor"),
    ],
)
def test_makers(packs: Packs, mac: int, name: str, role: str) -> None:
    entry = packs.vendor(mac)
    if not name:
        assert entry is None or not entry.votes
        return
    assert entry is not None
    assert entry.name == name
    assert max(entry.votes, key=lambda r: entry.votes[r]) == role


def test_small_blocks_are_not_their_neighbours(packs: Packs) -> None:
    becton, neighbour = packs.vendor(0x8C1F64775001), packs.vendor(0x8C1F64776001)
    assert becton is not None
    assert becton.name == "Becton Dickinson"
    assert neighbour is None or neighbour.name != "Becton Dickinson"


@pytest.mark.parametrize("mac", [0x02D07518429B, 0x01D07518429B, 1 << 63 | 5, 0xFFFFFFFFFFFF])
def test_addresses_without_a_maker(packs: Packs, mac: int) -> None:
    assert packs.vendor(mac) is None


def test_names_that_only_start_alike(packs: Packs) -> None:
    find = packs._makers.find
    assert find("VARIAN") is not None
    assert find("Variant Systems") is None
    assert find("PYXIS S.R.L.") is None
    assert find("Ascom Powerline Communications Ltd.") is None
    fuji = find("FUJIFILM Business Innovation Corp.")
    assert fuji is not None
    assert fuji[0] == "Xerox"


def test_every_prefix_is_somebody_in_the_registry(packs: Packs) -> None:
    blocks = packs._blocks
    organisations = [blocks._name(number).lower() for number in range(blocks._names)]
    dead = [p for p, *_ in packs._makers.rows if not any(o.startswith(p) for o in organisations)]
    assert dead == []


def test_every_application_and_port_has_its_own_form(packs: Packs) -> None:
    names = {application_name(number) for number in Application}
    for key in packs.services:
        transport, _, port = key.partition("/")
        assert key in names or (transport in {"tcp", "udp"} and 0 < int(port) < 65536)


def test_words_are_in_lower_case_and_tokens_short(packs: Packs) -> None:
    for kind, rules in packs.rules.items():
        for rule in rules:
            assert all(word == word.lower() for word in rule.words), (kind, rule.words)
            assert 0 < len(rule.token) <= 40
            assert rule.how in {"equals", "prefix", "contains", "label"}


def test_unsourced_lines_are_light(packs: Packs) -> None:
    rule = packs.rule("dhcp.vendor", "ALARIS-PCU-8015")
    assert rule is not None
    assert rule.votes == {"infusion-pump": 1.0}


def test_labels_are_whole(packs: Packs) -> None:
    assert packs.rule("tls.sni", "ehr.stmargaret.example") is not None
    assert packs.rule("tls.sni", "sehr.example") is None


def _copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PACKS_FOLDER, tmp_path / "packs"))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("vendors.toml", "infusion-pump = 2.4", "infusion-pmp = 2.4"),
        ("vendors.toml", "infusion-pump = 2.4", "infusion-pump = 24"),
        ("vendors.toml", 'source = "map"', 'source = "hearsay"'),
        ("signals.toml", 'signal = "dhcp.vendor"', 'signal = "dhcp.vendr"'),
        ("signals.toml", 'status = "V"', 'status = "?"'),
        ("signals.toml", "[signals]", "[signal]"),
    ],
)
def test_a_wrong_line_is_refused(tmp_path: Path, file: str, old: str, new: str) -> None:
    folder = _copy(tmp_path)
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(InputError):
        Packs.load(folder)


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    (folder / "signals.toml").write_text("= 1", "utf-8")
    with pytest.raises(InputError, match=r"signals\.toml"):
        Packs.load(folder)
    (folder / "vendors.toml").unlink()
    with pytest.raises(InputError, match=r"vendors\.toml"):
        Packs.load(folder)


def test_the_version_names_the_registrys_day(packs: Packs) -> None:
    assert packs.version.endswith("+ieee20220827")


def test_words_of_the_packs_and_no_others(packs: Packs) -> None:
    entry = packs.vendor(0x3C8CF8000001)
    assert entry is not None
    rules = [rule for rules in packs.rules.values() for rule in rules]
    said = {word for rule in rules for word in (rule.token, rule.vendor, rule.model, rule.os)} - {""}
    for word in (entry.organisation, "infusion-pump", "unknown", "Alaris Medical", "tcp/445", *said):
        assert word in packs, word
    for word in ("", "Quillfeather", "alaris medical", "Alaris Medical ", f"{entry.organisation}x", "\ud800", 7, None):
        assert word not in packs, word


def test_every_fact_that_identity_states_is_a_word_of_the_packs(packs: Packs) -> None:
    who = Identifier(packs)
    for mac in (0x00D07518429B, 0x3C8CF8000001, 0xDA1234567890):
        who.see(mac)
        who.observe(mac, Signal("dhcp.host", "iphone of Quillfeather"), 0)
        who.observe_edge(mac, 0, 6, 445, 0)
        if mac == 0x3C8CF8000001:
            who.observe_gateway(mac)
        assessed = who.assess(mac)
        assert [item.value for item in assessed.evidence]
        stated = [*(item.value for item in assessed.evidence), assessed.role, assessed.vendor, assessed.os]
        assert not [word for word in stated if word and word not in packs]
