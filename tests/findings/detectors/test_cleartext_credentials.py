"""cleartext-credentials: that a password went by in clear; a boolean, never the value."""

import pytest

from agent.findings.detectors.cleartext_credentials import KIND, PROTOCOLS
from agent.findings.records import Severity
from tests.findings.bench import Bench, ids


def test_a_log_in_by_ftp(bench: Bench) -> None:
    desk, server = bench.add("office-workstation"), bench.add("hospital-server")
    (found,) = bench.judge(sightings=[bench.sighting(KIND, "ftp", desk, server)])
    assert (found.id, found.severity) == ("cleartext-credentials", Severity.REVIEW)
    assert found.sentence == (
        "Office workstation 00:d0:75:18:00:00 (Maker) logs in to the hospital server 00:d0:75:18:00:01 (Maker) by FTP "
        "with a password in clear: whoever hears the network has it."
    )
    assert found.attack == ("T1040", "T1552")
    assert not bench.judge(sightings=[bench.sighting(KIND, "ftp", desk, server)]), "once"


def test_a_prompt_speaks_of_who_is_asked(bench: Bench) -> None:
    pump, desk = bench.add("infusion-pump"), bench.add("office-workstation")
    (found,) = bench.judge(sightings=[bench.sighting(KIND, "telnet", pump, desk, about_peer=True)])
    assert found.mac == bench.mac(desk)
    assert "logs in to the infusion pump 00:d0:75:18:00:00 (Maker) by Telnet" in found.sentence


def test_what_comes_through_a_gateway_is_said_of_the_server(bench: Bench) -> None:
    pump, router = bench.add("infusion-pump"), bench.add("network-gear", gateway=True)
    sighting = bench.sighting(KIND, "ftp", router, pump, sender="203.0.113.9")
    (found,) = bench.judge(sightings=[sighting])
    assert found.mac == bench.mac(pump)
    assert "lets 203.0.113.9 log in by FTP" in found.sentence


@pytest.mark.parametrize("word", sorted(PROTOCOLS))
def test_every_word_has_its_name(bench: Bench, word: str) -> None:
    desk, server = bench.add("office-workstation"), bench.add("hospital-server")
    assert ids(bench.judge(sightings=[bench.sighting(KIND, word, desk, server)])) == ["cleartext-credentials"]


@pytest.mark.parametrize("word", ["", "hunter2", "../../etc/passwd", "\x1b[31m", "ftp\n"])
def test_no_other_word_is_said(bench: Bench, word: str) -> None:
    desk, server = bench.add("office-workstation"), bench.add("hospital-server")
    assert not bench.judge(sightings=[bench.sighting(KIND, word, desk, server)])


def test_other_facts_are_none_of_it(bench: Bench) -> None:
    desk, server = bench.add("office-workstation"), bench.add("hospital-server")
    assert not bench.judge(sightings=[bench.sighting("http.host", "ftp", desk, server)])


def test_many_log_ins_are_few_findings(bench: Bench) -> None:
    desk = bench.add("office-workstation")
    servers = [bench.add("hospital-server") for _ in range(100)]
    said = bench.judge(sightings=[bench.sighting(KIND, "http", desk, server) for server in servers])
    assert 1 <= len(said) <= 4, "the fourth server and all further ones are one"
    repeated = [bench.sighting(KIND, "ldap", desk, servers[0])] * 3
    (found,) = bench.judge(sightings=repeated) or [None]
    assert found is None, "part of the same"
