"""What tshark says of a capture's payloads, field by field: the second opinion on the readers."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

SEPARATOR, BETWEEN = "\x1f", "\x1e"


def fields(path: Path, wanted: str, *names: str) -> Iterator[list[list[str]]]:
    """For each frame that the display filter wants: the values of each field."""
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    words = [program, "-n", "-r", str(path), "-Y", wanted, "-T", "fields"]
    words += ["-E", f"separator={SEPARATOR}", "-E", f"aggregator={BETWEEN}", "-E", "occurrence=a"]
    for name in names:
        words += ["-e", name]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    for line in done.stdout.split("\n")[:-1]:
        columns = [[value for value in column.split(BETWEEN) if value] for column in line.split(SEPARATOR)]
        yield columns + [[] for _ in range(len(names) - len(columns))]
