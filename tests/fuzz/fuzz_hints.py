"""Coverage-guided fuzzing of every hint reader: `python -m tests.fuzz.fuzz_hints`. The first octet picks the reader."""

import atheris

with atheris.instrument_imports(include=["agent.packets.hints"]):
    import agent.packets.hints  # noqa: F401 - instrumented here, used by the judge

from tests.fuzz.hint_cases import PAYLOAD_MOST, judge, seeds
from tests.fuzz.libfuzzer import fuzz

HANGS_S = 5  # one payload takes a ten-thousandth of it

if __name__ == "__main__":
    fuzz(__doc__, judge, seeds(), 1 + PAYLOAD_MOST, HANGS_S)
