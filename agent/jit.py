"""The only place with numba: its decorators, three instructions it has no word for, and where kernels are kept.

A cached kernel is not rebuilt when a function or constant of another file changes (numba docs, user/jit.rst; issue
9483). So the cache folder carries a hash of every kernel source of this release: a changed file means a new folder.
The folder must be writable or decoration raises (numba/core/caching.py), and its files are pickles: it is the user's
own, mode 0700.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

# Arrays that kernels are given, by what they hold.
Words = npt.NDArray[np.int64]  # counts, limits, times, slots
Hashes = npt.NDArray[np.uint64]  # keys, MAC addresses, hash values
Tags = npt.NDArray[np.uint16]  # pieces of digests
Seconds = npt.NDArray[np.uint32]  # since 1970, until 2106
Slots = npt.NDArray[np.uint32]  # places in a table
Memory = npt.NDArray[np.uint32]  # a ring that is shared with the kernel, in words of its headers
Flags = npt.NDArray[np.uint8]
Reals = npt.NDArray[np.float64]

KERNELS: list[Callable[..., Any]] = []  # every kernel of the modules imported so far
LINE = 64  # octets of a cache line on every board we run on
F = TypeVar("F", bound=Callable[..., Any])
_HERE = Path(__file__).resolve().parent


def _sources() -> list[Path]:
    """Every file whose text ends up in compiled code."""
    return sorted(
        [
            *_HERE.glob("*/kernels*.py"),
            *_HERE.glob("*/records.py"),
            *_HERE.glob("*/layouts.py"),
            *_HERE.glob("*/walk_*.py"),
            *_HERE.glob("*/cursor.py"),
            *_HERE.glob("*/scan.py"),
            *_HERE.glob("*/logins.py"),
            *_HERE.glob("*/smb_shapes.py"),
            *_HERE.glob("*/point_of_care.py"),
            *_HERE.glob("*/gists.py"),
            *_HERE.glob("*/budgets.py"),
            *_HERE.glob("*/lifecycle.py"),
            *_HERE.glob("*/keys.py"),
            *_HERE.glob("*/placing.py"),
            *_HERE.glob("*/ends.py"),
            *_HERE.glob("*/sets.py"),
            *_HERE.glob("*/tallies.py"),
            *_HERE.glob("*/trying.py"),
            _HERE / "keyed.py",
            _HERE / "jit.py",
        ]
    )


def cache_folder() -> Path:
    """The folder of this release's compiled kernels; a temporary one where the home is not writable."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(path.name.encode() + path.read_bytes())
    name = f"jit-{digest.hexdigest()[:16]}"
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wardtap" / name
    try:
        base.mkdir(parents=True, mode=0o700, exist_ok=True)
        if os.access(base, os.W_OK):
            return base
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="wardtap-jit-"))


os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder()))

import numba  # noqa: E402 - the cache folder must be known first
from llvmlite import ir  # noqa: E402
from numba.core import cgutils, types  # noqa: E402
from numba.extending import intrinsic  # noqa: E402

_READ, _WRITE, _KEEP, _DATA = 0, 1, 3, 1  # arguments of llvm.prefetch: what for, into every cache level, of data


# A kernel allocates nothing and its caller holds every array: without numba's runtime no reference is counted, which
# halves what decoding costs (docs/decisions/0012).
_PLAIN: dict[str, Any] = {"error_model": "numpy", "_nrt": False}


def kernel(function: F) -> F:
    """Compile: cached, without the interpreter lock, division as in C. One signature, fixed by the first call."""
    compiled: Any = numba.njit(cache=True, nogil=True, **_PLAIN)(function)
    KERNELS.append(compiled)
    return cast("F", compiled)


def brief(function: F) -> F:
    """A kernel that is done within the time it would take to get the interpreter lock back: it keeps it."""
    compiled: Any = numba.njit(cache=True, **_PLAIN)(function)
    KERNELS.append(compiled)
    return cast("F", compiled)


def inline(function: F) -> F:
    """A leaf that is pasted into the kernel that calls it."""
    compiled: Any = numba.njit(inline="always", **_PLAIN)(function)
    return cast("F", compiled)


def leaf(function: F) -> F:
    """A leaf that LLVM may inline or not; for bodies too long to paste."""
    compiled: Any = numba.njit(nogil=True, forceinline=True, **_PLAIN)(function)
    return cast("F", compiled)


def _fetch_plainly(rows: npt.NDArray[Any], index: int | np.uint64, octets: int) -> None:
    """Plain Python has no cache lines to fetch."""


def _address(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Of `octets` behind the start of rows[index], whether a row is a record or has columns."""
    array = context.make_array(signature.args[0])(context, builder, args[0])
    stride = cast("Any", cgutils).unpack_tuple(builder, array.strides)[0]
    offset = builder.add(builder.mul(args[1], stride), args[2])
    return builder.add(builder.ptrtoint(array.data, cgutils.intp_t), offset)


@intrinsic
def _line_address(_: Any, rows: Any, index: Any, octets: Any) -> Any:  # noqa: ARG001 - numba gives their types
    """Where `fetch_line` looks: a wrong address faults nowhere and is only slow, so a test asks."""
    return types.intp(rows, types.intp, types.intp), _address


def _prefetch(intent: int) -> Callable[..., Any]:
    """A hint to the processor; an address outside the array is harmless, it cannot fault (LLVM LangRef, prefetch)."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = builder.inttoptr(_address(context, builder, signature, args), cgutils.voidptr_t)
        number = cgutils.int32_t
        shape = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        call: Any = cast("Any", cgutils).get_or_insert_function(builder.module, shape, "llvm.prefetch.p0i8")
        builder.call(call, [address, number(intent), number(_KEEP), number(_DATA)])
        return context.get_dummy_value()

    return emit


@intrinsic
def _fetch_ahead(_: Any, rows: Any, index: Any, octets: Any) -> Any:  # noqa: ARG001 - numba gives their types
    return types.void(rows, types.intp, types.intp), _prefetch(_READ)


@intrinsic
def _claim_ahead(_: Any, rows: Any, index: Any, octets: Any) -> Any:  # noqa: ARG001 - numba gives their types
    return types.void(rows, types.intp, types.intp), _prefetch(_WRITE)


_plain = os.environ.get("NUMBA_DISABLE_JIT", "0") != "0"
_Ask = Callable[[npt.NDArray[Any], int | np.uint64, int], None]
# Ask for the cache line that is `octets` behind the start of rows[index], to have it when it is needed.
fetch_line: _Ask = _fetch_plainly if _plain else cast("Any", _fetch_ahead)
# The same for a line that will be written: another core that read it last gives it up.
claim_line: _Ask = _fetch_plainly if _plain else cast("Any", _claim_ahead)


def _bits_plainly(word: np.uint64 | int) -> int:
    """Python's own numbers know it."""
    return int(word).bit_length()


@intrinsic
def _bits_compiled(_: Any, word: Any) -> Any:  # noqa: ARG001 - numba gives its type
    """LLVM's count of leading zeros: one instruction, where a loop takes sixty."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001 - numba's own order
        zeros = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))
        return builder.sub(cgutils.intp_t(64), zeros)

    return types.intp(types.uint64), emit


# How many bits a word has without its leading zeros.
bit_length: Callable[[np.uint64], int] = (
    _bits_plainly if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" else cast("Any", _bits_compiled)
)


def aligned_rows(count: int, dtype: npt.DTypeLike) -> npt.NDArray[np.void]:
    """Zeroed rows that begin at a cache line: a row of 64, 128 or 192 octets then touches no line more than it must."""
    size = np.dtype(dtype).itemsize * count
    octets = np.zeros(size + LINE, np.uint8)
    start = -octets.ctypes.data % LINE
    rows: npt.NDArray[np.void] = octets[start : start + size].view(dtype)
    return rows


def _fence_plainly() -> None:
    """Plain Python runs one thread at a time, and what switches threads orders memory."""


@intrinsic
def _fence_compiled(_: Any) -> Any:
    """LLVM's fence instruction; without it an ARM core may read what a word announces before it reads the word."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001 - numba's own order
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), emit


# What is read or written after it is read or written after what stands before it; for memory shared with the kernel.
fence: Callable[[], None] = (
    _fence_plainly if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" else cast("Any", _fence_compiled)
)


def compiled() -> tuple[int, int]:
    """(versions in use, of those compiled by this process and not read from the cache) over all kernels."""
    versions = sum(len(getattr(function, "signatures", ())) for function in KERNELS)
    misses = (getattr(getattr(function, "stats", None), "cache_misses", {}) for function in KERNELS)
    return versions, sum(sum(counts.values()) for counts in misses)
