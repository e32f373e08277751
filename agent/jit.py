"""The only place with numba: two decorators, and where compiled kernels are kept.

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
Tags = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.uint8]
Reals = npt.NDArray[np.float64]

KERNELS: list[Callable[..., Any]] = []  # every kernel of the modules imported so far
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
            *_HERE.glob("*/lifecycle.py"),
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


def kernel(function: F) -> F:
    """Compile: cached, without the interpreter lock, division as in C. One signature, fixed by the first call."""
    compiled: Any = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    KERNELS.append(compiled)
    return cast("F", compiled)


def inline(function: F) -> F:
    """A leaf that is pasted into the kernel that calls it."""
    compiled: Any = numba.njit(inline="always", error_model="numpy")(function)
    return cast("F", compiled)


def leaf(function: F) -> F:
    """A leaf that LLVM may inline or not; for bodies too long to paste."""
    compiled: Any = numba.njit(nogil=True, error_model="numpy", forceinline=True)(function)
    return cast("F", compiled)


def compiled() -> tuple[int, int]:
    """(versions in use, of those compiled by this process and not read from the cache) over all kernels."""
    versions = sum(len(getattr(function, "signatures", ())) for function in KERNELS)
    misses = (getattr(getattr(function, "stats", None), "cache_misses", {}) for function in KERNELS)
    return versions, sum(sum(counts.values()) for counts in misses)
