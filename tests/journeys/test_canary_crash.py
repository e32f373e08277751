"""A fault of our own while a patient's payload is at hand: what the sensor says and leaves is searched as well."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.forge.pcap import Pcap
from tests.journeys.whole import allow_cores, environment
from tests.simulators import canary, canary_clinic
from tests.simulators.bursts import THIN
from tests.simulators.leaks import leaks

pytestmark = pytest.mark.skipif(THIN > 1, reason="too long without the JIT")
PLACES = {name: canary_clinic.PLACES[name] for name in ("hl7-admission", "hl7-names", "dicom", "fhir")}
# The sensor with one reader, or one stage, that breaks; `payload` is what it held.
SENSOR = """
import ctypes, os, resource, sys, threading
from agent.service import cli, startup
startup.lean()
from agent.packets.hints import READERS
from agent.packets.records import HintKind
from agent.service.pipeline import Pipeline
from agent.spool.writer import SpoolWriter
from agent.summaries.builder import SummaryBuilder
held = []
class Dying:
    def __del__(self):
        raise ValueError(repr(held[-1]))
def closed():
    sys.stdout.write(f"closed {resource.getrlimit(resource.RLIMIT_CORE)} {ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)}\\n")
    sys.stdout.flush()
def broken(payload):
    held.append(payload)
    closed()
    %s
READERS[HintKind.%s] = broken
sys.argv = ["wardtap", "sensor", "--state", %r, "--replay", %r]
raise SystemExit(cli.main())
"""
WAYS = {
    "a reader raises what it read": ('raise ValueError(f"cannot read {payload!r}")', "HL7"),
    "a reader looks it up": ("return {}[payload.decode('utf-8', 'replace')]", "DICOM"),
    "an encoding refuses it": ("return payload.decode('ascii')", "HL7"),
    "a file is named after it": ("open('/nowhere/' + payload[:40].hex())", "HL7"),
    "an error from another": (
        "try:\n        int(payload)\n    except ValueError as e:\n        raise OSError(5, str(payload)) from e", "HL7",
    ),
    "an error that no except of ours sees": ("raise BaseExceptionGroup(repr(payload), [SystemError(payload)])", "HL7"),
    "a thread beside": (
        "t = threading.Thread(target=int, args=(payload,))\n    t.start()\n    t.join()\n    return []", "HL7",
    ),
    "an object that dies": ("Dying()\n    return []", "HL7"),
    "the process is aborted": ("os.abort()", "HTTP_REQUEST"),
    "memory that is not there": ("ctypes.string_at(1)", "DICOM"),
}  # fmt: skip


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("capture") / "canary.pcap"
    path.write_bytes(Pcap().octets(canary.ward(PLACES)))
    return path


@pytest.mark.parametrize("way", WAYS)
def test_what_a_broken_sensor_says_and_leaves(way: str, capture: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    deed, kind = WAYS[way]
    script = SENSOR % (deed, kind, str(tmp_path / "state"), str(capture))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=work, env=environment(tmp_path), capture_output=True, check=False,
        timeout=3600, preexec_fn=allow_cores,
    )  # fmt: skip
    assert b"closed (0, 0) 0" in done.stdout, (done.stdout, done.stderr[-600:])
    assert done.stderr, "it says that it broke"
    assert not list(work.iterdir()), "no core, no report"
    left = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert left
    assert not leaks(done.stdout + done.stderr)
    assert not leaks(b"\n".join(left))
