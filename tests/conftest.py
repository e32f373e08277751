"""Shared fixtures. Captures from real networks live outside the project: WARDTAP_CAPTURES names their folder."""

import os
import random
import secrets
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.faults import matrix

ROOT = Path(__file__).resolve().parents[1]
# A shell has what it runs in the background ignore Ctrl-C (POSIX, 2.11), and all that the tests start would too.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure() -> None:
    """How long an example takes says something of this machine's load and nothing of the product.

    The examples are the same in each run, none is kept in a folder that may not be ours; WARDTAP_SLOW=1 draws others.
    """
    from hypothesis import HealthCheck, settings  # noqa: PLC0415 - children of tests import this file for its paths

    drawn_anew = bool(os.environ.get("WARDTAP_SLOW"))
    settings.register_profile(
        "wardtap",
        deadline=None,
        database=None,
        derandomize=not drawn_anew,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("wardtap")


def captures_folder() -> Path | None:
    """The folder of real captures, or None when this machine has none."""
    for place in (os.environ.get("WARDTAP_CAPTURES", ""), str(ROOT.parent / "shared" / "captures")):
        if place and (Path(place) / "catalogue.tsv").is_file():
            return Path(place)
    return None


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of hash tables are the same in each run: which flows or devices share a set is no matter of luck."""
    monkeypatch.setattr(secrets, "randbits", random.Random(20_261_128).getrandbits)


@pytest.fixture
def captures() -> Path:
    """The folder of real captures; skips with the reason when it is absent."""
    folder = captures_folder()
    if folder is None:
        pytest.skip("no real captures here: set WARDTAP_CAPTURES to their folder")
    return folder


@pytest.fixture
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A row of the fault matrix that is skipped where it could have run has failed."""
    report = yield
    node = item.nodeid.removeprefix("tests/")
    if report.skipped and not hasattr(report, "wasxfail") and matrix.selected(node) and matrix.is_complete():
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not matrix.EXCUSES.search(reason):
            report.outcome = "failed"
            report.longrepr = f"row {', '.join(matrix.selected(node))} of the fault matrix was skipped: {reason}"
    return report
