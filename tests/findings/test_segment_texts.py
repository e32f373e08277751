"""Filters as text: what nft itself accepts, what a Cisco list says, what had to be left out."""

import re
import shutil
import subprocess
from ipaddress import ip_network
from pathlib import Path

import pytest

from agent.devices.roles import ROLES
from agent.findings.segment_rules import ANY, INTERNET, LOCAL, Rule, rules_of
from agent.findings.segment_texts import Subject, cisco, nftables
from tests.findings.bench import CONTRACTS

LOCAL_NETWORKS = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
NOBODY = Subject("infusion pumps", "infusion-pump", [], LOCAL_NETWORKS, {}, "A test.")
SERVED = NOBODY._replace(roles={"pump-gateway": [ip_network("10.1.2.3/32")]})
TO_SERVER = Rule(True, True, 6, ((3613, 3613), (80, 90)), (LOCAL,), (), "report", "a source", True)


def rules(role: str) -> list[Rule]:
    """Of a shipped contract."""
    contract = CONTRACTS.contract(role)
    assert contract is not None
    return rules_of(contract, CONTRACTS.common)


@pytest.mark.parametrize("role", [role for role in ROLES if CONTRACTS.contract(role)])
def test_nft_itself_reads_what_is_written(tmp_path: Path, role: str) -> None:
    if shutil.which("nft") is None:
        pytest.skip("nft is not installed (Debian: nftables)")
    path = tmp_path / "advice.nft"
    path.write_text(nftables(rules(role), SERVED._replace(name=role)).text)
    answer = subprocess.run(["nft", "-c", "-f", str(path)], capture_output=True, text=True, check=False)
    if "permitted" in answer.stderr:
        pytest.skip("nft checks only as root")
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("role", [role for role in ROLES if CONTRACTS.contract(role)])
def test_no_word_needs_a_list_of_protocols(role: str) -> None:
    """A bare system has no /etc/protocols, and there nft knows ICMPv6 by its number only."""
    words = set(re.findall(r"l4proto (\S+)", nftables(rules(role), SERVED._replace(name=role)).text))
    assert words
    assert all(word in {"tcp", "udp", "icmp"} or word.isdigit() for word in words)


def test_a_line_in_nftables() -> None:
    text = nftables([TO_SERVER], NOBODY).text
    assert 'ip daddr { 10.0.0.0/8 } tcp dport { 3613, 80-90 } accept comment "report"' in text
    assert "ip6 daddr { fd00::/8 }" in text
    assert text.index("established") < text.index("dport") < text.index("counter drop")


def test_lines_in_a_cisco_list() -> None:
    never = Rule(False, False, 6, ((23, 23),), (ANY,), (), "take Telnet", "s", True)
    serves = Rule(True, False, 17, ((161, 161),), (LOCAL,), (), 'answer "SNMP"', "s", False)
    text = cisco([never, TO_SERVER, serves], NOBODY).text.splitlines()
    assert " deny tcp any eq 23 any" in text
    assert " permit tcp any 10.0.0.0 0.255.255.255 eq 3613" in text
    assert " permit tcp any 10.0.0.0 0.255.255.255 range 80 90" in text
    assert " permit udp any eq 161 10.0.0.0 0.255.255.255" in text
    assert " remark answer 'SNMP' (U)" in text
    assert text[-1] == " deny ip any any log"


def test_what_a_tcp_server_answers_is_established() -> None:
    serves = TO_SERVER._replace(originates=False, ports=((443, 443),))
    assert " permit tcp any eq 443 10.0.0.0 0.255.255.255 established" in cisco([serves], NOBODY).text


@pytest.mark.parametrize("form", [nftables, cisco])
def test_a_role_without_a_known_address_is_left_out_and_named(form: object) -> None:
    rule = TO_SERVER._replace(peers=("pump-gateway",), what="talk to its gateway")
    assert callable(form)
    told = form([rule], NOBODY)
    assert told.left_out == ("talk to its gateway: no address of pump-gateway is known",)
    known = form([rule], SERVED)
    assert known.left_out == ()
    assert "10.1.2.3" in known.text


def test_the_internet_is_everywhere_and_a_network_is_itself() -> None:
    assert "daddr" not in nftables([TO_SERVER._replace(peers=(INTERNET,))], NOBODY).text
    cloud = TO_SERVER._replace(peers=(), networks=("198.51.100.0/24",))
    assert "ip daddr { 198.51.100.0/24 }" in nftables([cloud], NOBODY).text
