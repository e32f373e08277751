"""`wardtap top` with and without a terminal; sensors that do not run, hang, have ended or write nonsense."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
from codecs import getincrementaldecoder
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.clock import CaptureClock, SystemClock, boot_id
from agent.errors import StateError
from agent.service.status import ENDED, Status
from agent.service.top import as_json, lines, look, top
from tests.conftest import ROOT
from tests.service.bench import S, status_of
from tests.simulators.bursts import THIN

CLOCK = SystemClock()


def now(**fields: object) -> Status:
    """A status of this process that is of this second for a minute: a busy machine may look at it late."""
    times = {
        "boot": boot_id().hex(),
        "mono_ns": CLOCK.mono_ns() + 60 * S,
        "wall_ns": CLOCK.wall_ns(),
        "pid": os.getpid(),
    }
    return status_of(**(times | fields))


@pytest.fixture
def put(tmp_path: Path) -> Callable[[bytes], Path]:
    """Writes a status file into a state directory."""

    def write(content: bytes) -> Path:
        (tmp_path / "sensor").mkdir(exist_ok=True)
        (tmp_path / "sensor" / "status.json").write_bytes(content)
        return tmp_path

    return write


Put = Callable[[bytes], Path]


def test_one_look(put: Put, capsys: pytest.CaptureFixture[str]) -> None:
    assert top(put(now().to_json()), once=True) == 0
    told = capsys.readouterr().out
    assert "infusion pump" in told
    assert "\x1b" not in told
    assert not [line for line in told.splitlines() if line.startswith("!")]


def test_one_look_in_json(put: Put, capsys: pytest.CaptureFixture[str]) -> None:
    assert top(put(now().to_json()), once=True, in_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["running"], told["why"], told["status"]["devices"]) == (True, "", 42)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (now(mono_ns=CLOCK.mono_ns() - 60 * S), "OLD: the sensor has said nothing for"),
        (now(mono_ns=CLOCK.mono_ns() - 60 * S, pid=1 << 30), "does not run any more"),
        (now(state=ENDED), "THE SENSOR HAS ENDED"),
        (now(boot="11" * 16), "from before this machine started"),
        (now(boot="11" * 16, state=ENDED), "THE SENSOR HAS ENDED"),
        (None, "is no status file"),
    ],
)
def test_no_present_status(content: Status | None, words: str, put: Put, capsys: pytest.CaptureFixture[str]) -> None:
    state = put(content.to_json() if content else b"\x1b[2J")
    for in_json in (False, True):
        with pytest.raises(StateError, match="no present status"):
            top(state, once=True, in_json=in_json)
        told = capsys.readouterr().out
        assert words in told.replace("\n! ", " ")
        assert "\x1b" not in told
        assert told.startswith('{"running": false') or "! " in told


def test_no_sensor_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StateError):
        top(tmp_path, once=True)
    told = capsys.readouterr().out
    assert "THE SENSOR IS NOT RUNNING" in told
    assert all(len(line) < 90 for line in told.splitlines()), "a long path is cut"
    assert json.loads(as_json(look((tmp_path / "none",), CLOCK)))["status"] is None
    assert len(lines(look((tmp_path / "none",), CLOCK), 20, 1)) == 1


def test_a_clock_behind_the_file_is_no_age(put: Put) -> None:
    path = put(now().to_json()) / "sensor" / "status.json"
    assert look((path,), CaptureClock(1)).age_s == 0


def terminal(state: Path, *, end: bytes | signal.Signals) -> tuple[str, int, bool]:
    """What `top` writes to a terminal of 80x24 before it is ended; its exit code; whether the terminal is as before."""
    child, master = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        environment = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
        command = [sys.executable, "-m", "agent", "top", "--state", str(state)]
        os.execve(sys.executable, command, environment | {"TERM": "xterm"})
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    before, heard, ended = termios.tcgetattr(master), "", False
    text = getincrementaldecoder("utf-8")()  # a read may end in the middle of a degree sign
    deadline_ns = CLOCK.mono_ns() + 120 * S
    while CLOCK.mono_ns() < deadline_ns:
        if not select.select([master], [], [], 0.2)[0]:
            continue
        try:
            octets = os.read(master, 65536)
        except OSError:
            break
        heard += text.decode(octets)
        if "\x1b[?1049l" in heard:
            break
        if not ended and "\x1b[J" in heard:
            ended = True
            os.write(master, end) if isinstance(end, bytes) else os.kill(child, end)
    if "\x1b[?1049l" not in heard:
        os.kill(child, signal.SIGKILL)  # it would wait for ever for somebody who reads
    _, status = os.waitpid(child, 0)
    same = termios.tcgetattr(master)[:4] == before[:4]
    os.close(master)
    return heard, os.waitstatus_to_exitcode(status), same


@pytest.mark.skipif(THIN > 1, reason="a terminal is the same without the JIT")
@pytest.mark.parametrize(("end", "code"), [(b"q", 0), (b"\x03", 130), (signal.SIGTERM, 130)])
def test_a_real_terminal(put: Put, end: bytes | signal.Signals, code: int) -> None:
    heard, ended, same = terminal(put(now().to_json()), end=end)
    assert ended == code
    assert same, "the terminal is given back as it was"
    assert heard.startswith("\x1b[?1049h\x1b[?25l")
    assert heard.endswith("\x1b[?25h\x1b[?1049l")
    screen = heard.split("\x1b[H")[1].split("\x1b[J")[0]
    assert screen.count("\n") < 24
    assert "infusion pump" in screen
    assert "Traceback" not in heard
