"""Child processes of the demo: started, watched, ended; and what is said when one of them dies."""

import contextlib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import StateError
from agent.service.programs import ROOT, Programs, answers, environment, foreground, free_port
from tests.faults.conftest import eventually

LISTEN = """
import socket, sys, time
with socket.create_server(("127.0.0.1", int(sys.argv[1]))):
    print("I listen", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    """None yet; all are ended."""
    made = Programs(tmp_path)
    yield made
    made.stop()


def test_a_free_port_answers_nobody() -> None:
    port = free_port()
    assert not answers(port)
    with socket.create_server(("127.0.0.1", port)):
        assert answers(port)


def test_waiting_for_a_port_and_ending(programs: Programs) -> None:
    port = free_port()
    programs.start("listener", sys.executable, "-c", LISTEN, str(port))
    programs.wait_for_port("listener", port)
    assert answers(port)
    programs.check()
    assert programs.last_words("listener") == "I listen"
    programs.stop()
    assert not answers(port)
    programs.stop()


def test_one_that_ends_by_itself_is_told_with_its_last_words(programs: Programs) -> None:
    programs.start("short", sys.executable, "-c", "print('first'); print('no such broker'); raise SystemExit(3)")

    def ended() -> bool:
        with contextlib.suppress(StateError):
            programs.check()
            return False
        return True

    assert eventually(ended)
    with pytest.raises(StateError, match=r"short ended with exit code 3 \(no such broker\)"):
        programs.check()


def test_one_that_said_nothing(programs: Programs) -> None:
    programs.start("mute", sys.executable, "-c", "raise SystemExit(0)")
    assert programs.last_words("mute") == "it said nothing"


def test_our_own_programs_run_this_checkout() -> None:
    assert environment()["PYTHONPATH"].split(":")[0] == str(ROOT)
    assert (ROOT / "agent" / "service" / "programs.py").is_file()
    assert foreground("agent", "version") == 0


def test_one_that_ended_in_order_is_started_again_and_one_that_fell_is_not(programs: Programs, tmp_path: Path) -> None:
    count = tmp_path / "count"
    again = f"import sys; open({str(count)!r}, 'a').write('x'); sys.exit(len(open({str(count)!r}).read()) > 2)"
    programs.start("restarts", sys.executable, "-c", again)

    def fell() -> bool:
        with contextlib.suppress(StateError):
            programs.check("restarts")
            return False
        return True

    assert eventually(fell)
    assert count.read_text() == "xxx"
