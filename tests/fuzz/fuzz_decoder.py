"""Coverage-guided fuzzing of the decoder's slow twin, the kernel beside it: `python -m tests.fuzz.fuzz_decoder`.

The twin is plain Python, so a fuzzer can see which of its branches and comparisons an input reaches; the kernel is
compiled and shows nothing. A new branch of the one is most often one of the other, and each input is given to both.
"""

import atheris

with atheris.instrument_imports(include=["tests.naive.decode", "tests.naive.walk", "tests.naive.transport"]):
    import tests.naive.decode  # noqa: F401 - instrumented here, used by the oracle

from tests.fuzz.frame_cases import FRAME_MOST, HEAD, judge, seeds
from tests.fuzz.libfuzzer import fuzz

HANGS_S = 10  # one frame takes a ten-thousandth of it

if __name__ == "__main__":
    fuzz(__doc__, judge, seeds(), HEAD + FRAME_MOST, HANGS_S)
