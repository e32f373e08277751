"""Coverage-guided fuzzing of the decoder's slow twin, the kernel beside it: `python -m tests.fuzz.fuzz_decoder`.

The twin is plain Python, so a fuzzer can see which of its branches and comparisons an input reaches; the kernel is
compiled and shows nothing. A new branch of the one is most often one of the other, and each input is given to both.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tests.naive.decode", "tests.naive.walk", "tests.naive.transport"]):
    import tests.naive.decode  # noqa: F401 - instrumented here, used by the oracle

from tests.fuzz.frame_cases import FRAME_MOST, HEAD, judge, seeds

SHORT_S = 20
HANGS_S = 10  # one frame takes a ten-thousandth of it


def plant(corpus: Path) -> int:
    """Write the seeds into a corpus, beside what earlier runs left there; how many."""
    corpus.mkdir(parents=True, exist_ok=True)
    cases = set(seeds())
    for number, case in enumerate(sorted(cases)):
        (corpus / f"seed-{number:05}").write_bytes(case)
    return len(cases)


def main() -> None:
    """Fuzz for some seconds; exit code 0, or another with a test case on the error stream."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=SHORT_S, help="how long; 0: until something is found")
    parser.add_argument(
        "--corpus", type=Path, help="a folder that keeps what reached something new (default: none kept)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the mutations; equal seeds give equal runs")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        corpus = asked.corpus or Path(passing) / "corpus"
        print(f"{plant(corpus)} seeds", file=sys.stderr)
        judge(b"")  # the kernel may have to be compiled first, which is no hang
        options = {
            "max_total_time": asked.seconds,
            "seed": asked.seed,
            "max_len": HEAD + FRAME_MOST,
            "timeout": HANGS_S,
            "artifact_prefix": f"{asked.corpus or passing}/found-",
            "print_final_stats": 1,
            # The peak that libFuzzer asks the system for (getrusage) begins at that of whoever started this process:
            # tests of two gigabytes would be this fuzzer's fault. One allocation is what a frame could cause.
            "rss_limit_mb": 0,
            "malloc_limit_mb": 512,
        }
        words = [f"-{name}={value}" for name, value in options.items()]
        atheris.Setup([sys.argv[0], *words, str(corpus)], judge)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
