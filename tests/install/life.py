"""`python -m tests.install.life TREE [--page FILE]`: an appliance's life under a real systemd, row by row. Root.

Half an hour on a machine that has nothing else to do; with `--plain`, where no kernels are compiled, ten minutes.

TREE is copied and not changed: one of `debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,udev,python3,
python3-venv,ca-certificates,nftables,iproute2,ethtool bookworm DIR`. Three releases are laid by install.sh, with the
network (their packages, by the lock). Then the machine boots on a disk whose power can be cut, in a network namespace
with a cable, beside mosquitto, a collector and a desk, and is updated as a site would do it: signed by two release
keys, asked for with `wardtapctl update-to`.

What a container cannot show: udev, so the unit that silences a leg is started by hand and waits for no device; and the
kernel's own watchdog.
"""

import argparse
import ctypes
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from tests.devices.bench import hello
from tests.flows.talks import HOSTS
from tests.install.booted import TOOLS, NotHeldError, until
from tests.install.prepared import BROKEN, NEW, OLD, Prepared
from tests.install.seen import table, write
from tests.install.site import Site
from tests.simulators.broker import mosquitto_path
from tests.simulators.namespace import cable

CLONE_NEWNET = 0x40000000
UP_S = 150  # for both programs to come up: half a minute more than an appliance takes, for a busy machine
PATIENCE_S = 1800.0
OPT, STATE = Path("opt/wardtap"), Path("var/lib/wardtap")
SERVICES = ("wardtap-sensor", "wardtap-uplink")
UNITS = ("wardtap-clock.service", "wardtap-sensor.service", "wardtap-uplink.service", "wardtap-update.service")
# Capabilities as /proc shows them: bit 13 is CAP_NET_RAW.
CAPABILITIES = {"wardtap-sensor": 1 << 13, "wardtap-uplink": 0}
OWN_WATCH = {"1min", "3min"}  # as the services ask for, in place of the unit's time for a start
HANG_S = 400.0  # three minutes without a sign, half a minute to end by itself, and a busy machine


class Row(NamedTuple):
    """What is looked at, and how; it says what it saw."""

    what: str
    look: "Callable[[Life], str]"


class Life:
    """The tap that lives, and its site."""

    def __init__(self, made: Prepared, site: Site) -> None:
        self.made, self.site, self.tap = made, site, made.tap

    def current(self) -> str:
        """The release that the link names."""
        link = self.tap.root / OPT / "current"
        return link.readlink().name if link.is_symlink() else ""

    def path(self, place: Path | str) -> Path:
        """On the tap's disk."""
        return self.tap.root / place

    def main_pid(self, service: str) -> int:
        """Inside the machine; 0 while it does not run."""
        return int(self.tap.inside("systemctl", "show", "-P", "MainPID", service))

    def runs(self, name: str) -> bool:
        """Both programs have come up with this release, in this boot, and nothing is pending."""
        for file in ("sensor/run.json", "uplink/up.json"):
            place = self.path(STATE / file)
            if not place.exists() or json.loads(place.read_text())["release"] != name:
                return False
        return self.current() == name and self.active()

    def active(self) -> bool:
        """Both services run."""
        said = self.tap.inside("systemctl", "is-active", *SERVICES, check=False)
        return said.split()[:2] == ["active", "active"]

    def whole(self) -> None:
        """One release runs, as it was laid, and every file of it too; the updater has tidied up."""
        asks = ("systemctl", "show", "-P", "ActiveState", "wardtap-update.service")
        until(lambda: self.tap.inside(*asks).strip() in {"inactive", "failed"}, "the updater has ended")
        said = self.tap.inside("sh", "/opt/wardtap/current/install.sh", "status", check=False)
        wrong = [line for line in said.splitlines() if "DIFFERS" in line or "MISSING" in line or "incomplete" in line]
        if wrong or said.count(", current") != 1:
            raise NotHeldError(said)

    def stored(self) -> int:
        """Records of the tap that the collector has."""
        return self.site.stored()


def boots(life: Life) -> str:
    """Every unit as install.sh enabled it."""
    until(life.active, "both services run")
    life.tap.inside("systemctl", "start", "wardtap-leg@eth1")
    said = life.tap.inside("systemctl", "is-active", "wardtap-clock", *SERVICES, "wardtap-update.path")
    failed = [line for line in life.tap.inside("systemctl", "--failed", "--plain", "--no-legend").splitlines() if line]
    if said.split() != ["active"] * 4 or any("wardtap" in line for line in failed):
        raise NotHeldError(said + "\n".join(failed))
    again = life.tap.inside("sh", f"/src/{OLD}/install.sh", "install")
    life.whole()
    return f"4 units active; install again: {again.splitlines()[-1]}"


def confined(life: Life) -> str:
    """What systemd finds in the units, and what the kernel says of the processes."""
    checked = life.tap.inside("systemd-analyze", "verify", "--man=no", *UNITS, "wardtap-update.path", check=False)
    if [line for line in checked.splitlines() if "wardtap" in line]:
        raise NotHeldError(checked)
    told = []
    for unit in UNITS:
        said = life.tap.inside("systemd-analyze", "security", "--no-pager", unit, check=False)
        level = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
        assert level, said
        told.append(f"{unit.removeprefix('wardtap-').removesuffix('.service')} {level[1]}")
    for service, wanted in CAPABILITIES.items():
        status = dict(
            line.split(":\t", 1)
            for line in life.tap.inside("cat", f"/proc/{life.main_pid(service)}/status").splitlines()
            if ":\t" in line
        )
        if (int(status["CapEff"], 16), status["NoNewPrivs"], status["Seccomp"]) != (wanted, "1", "2"):
            raise NotHeldError(f"{service}: {status}")
    _keys_do_not_exist(life)
    return f"nothing to verify; exposure of 10: {', '.join(told)}; capabilities, seccomp and folders as promised"


def _keys_do_not_exist(life: Life) -> None:
    """For the sensor, in its own mounts, even for root in there."""
    pid = life.main_pid("wardtap-sensor")
    enter = ("nsenter", "-t", str(pid), "-m")
    for place in ("uplink/agent.key", "uplink/trust.bin", "update/x"):
        said = life.tap.inside(*enter, "sh", "-c", f"cat /var/lib/wardtap/{place}; echo x >/var/lib/wardtap/{place}",
                               check=False)  # fmt: skip
        if "PRIVATE" in said or life.path(STATE / "update/x").exists():
            raise NotHeldError(f"the sensor reaches {place}: {said}")
    said = life.tap.inside(*enter, "sh", "-c", "echo x >/opt/wardtap/x; echo x >/etc/x", check=False)
    if life.path(OPT / "x").exists() or life.path("etc/x").exists():
        raise NotHeldError(f"the sensor may write where releases lie: {said}")


def sends(life: Life) -> str:
    """From the cable to the collector's page."""
    before = life.stored()
    for _ in range(5):
        life.site.put([hello(host).octets for host in HOSTS])
        time.sleep(1)  # so that the frames are of several seconds; nothing depends on it
    until(lambda: life.stored() > before + 2 and life.site.devices() >= len(HOSTS), "the collector has it", PATIENCE_S)
    return f"{life.site.devices()} devices on the page, {life.stored()} records stored"


def hangs(life: Life) -> str:
    """A service that stands still is ended and started again."""
    told = []
    for service in SERVICES:
        asked = ("systemctl", "show", "-P", "WatchdogUSec", service)
        until(lambda a=asked: life.tap.inside(*a).strip() in OWN_WATCH, f"{service} gives signs")  # type: ignore[misc]
        pid, began = life.main_pid(service), time.monotonic()
        life.tap.inside("systemctl", "kill", "-s", "STOP", service)
        until(lambda s=service, p=pid: life.main_pid(s) not in {0, p}, f"{service} is started again", HANG_S)  # type: ignore[misc]
        said = life.tap.inside("journalctl", "--no-pager", "-o", "cat", "-u", service)
        if "watchdog" not in said.lower():
            raise NotHeldError(said[-1000:])
        told.append(f"{service.removeprefix('wardtap-')} after {time.monotonic() - began:.0f} s")
    until(life.active, "both services run again")
    return f"stopped (SIGSTOP), started again: {', '.join(told)}"


def breaks(life: Life) -> str:
    """A release whose sensor falls at its start, asked for from afar."""
    name, began = life.made.names[BROKEN], time.monotonic()
    said = life.site.ask(name).wait()
    old = life.made.names[OLD]
    if f"did not come up in {UP_S} s; release {old} runs again" not in said:
        raise NotHeldError(said)
    until(lambda: life.runs(old), "the old one runs")
    life.whole()
    if life.path(OPT / "floor.json").exists() or life.path(OPT / "update.pending").exists():
        raise NotHeldError("something of it stayed")
    if not any(name in line["reason"] or "did not come up" in line["reason"] for line in life.site.noted("failed")):
        raise NotHeldError("the collector has no receipt of it")
    sends(life)
    return f"back after {time.monotonic() - began:.0f} s; `failed` with its reason on the desk and at the collector"


def breaks_in_the_dark(life: Life) -> str:
    """The same, and the power goes while the old release is brought back."""
    name, old = life.made.names[BROKEN], life.made.names[OLD]
    asked = life.site.ask(name)
    until(lambda: life.current() == name, "it has switched", PATIENCE_S)
    until(lambda: life.current() == old, "it goes back", PATIENCE_S, every_s=0.01)
    life.tap.cut()
    until(lambda: life.runs(old) and not _pending(life), "the old one runs", PATIENCE_S)
    said = asked.wait()
    if '"failed"' not in said:
        raise NotHeldError(said)
    life.whole()
    return f"release {old} runs; the receipt, after the cut: failed"


def _pending(life: Life) -> bool:
    return life.path(OPT / "update.pending").exists()


def _laid_only(life: Life) -> bool:
    unit = life.path("etc/systemd/system/wardtap-sensor.service")
    return f"example.org/{NEW}" in unit.read_text() and life.current() == life.made.names[OLD]


def _switched(life: Life) -> bool:
    return life.current() == life.made.names[NEW]


def _confirmed(life: Life) -> bool:
    return life.path(OPT / "floor.json").exists()


def dies_at(point: Callable[[Life], bool], name: str) -> Callable[[Life], str]:
    """An update to the newer release in which the power goes at a point; then it is gone back by hand, for the next."""

    def look(life: Life) -> str:
        old, new = life.made.names[OLD], life.made.names[NEW]
        asked = life.site.ask(new)
        until(lambda: point(life), name, PATIENCE_S, every_s=0.005)
        life.tap.cut()
        came_to = life.current()
        if came_to not in {old, new}:
            raise NotHeldError(f"after the cut the link names {came_to!r}")
        until(lambda: life.runs(new) and not _pending(life), "the newer one runs", PATIENCE_S)
        said = asked.wait()
        if '"done"' not in said:
            raise NotHeldError(said)
        life.whole()
        life.tap.inside("sh", "/opt/wardtap/current/install.sh", "update", old)
        life.path(OPT / "floor.json").unlink(missing_ok=True)  # so that the next point is reached as this one was
        life.tap.inside("sync")
        until(lambda: life.runs(old), "the old one runs, by hand")
        return "the newer one runs after the next start; the receipt: done"

    return look


def updates(life: Life) -> str:
    """A newer release, signed by two."""
    new, began = life.made.names[NEW], time.monotonic()
    said = life.site.ask(new).wait()
    if '"done"' not in said:
        raise NotHeldError(said)
    until(lambda: life.runs(new), "the newer one runs")
    life.whole()
    floor = json.loads(life.path(OPT / "floor.json").read_text())["floor"]
    seconds = time.monotonic() - began
    refused = life.site.ask(life.made.names[OLD]).wait()
    if f"at least {floor} may run" not in refused or not life.runs(new):
        raise NotHeldError(refused)
    sends(life)
    return f"done after {seconds:.0f} s, floor {floor}; the one below it: refused"


def goes(life: Life) -> str:
    """`uninstall --purge`: the machine as it was."""
    for place in OURS:
        shutil.rmtree(life.path(place)) if life.path(place).is_dir() else life.path(place).unlink(missing_ok=True)
    life.tap.inside("sh", f"/src/{NEW}/install.sh", "uninstall", "--purge")
    left = sorted(life.made.files() - life.made.before)
    accounts = [line for line in life.path("etc/passwd").read_text().splitlines() if "wardtap" in line]
    units = life.tap.inside("systemctl", "list-units", "--all", "--plain", "--no-legend", "wardtap-*").splitlines()
    running = [line for line in units if " active " in line]
    files = [path for path in left if not OWN.search(path) and not life.path(path).is_dir()]
    if files or accounts or running:
        raise NotHeldError(f"{files} {accounts} {running}")
    empty = [path for path in left if not OWN.search(path)]
    return f"no file, user or unit of it; folders that stay, empty: {', '.join(empty) or 'none'}"


# What this file and tests/install/prepared.py laid.
OURS = tuple(
    f"etc/systemd/system/{name}"
    for name in ("wardtap-leg@eth1.service", "wardtap-update.service.d", "wardtap-sensor.service.d")
)
# Debian's own tools keep a copy of the file of users that they change, and systemd says when it first ran.
OWN = re.compile(
    r"^lost.found$|^etc/((passwd|group|shadow|gshadow|subuid|subgid)-|machine-id|\.pwd\.lock|\.updated)$|^var/(lib/(dbus|private)|tmp|\.updated)"
)

ROWS = (
    Row("installed with a kit and booted; a second install", boots),
    Row("the sandbox: `systemd-analyze verify`, `security`, and /proc", confined),
    Row("frames on the cable reach the collector", sends),
    Row("a sensor, an uplink that hang", hangs),
    Row("an update to a release that breaks", breaks),
    Row("the same, power cut while it goes back", breaks_in_the_dark),
    Row("an update, power cut when a unit is laid and nothing switched", dies_at(_laid_only, "the unit is laid")),
    Row("an update, power cut when the link has switched", dies_at(_switched, "it has switched")),
    Row("an update, power cut when the floor has risen", dies_at(_confirmed, "the floor has risen")),
    Row("an update to a newer release", updates),
    Row("`uninstall --purge`", goes),
)


def live(made: Prepared, only: list[int]) -> Iterator[tuple[Row, str, bool, float]]:
    """Each row as it is looked at; the first that does not hold is the last."""
    with cable() as namespace:
        namespace.link("lo", "up")
        with closing((Path("/run/netns") / namespace.name).open("rb")) as handle:
            if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), CLONE_NEWNET):
                raise NotHeldError(f"this process cannot enter its namespace: {os.strerror(ctypes.get_errno())}")
        with Site(made) as site:
            _fit_the_container(made.tap.root)
            made.tap.on()
            try:
                for number, row in enumerate(ROWS, 1):
                    if only and number not in only:
                        continue
                    began, held = time.monotonic(), True
                    try:
                        said = row.look(Life(made, site))
                    except NotHeldError as error:
                        said, held = f"{error}\n{_last_words(made)}", False
                    yield row, said, held, time.monotonic() - began
                    if not held:
                        return
            finally:
                made.tap.off()


def _last_words(made: Prepared) -> str:
    """What the units said, for whoever looks why."""
    try:
        return made.tap.inside("journalctl", "--no-pager", "-n", "60", "-u", "wardtap-*", check=False)
    except OSError as error:
        return str(error)


def _fit_the_container(root: Path) -> None:
    """The updater waits longer than on an appliance, and the leg's unit for no udev; it does the rest as it is."""
    units = root / "etc/systemd/system"
    lines = (units / "wardtap-leg@.service").read_text().splitlines()
    kept = [line for line in lines if not line.startswith(("BindsTo=", "After=sys-subsystem"))]
    (units / "wardtap-leg@eth1.service").write_text("\n".join([*kept, ""]))
    folder = units / "wardtap-update.service.d"
    folder.mkdir(exist_ok=True)
    (folder / "patience.conf").write_text(f"[Service]\nEnvironment=WARDTAP_UP_S={UP_S}\nTimeoutStartSec=3600\n")


def missing(tree: Path) -> str:
    """Why no machine can be booted here; empty when one can."""
    if os.geteuid() != 0:
        return "root mounts, boots and cuts the power"
    tools = [tool for tool in TOOLS if shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    if tools:
        return f"not installed: {' '.join(tools)} (apt-get install systemd-container e2fsprogs iproute2 util-linux)"
    if mosquitto_path() is None:
        return "not installed: mosquitto"
    return "" if (tree / "usr/lib/systemd/systemd").exists() else f"{tree} is no Debian with systemd"


def main() -> int:
    """0 when every row held."""
    options = argparse.ArgumentParser(prog="python -m tests.install.life", description=__doc__)
    options.add_argument("tree", type=Path)
    options.add_argument("--rows", type=int, nargs="*", default=[], help="only these; they build on each other")
    options.add_argument("--page", type=Path, help="write the table there, between its marks")
    options.add_argument("--keep", type=Path, metavar="DIR", help="work there, on what a run before has laid there")
    options.add_argument("--plain", action="store_true", help="compile no kernels")
    given = options.parse_args()
    if why := missing(given.tree):
        print(f"not run: {why}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left standing
    folder = given.keep or Path(tempfile.mkdtemp(prefix="wardtap-life-"))
    made, lines, held = Prepared(folder, plain=given.plain), list[str](), True
    try:
        made.again() if (folder / "prepared.json").exists() else made.make(given.tree)
        for row, said, held, seconds in live(made, given.rows):
            lines.append(f"| {row.what} | {said} | {seconds:.0f} |")
            print(f"{'held' if held else 'NOT HELD':8} {seconds:6.0f} s  {row.what}: {said}", flush=True)
    finally:
        made.tap.end()
        if not given.keep:
            shutil.rmtree(folder)
    if held and given.page:
        write(given.page, table(lines))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
