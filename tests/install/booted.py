"""A Debian of its own, booted with systemd in a container, on a disk whose power can be cut.

The container shares the network of whoever boots it, who therefore stands in a namespace of its own
(tests/simulators/namespace.py). Its disk is an ext4 on a loop device, shut down without flushing its journal
(EXT4_IOC_SHUTDOWN): what was not fsynced is gone, as after a power cut, and the processes with it.
"""

import array
import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2
DISK_BYTES = 6 << 30  # sparse: three releases of 230 MB, their wheels, a Debian
PATIENCE_S = 3600.0  # an install compiles kernels, and this machine may be busy
BOOT_S = 600.0
TOOLS = ("systemd-nspawn", "nsenter", "mkfs.ext4", "ip")
PLAIN = ("env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8")


class NotHeldError(Exception):
    """What should be so is not."""


def until(true: Callable[[], bool], what: str, within_s: float = BOOT_S, every_s: float = 0.2) -> None:
    """Wait for it; NotHeldError when it does not come."""
    end = time.monotonic() + within_s
    while not true():
        if time.monotonic() > end:
            raise NotHeldError(f"waited {within_s:.0f} s in vain until {what}")
        time.sleep(every_s)


class Booted:
    """One machine. `root` is its disk while it is mounted."""

    def __init__(self, folder: Path) -> None:
        self.image, self.root = folder / "disk", folder / "machine"
        self.root.mkdir(parents=True, exist_ok=True)
        self.log = folder / "console"
        self._container: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def format(self, tree: Path) -> None:
        """A new disk with a copy of the tree."""
        with self.image.open("wb") as file:
            file.truncate(DISK_BYTES)
        _do("mkfs.ext4", "-q", "-F", str(self.image))
        self.mount()
        _do("cp", "-a", "--one-file-system", f"{tree}/.", str(self.root))

    def mount(self) -> None:
        """Its disk, with what is on it.

        On a loop device of its own each time: a container of somebody else that started meanwhile holds a copy of the
        mount before, and with it the file system whose power was cut.
        """
        device = _do("losetup", "--find", "--show", str(self.image)).strip()
        try:
            _do("mount", device, str(self.root))
        finally:
            _do("losetup", "--detach", device)  # as soon as nobody has it mounted

    def unmount(self) -> None:
        """For a machine that is off."""
        _do("umount", str(self.root))

    def run(self, *words: str, **environment: str) -> str:
        """A command on the disk of a machine that is off, with this machine's network; what it said."""
        given = environment | {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        pip = [f"--setenv={name}={value}" for name, value in given.items()]
        certificates = ["--bind-ro=/etc/ssl/certs"] if Path("/etc/ssl/certs").is_dir() else []
        command = [*_nspawn(self.root), "--pipe", "--resolv-conf=copy-host", *pip, *certificates, *words]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        if done.returncode:
            raise NotHeldError(f"{' '.join(words)}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def on(self) -> None:
        """Boot it, until systemd has started all that it was to start."""
        command = [*_nspawn(self.root), "--capability=CAP_NET_ADMIN,CAP_SYS_TIME", "--boot"]
        with self.log.open("ab") as log:
            self._container = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: self._find_leader() and self._settled(), "the machine has booted")

    def inside(self, *words: str, check: bool = True) -> str:
        """A command in the booted machine, as root."""
        done = subprocess.run(
            [*self._enter(), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=PATIENCE_S,
        )  # fmt: skip
        if check and done.returncode:
            raise NotHeldError(f"{' '.join(words)}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout + ("" if check else done.stderr)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """A command in the booted machine that goes on beside us."""
        off = subprocess.DEVNULL
        return subprocess.Popen([*self._enter(), *words], stdin=off, stdout=off, stderr=off)

    def cut(self) -> None:
        """The power goes, and comes again: what was not fsynced is lost."""
        descriptor = os.open(self.root, os.O_RDONLY)
        fcntl.ioctl(descriptor, SHUTDOWN, array.array("I", [NO_LOG_FLUSH]))
        os.close(descriptor)
        self._kill()
        until(self._unmounted, "the disk is let go")
        self.mount()
        self.on()

    def off(self) -> None:
        """As a person switches it off; the disk stays mounted."""
        if self._container is not None:
            self.inside("systemctl", "--no-block", "poweroff", check=False)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._container.wait(BOOT_S)
            self._kill()

    def end(self) -> None:
        """Whatever state it is in."""
        self._kill()
        if self.root.is_mount():
            until(self._unmounted, "the disk is let go")

    def _enter(self) -> list[str]:
        return ["nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-p", "-r", "-w", *PLAIN]

    def _find_leader(self) -> bool:
        """Its systemd: the child of the container's program whose name that is."""
        assert self._container is not None
        if self._container.poll() is not None:
            raise NotHeldError(f"the container ended: {self.log.read_text(errors='replace')[-2000:]}")
        self._leader = 0
        for place in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                name, _, rest = place.read_text().rpartition(")")
                if int(rest.split()[1]) == self._container.pid and name.endswith("(systemd"):
                    self._leader = int(place.parent.name)
        return bool(self._leader)

    def _settled(self) -> bool:
        said = self.inside("systemctl", "is-system-running", check=False)
        return said.split("\n")[0] in {"running", "degraded"}

    def _kill(self) -> None:
        """The container's program first: it would tidy up."""
        if self._container is None:
            return
        for pid in (self._container.pid, self._leader):
            with contextlib.suppress(ProcessLookupError):
                if pid:
                    os.kill(pid, signal.SIGKILL)
        self._container.wait()
        self._container, self._leader = None, 0

    def _unmounted(self) -> bool:
        return subprocess.run(["umount", self.root], check=False, capture_output=True).returncode == 0


def _nspawn(root: Path) -> list[str]:
    return ["systemd-nspawn", "-q", "-D", str(root), "--register=no", "--keep-unit"]


def _do(*words: str) -> str:
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode:
        raise NotHeldError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
