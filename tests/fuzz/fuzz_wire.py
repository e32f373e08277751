"""Coverage-guided fuzzing of message bodies: `python -m tests.fuzz.fuzz_wire`. The first octet picks the type."""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["agent.wire"]):
    import agent.wire.body
    import agent.wire.summary_v1  # noqa: F401 - instrumented here, used by the judge

from tests.fuzz.wire_cases import BODY_MOST, judge, seeds

SHORT_S = 20
HANGS_S = 5  # one body takes a ten-thousandth of it


def main() -> None:
    """Fuzz for some seconds; exit code 0, or another with the body in a file beside the corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=SHORT_S, help="how long; 0: until something is found")
    parser.add_argument("--corpus", type=Path, help="a folder that keeps what reached something new")
    parser.add_argument("--seed", type=int, default=1, help="of the mutations; equal seeds give equal runs")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        corpus = asked.corpus or Path(passing) / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        for number, case in enumerate(sorted(set(seeds()))):
            (corpus / f"seed-{number:05}").write_bytes(case)
        options = {
            "max_total_time": asked.seconds,
            "seed": asked.seed,
            "max_len": 2 + BODY_MOST,
            "timeout": HANGS_S,
            "artifact_prefix": f"{asked.corpus or passing}/found-",
            "print_final_stats": 1,
            "rss_limit_mb": 0,  # see fuzz_decoder.py
            "malloc_limit_mb": 512,
        }
        atheris.Setup([sys.argv[0], *(f"-{name}={value}" for name, value in options.items()), str(corpus)], judge)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
