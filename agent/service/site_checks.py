"""Is what the site and the release bring usable: packs, contracts, keys, the broker's address, compiled kernels.

The broker is not asked, its name is not looked up: the doctor sends nothing.
"""

import os
import re
import stat
import sys
from collections.abc import Iterator
from importlib import metadata
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from agent.config import Config
from agent.devices.packs import Packs
from agent.devices.roles import ROLES, TIERS
from agent.devices.site_packs import in_force
from agent.errors import ConfigError, PermissionNeeded, StateError, WardtapError
from agent.findings.contracts import ContractSet, shipped_folder
from agent.findings.name_lists import load_lists
from agent.service.board import ROOT
from agent.service.check import Check, fail, failed, ok, warn
from agent.service.parts import usable
from agent.service.suppression_store import read_explained

LIBRARIES = ("numba", "llvmlite", "numpy", "pcapy-ng", "msgpack", "paho-mqtt", "cryptography")
RELEASE = Path(__file__).resolve().parents[2]
LOCK = RELEASE / "firmware_config" / "locks" / "appliance.txt"
PINNED = re.compile(r"^([a-z0-9-]+)==([^\s\\]+)", re.MULTILINE)
KERNEL = re.compile(r"^@(?:kernel|brief)\b", re.MULTILINE)
GROUP_OR_OTHERS, OTHERS, WRITABLE = 0o077, 0o007, 0o022
LOOPBACK = ("localhost", "ip6-localhost")


def knowledge_checks(config: Config, state: Path) -> Iterator[Check]:
    """Packs and contracts load."""
    try:
        site, refused = usable(in_force(state))
        packs = Packs.load(site=site)
        load_lists()
        yield ok("packs", "", f"version {packs.version}{f', {len(site)} of the site' if site else ''}")
        yield from (failed("packs", fault) for fault in refused)
    except WardtapError as error:
        yield failed("packs", error)
    try:
        explained = read_explained(in_force(state))
        if any(explained):
            count = f"{len(explained.suppressions)} suppressions, {len(explained.windows)} windows"
            yield ok("suppressions", "", f"{count}; `wardtap findings suppressions` shows them")
    except WardtapError as error:
        yield failed("suppressions", error)
    folder = Path(config.findings.contracts) if config.findings.contracts else shipped_folder()
    try:
        contracts = ContractSet.load(folder, ROLES, TIERS)
        yield ok("contracts", str(folder) if config.findings.contracts else "", f"version {contracts.version}")
    except WardtapError as error:
        yield failed("contracts", error)


def key_checks(config: Config, state: Path, file: Path | None) -> Iterator[Check]:
    """Keys are their owner's alone, the configuration nobody else's to change."""
    yield _mode("key", state / "sensor" / "pseudonym.key", GROUP_OR_OTHERS, "the sensor draws it at its first start")
    yield _mode("key", state / "uplink" / "agent.key", GROUP_OR_OTHERS, "enrolment brings it")
    if config.uplink.key:
        yield _mode("key", Path(config.uplink.key), OTHERS, "the site's, for the broker")
    if file is not None:
        yield _mode("config", file, WRITABLE, "")


def _mode(topic: str, path: Path, forbidden: int, whence: str) -> Check:
    todo = f"sudo chmod {'go-w' if forbidden == WRITABLE else 'o=' if forbidden == OTHERS else '600'}"
    try:
        found = path.stat()
    except FileNotFoundError:
        return warn(topic, str(path), "is not there yet", whence)
    except OSError as error:
        return warn(topic, str(path), f"cannot be looked at: {error.strerror}", "run this with sudo")
    mode = stat.S_IMODE(found.st_mode)
    if mode & forbidden:
        return fail(topic, str(path), f"mode {mode:04o} lets others in", f"{todo} {path}", PermissionNeeded)
    return ok(topic, str(path), f"mode {mode:04o}")


def broker_checks(config: Config, root: Path = ROOT) -> Iterator[Check]:
    """The address as far as it can be judged without asking anybody."""
    scheme, _, members = config.uplink.broker.partition("://")
    for member in members.split(","):
        yield from _broker_check(f"{scheme}://{member}", root)


def _broker_check(text: str, root: Path) -> Iterator[Check]:
    url = urlsplit(text)
    host = url.hostname or ""
    if url.scheme == "mqtt" and host not in LOOPBACK:
        yield warn("broker", text, "is spoken to in the clear", "mqtts://, and [uplink] ca")
    if _is_address(host) or host in LOOPBACK or host in _hosts(root):
        known = "is an address" if _is_address(host) else "is known on this machine"
        yield ok("broker", host, f"{known}; whether it answers is the uplink's to say")
    else:
        todo = "put it into /etc/hosts, or allow the name server in wardtap-uplink.service.d/50-site.conf"
        yield warn("broker", host, "is a name that only a name server knows (not asked)", todo)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _hosts(root: Path) -> set[str]:
    try:
        lines = (root / "etc/hosts").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return {name.lower() for line in lines for name in line.partition("#")[0].split()[1:]}


def library_checks(lock: Path = LOCK) -> Iterator[Check]:
    """What is installed is what was locked, and numba can be loaded."""
    try:
        pinned = dict(PINNED.findall(lock.read_text("ascii")))
    except OSError:
        pinned = {}
    for name in LIBRARIES:
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield fail("library", name, "is not installed", "./install.sh setup", StateError)
            continue
        wanted = pinned.get(name)
        if wanted is not None and found != wanted:
            yield warn("library", name, f"{found}, tested with {wanted}", "./install.sh setup")
        else:
            yield ok("library", name, found)


def kernel_checks(folder: Path | None = None) -> Iterator[Check]:
    """Are the kernels compiled: else the first start takes a minute, and five on a small board."""
    laid = RELEASE / "kernels"
    if laid.is_dir():
        os.environ.setdefault("NUMBA_CACHE_DIR", str(laid))  # else a folder would be made in this user's home
    try:
        from agent import jit  # noqa: PLC0415 - it loads numba, which must not end the doctor when it cannot

        place = folder or Path(os.environ.get("NUMBA_CACHE_DIR") or jit.cache_folder())
    except Exception as error:  # noqa: BLE001 - a broken library may raise anything
        todo = "./install.sh setup; no MemoryDenyWriteExecute= in the unit"
        yield fail("kernels", "", f"numba cannot be loaded: {type(error).__name__}", todo, StateError)
        return
    wanted = sum(len(KERNEL.findall(path.read_text("utf-8"))) for path in (RELEASE / "agent").glob("*/kernels*.py"))
    # An index for each kernel and Python; which processors it was compiled for is inside, in a pickle: not opened here.
    found = sum(1 for _ in place.rglob(f"kernels*.py{sys.version_info.major}{sys.version_info.minor}.nbi"))
    if found < wanted:
        todo = "wardtap warmup (the service: install.sh update)"
        yield warn("kernels", str(place), f"{found} of {wanted} are compiled: a start compiles the others", todo)
    else:
        yield ok("kernels", str(place), f"all {wanted} compiled")


def capture_checks(backend: str) -> Iterator[Check]:
    """libpcap: needed by its own backend, by filters and by odd captures."""
    try:
        from agent.tap.pcapy_live import libpcap_version  # noqa: PLC0415 - loaded only to be asked

        yield ok("libpcap", "", libpcap_version() or "does not say its version")
    except ImportError as error:
        told = f"pcapy-ng cannot be loaded: {error.name or 'no such module'}"
        yield (
            fail("libpcap", "", told, "./install.sh setup", ConfigError)
            if backend == "pcapy"
            else warn("libpcap", "", told, "./install.sh setup; the ring needs it for [tap] filter only")
        )
