"""How a program that runs kernels starts: what its process need not do before the first frame.

A replay of a short capture is mostly start, and a start is mostly imports. What the libraries do there that gives a
sensor nothing is switched off by means that Python and the libraries document - in a process that is the program's own,
and only there.
"""

import gc
import os
import sys
from typing import Any

# numba asks for these and does without. With cffi it builds a parser of C declarations, and no kernel of ours calls C;
# with yaml it takes settings from a `.numba_config.yaml` in the folder the person stands in, beside any capture.
UNWANTED = ("cffi", "yaml")
# A start makes 160,000 objects and a thousand of garbage; at every 700th new one the collector would go through them.
THRESHOLD_STARTING = 1_000_000
THRESHOLD_RUNNING = 100_000  # tables are arrays: there is little for the collector to find
# How long a thread that computes in Python keeps the interpreter when another asks for it. While the judge thinks the
# reading thread asks once a burst, for some microseconds of work: at Python's own 5 ms a replay takes 3 % longer.
SWITCH_S = 0.001


_of_its_own: list[bool] = []  # whether this process was given to one program


def lean() -> None:
    """To be called before the first import of numpy and numba, by a process that runs one program and ends."""
    gc.set_threshold(THRESHOLD_STARTING)
    sys.setswitchinterval(SWITCH_S)
    _of_its_own.append(True)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads spin before they sleep, and we multiply no matrix
    modules: dict[str, Any] = sys.modules
    for name in UNWANTED:
        modules.setdefault(name, None)  # importing it raises ModuleNotFoundError (language reference, 5.3.1)


def ready() -> None:
    """Everything that lives to the end is there (packs, contracts, tables): the collector need not look at it again.

    Only where `lean` was called: in somebody else's process nothing lives to the end.
    """
    if not _of_its_own:
        return
    gc.set_threshold(THRESHOLD_RUNNING)
    gc.freeze()
