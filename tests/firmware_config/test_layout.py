"""The table of what is laid, and the files that need no service of their own to be checked."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.firmware_config.conftest import CHECKOUT, FOLDER, read_unit

# Switches that a kernel may be built without; systemd-sysctl passes over those.
OPTIONAL_SWITCHES = {
    "kernel.sysrq",
    "kernel.yama.ptrace_scope",
    "kernel.perf_event_paranoid",
    "kernel.unprivileged_bpf_disabled",
}
NOT_LAID = {"contracts", "packs", "locks", "layout.tsv"}


def rows() -> list[tuple[str, str, str, str]]:
    lines = (FOLDER / "layout.tsv").read_text().splitlines()
    cells = [line.split("\t") for line in lines if line and not line.startswith("#")]
    assert all(len(row) == 4 for row in cells)
    return [(row[0], row[1], row[2], row[3]) for row in cells]


def test_every_file_is_laid_once_and_every_row_has_a_file() -> None:
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
    files = {name for name in files if name.split("/")[0] not in NOT_LAID}
    listed = [row[2] for row in rows()]
    assert sorted(listed) == sorted(files)
    assert len({row[3] for row in rows()}) == len(listed)


def test_rows_are_well_formed() -> None:
    for kind, mode, file, place in rows():
        assert kind in {"file", "site", "leg"}
        assert mode == "0644"
        assert place.startswith("/etc/")
        assert ("@LEG@" in place) == (kind == "leg")
        assert ("@LEG@" in (FOLDER / file).read_text()) == (kind == "leg"), file


def test_every_file_is_explained() -> None:
    page = (CHECKOUT / "docs" / "appliance.md").read_text()
    for _, _, file, place in rows():
        assert f"`{file}`" in page, file
        assert f"`{place}`" in page, place


def test_the_leg_profile_says_nothing(laid: Path) -> None:
    network = read_unit(laid / "etc/systemd/network/10-wardtap-eth1.network")
    for key in ("ARP", "Multicast", "DHCP", "LinkLocalAddressing", "IPv6AcceptRA", "EmitLLDP", "LLMNR", "MulticastDNS"):
        assert network[key] == ["no"], key
    assert network["Promiscuous"] == ["yes"]
    link = read_unit(laid / "etc/systemd/network/10-wardtap-eth1.link")
    for key in ("RxFlowControl", "TxFlowControl", "AutoNegotiationFlowControl", "GenericReceiveOffload"):
        assert link[key] == ["no"], key


def test_sysctl_lines_are_assignments_of_known_switches(laid: Path) -> None:
    for path in (laid / "etc/sysctl.d").iterdir():
        for line in path.read_text().splitlines():
            if line and not line.startswith("#"):
                key, value = (part.strip() for part in line.split("="))
                assert re.fullmatch(r"[a-z0-9_./]+", key)
                assert re.fullmatch(r"\d+", value)
                # the leg itself is not there; the same switch of the loopback is
                place = Path("/proc/sys") / (key if "/" in key else key.replace(".", "/")).replace("eth1", "lo")
                if key not in OPTIONAL_SWITCHES and (Path("/proc/sys/net/ipv6").exists() or "ipv6" not in key):
                    assert place.exists(), key


def test_users_and_folders_can_be_made(laid: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-sysusers") is None:
        pytest.skip("systemd-sysusers is not installed")
    (tmp_path / "etc/sysusers.d").mkdir(parents=True)
    shutil.copy(laid / "etc/sysusers.d/wardtap.conf", tmp_path / "etc/sysusers.d")
    command = ["systemd-sysusers", f"--root={tmp_path}", "wardtap.conf"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    entries = [line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines()]
    shells = {entry[0]: entry[6] for entry in entries}
    assert shells == {"wardtap-sensor": "/usr/sbin/nologin", "wardtap-uplink": "/usr/sbin/nologin"}
    groups = (tmp_path / "etc/group").read_text()
    assert not re.search(r"wardtap-\w+:[^:]*:\d+:.+", groups), "neither user is in the other's group"


def test_state_folders_cross_by_group_and_never_for_all() -> None:
    folders = {}
    for line in (FOLDER / "tmpfiles/wardtap.conf").read_text().splitlines():
        if line.startswith("d "):
            _, path, mode, user, group = line.split()
            folders[path] = (mode, user, group)
    assert folders["/var/lib/wardtap/sensor"] == ("2750", "wardtap-sensor", "wardtap-uplink")
    assert folders["/var/lib/wardtap/uplink"] == ("2710", "wardtap-uplink", "wardtap-sensor")
    # The uplink asks for releases here. Root believes nothing of it: signatures are checked with keys in /opt/wardtap.
    assert folders["/var/lib/wardtap/update"] == ("0700", "wardtap-uplink", "wardtap-uplink")
    assert all(mode.endswith("0") for path, (mode, _, _) in folders.items() if path != "/var/lib/wardtap")


def test_the_default_configuration_is_one_that_the_program_takes() -> None:
    path = FOLDER / "etc" / "wardtap.toml"
    table = tomllib.loads(path.read_text())
    # install.sh reads the legs with sed, on a machine that has no Python yet
    assert re.search(r"^legs = \[[^\]]*\]", path.read_text(), flags=re.MULTILINE)
    assert table["tap"]["legs"] == ["eth1"]
    config = pytest.importorskip("agent.config")
    loaded = config.load(path)
    assert loaded.site.site == "ward"
    assert list(loaded.tap.legs) == ["eth1"]
