"""After a journey every kernel has exactly one compiled signature.

A second one means a second compilation in the middle of a ward's night: a read-only array or an odd integer reached a
kernel that the warm-up compiled for another type (numba takes them for different types).
"""

import ast
import gzip
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent import jit
from tests.forge.pcap import Frame, Pcap, pcapng
from tests.house.tree import ROOT, decorators, functions, is_compiled, python_files, syntax

CAPTURE = ROOT / "tests" / "captures" / "ward.pcap.gz"
# Kernels that no replay reaches: `module:function` -> reason.
NOT_IN_A_REPLAY: dict[str, str] = {
    "agent.tap.kernels_ring:walk_blocks": "walks live rings; tests/tap/test_ring.py",
    "agent.tap.kernels_ring:give_back": "returns their blocks; tests/tap/test_ring.py",
    "agent.packets.kernels_order:order_frames": "several workers on live rings; tests/service/test_worker.py",
    "agent.packets.kernels_order:merge_orders": "several workers on live rings; tests/service/test_batches.py",
    "agent.flows.kernels_shared:share_rows": "several workers on live rings; tests/flows/test_kernels_shared.py",
    "agent.packets.kernels:decode_burst": "compiled into take_burst",
    "agent.packets.kernels_payload:recognise_burst": "compiled into take_burst",
    "agent.packets.kernels_mirror:mark_duplicates": "compiled into take_burst",
}
PROGRAM = """
import contextlib, importlib, io, json, sys
from agent.service.cli import main
told = io.StringIO()
with contextlib.redirect_stdout(told):
    for capture in sys.argv[1].split(":"):
        try:
            code = main(["replay", capture, "--json", "--flows"])
        except SystemExit as end:
            code = end.code
        assert not code, (capture, code)
counts = {}
for name in sys.argv[2].split():
    module, function = name.split(":")
    counts[name] = len(getattr(importlib.import_module(module), function).signatures)
print(json.dumps(counts))
"""


def kernel_names() -> list[str]:
    """`module:function` of everything decorated with `kernel` or `brief`; leaves are compiled into these."""
    found = []
    for path in python_files("agent"):
        module = ".".join(path.with_suffix("").parts)
        found += [
            f"{module}:{function.name}"
            for function in functions(path)
            if {"kernel", "brief"} & set(decorators(function))
        ]
    return found


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Signatures of every kernel after replays: the ward packed and plain, both orders and units, pcapng, cut."""
    folder = tmp_path_factory.mktemp("replay")
    plain = gzip.decompress(CAPTURE.read_bytes())
    frames = [Frame(i * 1000, plain[24 + 16 :][:60]) for i in range(50)]
    files = {
        "plain.pcap": plain,
        "order.pcap": Pcap(nanoseconds=True, big_endian=True).octets(frames),
        "cut.pcap": Pcap(snaplen=40).octets(frames),
        "raw.pcap": Pcap(link=101).octets([Frame(0, frame.octets[14:]) for frame in frames]),
        "next.pcapng": pcapng(frames),
    }
    for name, octets in files.items():
        (folder / name).write_bytes(octets)
    captures = ":".join(str(path) for path in (CAPTURE, *(folder / name for name in files)))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_DISABLE")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, captures, " ".join(kernel_names())],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=3600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    counts: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return counts


@pytest.mark.parametrize("name", kernel_names())
def test_one_signature(name: str, counted: dict[str, int]) -> None:
    if name in NOT_IN_A_REPLAY:
        assert counted[name] <= 1
    else:
        assert counted[name] == 1, f"{name} has {counted[name]} compiled signatures after a replay"


def test_kernel_files_hold_functions_only() -> None:
    """No class, no global that is no constant: what a kernel depends on stands in its arguments or in its own file."""
    for path in python_files("agent"):
        if path.name.startswith("kernels"):
            odd = [
                type(node).__name__ for node in syntax(path).body if isinstance(node, ast.ClassDef | ast.If | ast.Try)
            ]
            assert not odd, f"{path} holds more than functions and constants at lines {odd}"


def test_decorators_come_from_jit() -> None:
    for path in python_files("agent"):
        if any(decorators(function) & {"njit", "jit", "vectorize", "guvectorize"} for function in functions(path)):
            assert path == Path("agent/jit.py"), f"{path} spells numba options itself"


def test_the_cache_folder_knows_every_compiled_file() -> None:
    """A changed file must mean a new cache folder, or an old kernel runs (numba issue 9483)."""
    compiled = {ROOT / path for path in python_files("agent") if any(map(is_compiled, functions(path)))}
    missing = sorted(str(path.relative_to(ROOT)) for path in compiled - set(jit._sources()))
    assert not missing, f"agent/jit.py does not hash {missing}"


def test_kernel_names_can_be_imported() -> None:
    for name in kernel_names():
        module, function = name.split(":")
        assert callable(getattr(importlib.import_module(module), function))
