"""A fresh bench for each test."""

import pytest

from tests.findings.bench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
