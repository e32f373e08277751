"""What both fuzzers share: their command line, their corpus, and what libFuzzer is told."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris

SHORT_S = 20


def fuzz(
    about: str | None, judge: Callable[[bytes], None], seeds: Iterable[bytes], octets_max: int, hangs_s: int
) -> None:
    """Fuzz for some seconds; exit code 0, or another with the case on the error stream or in a file beside the corpus.

    `hangs_s` is what one case may take; libFuzzer ends with an error after it.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--seconds", type=int, default=SHORT_S, help="how long; 0: until something is found")
    parser.add_argument("--corpus", type=Path, help="a folder that keeps what reached something new (default: none)")
    parser.add_argument("--seed", type=int, default=1, help="of the mutations; equal seeds give equal runs")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        corpus = asked.corpus or Path(passing) / "corpus"
        print(f"{_plant(corpus, seeds)} seeds", file=sys.stderr)
        judge(b"")  # a kernel may have to be compiled first, which is no hang
        options = {
            "max_total_time": asked.seconds,
            "seed": asked.seed,
            "max_len": octets_max,
            "timeout": hangs_s,
            "artifact_prefix": f"{asked.corpus or passing}/found-",
            "print_final_stats": 1,
            # The peak that libFuzzer asks the system for (getrusage) begins at that of whoever started this process:
            # tests of two gigabytes would be this fuzzer's fault. One allocation is what a case could cause.
            "rss_limit_mb": 0,
            "malloc_limit_mb": 512,
        }
        words = [f"-{name}={value}" for name, value in options.items()]
        atheris.Setup([sys.argv[0], *words, str(corpus)], judge)
        atheris.Fuzz()


def _plant(corpus: Path, seeds: Iterable[bytes]) -> int:
    """Write the seeds into a corpus, beside what earlier runs left there; how many."""
    corpus.mkdir(parents=True, exist_ok=True)
    cases = sorted(set(seeds))
    for number, case in enumerate(cases):
        (corpus / f"seed-{number:05}").write_bytes(case)
    return len(cases)
