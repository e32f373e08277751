"""Where compiled kernels are kept: a folder per release, the user's own, or a temporary one."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from agent import jit
from tests.conftest import ROOT
from tests.simulators.bursts import THIN


def test_the_folder_is_the_user_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = jit.cache_folder()
    assert folder.parent == tmp_path / "wardtap"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert jit.cache_folder() == folder


def test_a_home_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    folder = jit.cache_folder()
    assert folder.name.startswith("wardtap-jit-")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.rmdir()


def test_every_kernel_source_is_in_the_name() -> None:
    """A changed file means another folder: numba itself does not look at what a kernel calls."""
    sources = {path.name for path in jit._sources()}
    assert {
        "kernels.py",
        "kernels_payload.py",
        "kernels_edges.py",
        "records.py",
        "layouts.py",
        "keyed.py",
        "jit.py",
    } <= sources


@pytest.mark.skipif(THIN > 1, reason="nothing is compiled without the JIT")
def test_a_second_process_compiles_nothing(tmp_path: Path) -> None:
    program = (
        "import numpy as np\nfrom agent.jit import compiled\nfrom agent.flows import kernels\n"
        "kernels.next_deadline(np.zeros(4, np.int64))\nprint(*compiled())"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA")}
    environment |= {"XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}

    def told() -> str:
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=3600)
        return done.stdout

    assert [told(), told()] == ["1 1\n", "1 0\n"]


def test_kernels_are_listed() -> None:
    from agent.flows import kernels  # noqa: PLC0415 - decorated at import

    assert kernels.next_deadline in jit.KERNELS
    versions, _ = jit.compiled()
    assert versions >= 0


@pytest.mark.skipif(THIN > 1, reason="nothing is compiled without the JIT")
def test_no_kernel_counts_references() -> None:
    """The switch has no public name: a numba that no longer knows it must be noticed here."""
    numba.njit(error_model="numpy")(_made)(3)
    with pytest.raises(numba.core.errors.NumbaError):  # what allocates is refused
        numba.njit(**jit._PLAIN)(_made)(3)


def _made(count: int) -> int:
    return len(np.zeros(count))


@pytest.mark.skipif(THIN > 1, reason="nothing is compiled without the JIT")
def test_a_line_is_asked_for_where_the_row_is() -> None:
    compiled = numba.njit(**jit._PLAIN)(_asks)
    compiled(np.zeros(4, np.dtype([("a", "u1", (192,))])), 2)
    (text,) = compiled.inspect_llvm().values()
    asked = re.findall(r"call void @llvm\.prefetch\S*\(.*?, i32 (\d), i32 3, i32 1\)", text)
    assert sorted(asked) == ["0", "1"], "for reading and for writing"


def _asks(rows: np.ndarray, index: int) -> None:  # type: ignore[type-arg]
    jit.fetch_line(rows, index, jit.LINE)
    jit.claim_line(rows, index, 0)


@pytest.mark.parametrize("count", [1, 5, 1000])
def test_rows_begin_at_a_cache_line(count: int) -> None:
    rows = jit.aligned_rows(count, np.dtype([("a", "<u8", (12,))]))
    assert (len(rows), rows.itemsize) == (count, 96)
    assert rows.ctypes.data % jit.LINE == 0
    assert rows.flags.c_contiguous
    assert not rows["a"].any()


def test_bits_of_a_word() -> None:
    """Compiled as uncompiled, for every length."""

    def ask(word: np.uint64) -> int:
        return jit.bit_length(word)

    compiled = numba.njit(ask)
    for bits in range(64):
        for word in (1 << bits, (1 << bits + 1) - 1):
            assert compiled(np.uint64(word)) == word.bit_length() == jit._bits_plainly(np.uint64(word))
    assert compiled(np.uint64(0)) == 0


@pytest.mark.skipif(THIN > 1, reason="nothing is compiled without the JIT")
@pytest.mark.parametrize(
    "rows",
    [
        np.zeros(9, np.uint16),
        np.zeros((9, 8), np.uint64),
        np.zeros((9, 16), np.uint32),
        np.zeros(9, [("row", "<u8", (12,))]),
    ],
    ids=["words", "columns", "narrow columns", "records"],
)
def test_the_line_that_is_asked_for_is_the_row_s(rows: np.ndarray) -> None:  # type: ignore[type-arg]
    """A line of somewhere else would be fetched as well, and nothing but a stopwatch would notice."""
    assert where(rows, 5, jit.LINE) == rows[5:].ctypes.data + jit.LINE


@jit.leaf
def where(rows: np.ndarray, index: int, octets: int) -> int:  # type: ignore[type-arg]
    """As `fetch_line` finds it."""
    return jit._line_address(rows, index, octets)  # type: ignore[no-any-return]
