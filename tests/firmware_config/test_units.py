"""The units keep the promises of the design: what each process sees and what it never has."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.service import cli, lifesign
from tests.firmware_config.conftest import CHECKOUT, FOLDER, Unit, read_unit

SENSOR = read_unit(FOLDER / "systemd" / "wardtap-sensor.service")
UPLINK = read_unit(FOLDER / "systemd" / "wardtap-uplink.service")
UPDATE = read_unit(FOLDER / "systemd" / "wardtap-update.service")
LEG = read_unit(FOLDER / "systemd" / "wardtap-leg@.service")
CLOCK = read_unit(FOLDER / "systemd" / "wardtap-clock.service")
SERVICES = {"clock": CLOCK, "sensor": SENSOR, "uplink": UPLINK, "update": UPDATE, "leg@": LEG}


def words(unit: Unit, key: str) -> set[str]:
    return {word for value in unit.get(key, []) for word in value.split()}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined(name: str) -> None:
    unit = SERVICES[name]
    assert unit["NoNewPrivileges"] == ["yes"]
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["ProtectHome"] == ["yes"]
    assert unit["PrivateDevices"] == ["yes"]
    assert unit["RestrictNamespaces"] == ["yes"]
    assert unit["LimitCORE"] == ["0"]
    assert unit["IPAddressDeny"] == ["any"]
    assert "@system-service" in words(unit, "SystemCallFilter")


@pytest.mark.parametrize("unit", [SENSOR, UPLINK], ids=["sensor", "uplink"])
def test_the_two_services_never_give_up(unit: Unit) -> None:
    assert unit["Restart"] == ["always"]
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert unit["WantedBy"] == ["multi-user.target"]
    assert int(unit["WatchdogSec"][0]) > max(lifesign.SENSOR_S, lifesign.UPLINK_S), "a start may take longer"
    assert unit["NotifyAccess"] == ["main"]
    assert unit["MemoryMax"] != []
    assert unit["MemorySwapMax"] == ["0"], "what a payload left in memory must not reach a disk"


def test_the_sensor_has_packets_and_no_keys() -> None:
    assert "-/var/lib/wardtap/update" in words(SENSOR, "InaccessiblePaths")
    assert words(SENSOR, "CapabilityBoundingSet") == {"CAP_NET_RAW"}
    assert words(SENSOR, "RestrictAddressFamilies") == {"AF_PACKET", "AF_NETLINK", "AF_UNIX"}
    assert "-/var/lib/wardtap/uplink/agent.key" in words(SENSOR, "InaccessiblePaths")
    assert "-/etc/wardtap/keys" in words(SENSOR, "InaccessiblePaths")
    assert words(SENSOR, "ReadWritePaths") == {"/var/lib/wardtap/sensor", "-/var/lib/wardtap/requests"}


def test_the_uplink_has_keys_and_no_packets() -> None:
    assert UPLINK["CapabilityBoundingSet"] == [""]
    assert UPLINK["MemoryDenyWriteExecute"] == ["yes"]
    assert "AF_PACKET" not in words(UPLINK, "RestrictAddressFamilies")
    assert "/var/lib/wardtap/sensor" in words(UPLINK, "ReadOnlyPaths")
    assert words(UPLINK, "ReadWritePaths") == {
        "/var/lib/wardtap/uplink", "/var/lib/wardtap/requests", "-/var/lib/wardtap/update"
    }, "releases and the keys that they are checked with are root's"  # fmt: skip
    assert words(UPLINK, "User") != words(SENSOR, "User")


def test_the_clock_is_set_by_nobody_else_and_before_it_is_needed() -> None:
    assert words(CLOCK, "CapabilityBoundingSet") == words(CLOCK, "AmbientCapabilities") == {"CAP_SYS_TIME"}
    assert words(CLOCK, "User") == {"wardtap-uplink"}
    assert {"chrony.service", "wardtap-uplink.service", "wardtap-sensor.service"} <= words(CLOCK, "Before")
    for unit in (SENSOR, UPLINK, UPDATE, LEG):
        assert unit["ProtectClock"] == ["yes"]


def test_the_update_has_root_and_no_network() -> None:
    assert UPDATE["PrivateNetwork"] == ["yes"]
    assert words(UPDATE, "RestrictAddressFamilies") == {"AF_UNIX"}
    assert "CAP_SYS_ADMIN" not in words(UPDATE, "CapabilityBoundingSet")
    asked = words(read_unit(FOLDER / "systemd" / "wardtap-update.path"), "PathExists")
    assert asked == {"/var/lib/wardtap/update/request", "/opt/wardtap/update.pending"}


def test_a_leg_is_silent_before_it_is_up() -> None:
    steps = LEG["ExecStart"]
    silenced = next(i for i, step in enumerate(steps) if "nft -f" in step)
    taken_up = next(i for i, step in enumerate(steps) if step.endswith(" up"))
    assert silenced == 0
    assert taken_up == len(steps) - 1
    for words_of_step in ("arp off", "addrgenmode none", "promisc on"):
        assert any(words_of_step in step and not step.startswith("-") for step in steps), words_of_step
    assert not any(step.startswith("-") for step in (steps[silenced], steps[taken_up]))


@pytest.mark.parametrize(
    ("name", "exposure"), [("clock", 15), ("sensor", 15), ("uplink", 12), ("update", 20), ("leg@", 25)]
)
def test_exposure_stays_low(name: str, exposure: int) -> None:
    """`systemd-analyze security` exits 1 above the threshold (tenths of its 0 to 10 scale)."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = FOLDER / "systemd" / f"wardtap-{name}.service"
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={exposure}", "--no-pager", str(unit)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert answer.returncode == 0, answer.stdout.splitlines()[-1:]


def test_systemd_understands_every_line(laid: Path) -> None:
    """An unknown key or a bad value is only a warning to systemd, and then the confinement is not there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    folder = laid / "etc" / "systemd" / "system"
    units = sorted(str(path) for path in folder.glob("wardtap-*.*") if path.is_file())
    units = [unit.replace("leg@.", "leg@eth1.") for unit in units]
    answer = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units],
        capture_output=True, text=True, check=False, timeout=60,
        env={"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    ours = [line for line in answer.stderr.splitlines() if "wardtap" in line and "is not executable" not in line]
    assert ours == []


def test_a_wrong_key_would_be_seen(laid: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    text = (laid / "etc/systemd/system/wardtap-uplink.service").read_text()
    unit = tmp_path / "wardtap-wrong.service"
    unit.write_text(text.replace("NoNewPrivileges=", "NoNewPrivilege="))
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "NoNewPrivilege" in answer.stderr


def test_the_program_takes_the_command_of_the_clock() -> None:
    (command,) = CLOCK["ExecStart"]
    program, *arguments = command.removeprefix("-").split()
    assert program == "/opt/wardtap/current/bin/wardtap"
    options = cli._parser().parse_args(arguments)
    assert (options.command, options.set, options.state) == ("clock", True, Path("/var/lib/wardtap"))


@pytest.mark.parametrize("unit", [SENSOR, UPLINK], ids=["sensor", "uplink"])
def test_the_program_takes_the_command_of_the_unit(unit: Unit) -> None:
    (command,) = unit["ExecStart"]
    program, *arguments = command.split()
    assert program == "/opt/wardtap/current/bin/wardtap"
    options = cli._parser().parse_args(arguments)
    assert options.state == Path("/var/lib/wardtap")
    assert options.config == Path("/etc/wardtap/wardtap.toml")


def test_the_uplink_needs_no_executable_memory() -> None:
    """As under MemoryDenyWriteExecute: the kernel refuses new executable memory before the uplink's code is loaded."""
    program = (
        "import ctypes, sys\n"
        "refused = ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)\n"  # PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN (Linux >= 6.3)
        "if refused: sys.exit(77)\n"
        "import agent.service.uplink\n"
        "assert 'numba' not in sys.modules and 'numpy' not in sys.modules, 'the uplink loads kernels'\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60, cwd=CHECKOUT
    )
    if answer.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux >= 6.3)")
    assert answer.returncode == 0, answer.stderr
