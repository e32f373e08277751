"""What `wardtap replay` says of real captures: what each is known to hold, and next to nothing else."""

import io
import json
from collections import Counter
from pathlib import Path

import pytest

from agent.config import Config
from agent.service.replay import Wanted, replay
from tests.conftest import ROOT, captures_folder
from tests.simulators.bursts import HASHES

pytestmark = HASHES
WARD = ROOT / "tests" / "captures" / "ward.pcap.gz"
FURTHER_KINDS_MAX = 3
FOLDER = captures_folder()

# What catalogue.tsv says that a capture holds, as ids that are raised; a capture that is not here expects none of them.
EXPECTED: dict[str, set[str]] = {
    "threats/arp_scan_hs.pcap": {"arp-sweep"},
    "threats/beacon_tls_2s.pcap": {"beacon"},
    "threats/ftp_crack.pcap": {"credential-guessing", "cleartext-credentials"},
    "threats/ssh_guess_zeek.pcap": {"credential-guessing"},
    "threats/icmp_tunnel.pcap": {"icmp-tunnel"},
    "threats/dhcp_two_servers_derived.pcap": {"rogue-dhcp"},
    "threats/masscan_udp_vlan.pcap": {"port-scan"},
    "threats/nmap_fin_scan.pcap": {"port-scan"},
    "threats/portscan_small.pcap": {"port-scan"},
    "threats/synscan_nmap_1000.pcapng": {"port-scan"},
    "threats/mining_btc_pool.pcap": {"mining"},
    "threats/mining_cgminer_probe.pcapng": {"mining", "host-sweep"},
    "threats/mining_ndpi.pcapng": {"mining"},
    "threats/mining_xmr_nanopool.pcapng": {"mining"},
    "threats/mirai_like_scan_part1.pcap": {"telnet-spread"},
    "threats/smb_worm_445_sweep.pcap": {"smb-spread"},
    "threats/doublepulsar_connect.pcap": {"smb-exploit", "smb1-in-use"},
    "threats/eternalblue_success.pcap": {"smb-exploit", "smb1-in-use"},
    "threats/eternalblue_win7_msf_id2t.pcap": {"smb-exploit", "smb1-in-use"},
    "threats/eternalchampion.pcap": {"smb-exploit", "smb1-in-use"},
    "threats/ipv6_kill_router_ra.pcap": {"rogue-router"},
    "threats/agenttesla_exfil.pcap": {"cleartext-credentials"},
    "encap/ipv4_frag_syn.pcap": {"exploit-header"},
    "cleartext/ftp_ndpi.pcap": {"cleartext-credentials"},
    "cleartext/http_basic_auth.pcap": {"cleartext-credentials"},
    "cleartext/ldap_simple_bind.pcap": {"cleartext-credentials"},
    "cleartext/pop3_sdsimbi_cap1.pcap": {"cleartext-credentials"},
    "cleartext/telnet_ndpi.pcap": {"cleartext-credentials"},
    "clinical/cart_policy_site.pcap": {"internet-contact"},
    "clinical/cast_mdns_ssdp.pcap": {"voice-assistant"},
    "clinical/dhcp_rogue.pcap": {"rogue-dhcp", "rogue-dns"},
    "clinical/dicom_onpath.pcap": {"arp-binding-changed", "cleartext-clinical", "on-path-suspected"},
    "clinical/dicom_onpath_proxy.pcap": {"duplicate-address", "cleartext-clinical", "on-path-suspected"},
    "clinical/dicom_probe.pcap": {"cleartext-clinical"},
    "clinical/dicom_store_find.pcap": {"cleartext-clinical"},
    "clinical/hl7_heartbeat_lost.pcap": {"heartbeat-lost", "cleartext-clinical"},
    "clinical/hl7_second_receiver.pcap": {"cleartext-clinical"},
    "clinical/imaging_beacon.pcap": {"beacon", "internet-contact", "cleartext-clinical"},
    "clinical/imaging_mining.pcap": {"mining", "internet-contact", "cleartext-clinical"},
    "clinical/pump_445_scan.pcap": {"smb-spread"},
    "clinical/pump_telnet_ftp.pcap": {"contract-breach", "default-service", "cleartext-credentials"},
    "clinical/smb1_session.pcap": {"smb1-in-use"},
}
# No attack, or none that anybody is woken for.
NO_PAGE = {
    "clinical/bacnet_cov.pcap", "clinical/dicom_store_find.pcap", "clinical/dicom_tls.pcap",
    "clinical/smb2_session.pcap", "clinical/sdc_discovery_metrics.pcap", "clinical/smb1_session.pcap",
    "clinical/cast_mdns_ssdp.pcap",
    "clinical/cart_policy_site.pcap", "threats/arp_gratuitous_benign.pcapng", "threats/arp_dup_vm_bridge.pcap.gz",
    "threats/eternalblue_failed_patched.pcap", "threats/dos_syn_small.pcap",
}  # fmt: skip


def names(*topics: str) -> list[str]:
    """Captures of these topics, as `topic/file`."""
    if FOLDER is None:
        return []
    found = (path for topic in topics for path in (FOLDER / topic).iterdir() if ".pcap" in path.name)
    return sorted(f"{path.parent.name}/{path.name}" for path in found)


def findings_of(path: Path) -> list[tuple[str, str]]:
    """(severity, id) of every finding."""
    out = io.StringIO()
    replay([path], Config(), Wanted(json=True), out)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    return [(line["severity"], line["id"]) for line in lines if line["type"] == "finding"]


def test_there_are_captures(captures: Path) -> None:
    assert all((captures / name).is_file() for name in (*EXPECTED, *NO_PAGE))


@pytest.mark.parametrize("name", names("benign"))
def test_ordinary_traffic_pages_nobody(captures: Path, name: str) -> None:
    said = Counter(severity for severity, _ in findings_of(captures / name))
    assert not said["page"]
    assert said["review"] <= 1


@pytest.mark.parametrize("name", [*names("threats", "clinical", "cleartext"), *(set(names("encap")) & set(EXPECTED))])
def test_what_is_there_is_found_and_little_else(captures: Path, name: str) -> None:
    said = findings_of(captures / name)
    wanted, loud = EXPECTED.get(name, set()), {kind for severity, kind in said if severity in {"page", "review"}}
    assert wanted <= {kind for _, kind in said}
    assert len(loud - wanted) <= FURTHER_KINDS_MAX
    if name in NO_PAGE:
        assert "page" not in {severity for severity, _ in said}


def test_the_shipped_ward_pages_three_times() -> None:
    said = findings_of(WARD)
    assert sorted(kind for severity, kind in said if severity == "page") == [
        "arp-sweep",
        "internet-contact",
        "smb-spread",
    ]
    assert {severity for severity, _ in said} <= {"page", "posture"}
