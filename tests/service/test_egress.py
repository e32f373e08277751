"""What nft and tc say, as text and from the real nft on a virtual cable that is set up by our own file."""

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.service import egress as module
from agent.service.egress import Drop, Egress, egress, nft_drops, tc_drops
from tests.conftest import ROOT
from tests.simulators.namespace import Namespace, cable

TABLE = """table netdev wardtap_eth1 {
	counter stopped {
		packets 7 bytes 420
	}

	chain silence {
		type filter hook egress device "eth1" priority -500; policy drop;
		counter name "stopped" drop
	}
}
"""
MATCHALL = {
    "protocol": "all",
    "pref": 1,
    "kind": "matchall",
    "chain": 0,
    "options": {"handle": 1, "actions": [{"order": 1, "kind": "gact", "control_action": {"type": "drop"}}]},
}
ASKER = """
import json
from agent.service.egress import egress
held = egress("eth1")
print(json.dumps([held.drop.name, held.stopped]))
"""


@pytest.mark.parametrize(
    ("text", "drops"),
    [
        (TABLE, True),
        (TABLE.replace('"eth1"', "eth1"), True),
        (TABLE.replace('"eth1"', '"eth2"'), False),
        (TABLE.replace("policy drop", "policy accept"), False),
        (TABLE.replace("egress", "ingress"), False),
        ("", False),
    ],
)
def test_an_nft_table(text: str, drops: bool) -> None:
    assert nft_drops(text, "eth1") is drops


@pytest.mark.parametrize(
    ("held", "drops"),
    [
        ([{"protocol": "all", "kind": "matchall"}, MATCHALL], True),
        ([MATCHALL | {"protocol": "ip"}], False),
        ([MATCHALL | {"kind": "flower"}], False),
        ([MATCHALL | {"options": {"actions": [{"control_action": {"type": "pass"}}]}}], False),
        ([MATCHALL | {"options": 1}], False),
        ([1, "x"], False),
        ({}, False),
        ([], False),
    ],
)
def test_tc_filters(held: object, drops: bool) -> None:
    assert tc_drops(json.dumps(held)) is drops
    assert not tc_drops("no json")


@pytest.mark.parametrize(
    ("listed", "filters", "held"),
    [
        (TABLE, "[]", Egress(Drop.NFT, 7)),
        ("", json.dumps([MATCHALL]), Egress(Drop.TC)),
        (None, json.dumps([MATCHALL]), Egress(Drop.TC)),
        ("", "", Egress(Drop.NONE)),
        (None, "", Egress(Drop.UNKNOWN)),
        ("", None, Egress(Drop.UNKNOWN)),
    ],
)
def test_both_asked(listed: str | None, filters: str | None, held: Egress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_listed", lambda *command: listed if command[0] == "nft" else filters)
    assert egress("eth1") == held


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo good", "good\n"),
        ("echo 'No such file or directory' >&2; exit 1", ""),
        ("echo 'Operation not permitted' >&2; exit 1", None),
        ("sleep 20", None),
    ],
)
def test_a_program_that_lists(script: str, told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lister").write_text(f"#!/bin/sh\nPATH=/bin:/usr/bin\n{script}\n")
    (tmp_path / "lister").chmod(0o755)
    monkeypatch.setattr(module, "PATH", str(tmp_path))
    monkeypatch.setattr(module, "TIMEOUT_S", 1.0)
    assert module._listed("lister", "x") == told
    assert module._listed("none") == "", "what is not installed has set nothing"


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    if shutil.which("nft", path=module.PATH) is None:
        pytest.skip("nft is not installed")
    with cable() as made:
        yield made


@pytest.mark.root
def test_the_appliance_s_own_table(namespace: Namespace, tmp_path: Path) -> None:
    def held() -> list[object]:
        told: list[object] = json.loads(namespace.run(sys.executable, "-c", ASKER))
        return told

    assert held() == ["NONE", -1]
    text = (ROOT / "firmware_config/nftables/leg.nft").read_text().replace("@LEG@", "eth1").replace("@LEG_ID@", "eth1")
    (tmp_path / "leg.nft").write_text(text)
    namespace.run("nft", "-f", str(tmp_path / "leg.nft"))
    assert held() == ["NFT", 0]
    for _ in range(3):
        with contextlib.suppress(subprocess.CalledProcessError):  # whoever tries to send is told that it was dropped
            namespace.put([bytes.fromhex("ffffffffffff02000000000188b5") + bytes(46)], "eth1")
    assert held() == ["NFT", 3]
    assert namespace.transmitted("eth1") == 0
