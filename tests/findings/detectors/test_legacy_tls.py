"""legacy-tls: what a server agreed to and what a client asked for, the oldest of each."""

import pytest

from agent.devices.records import Posture
from agent.findings.records import Severity
from tests.findings.bench import Bench, ids


def test_a_server_and_a_client(bench: Bench) -> None:
    bench.add("imaging-modality", posture=Posture(tls_answers=("1.0", "1.2"), tls_asks=("1.1",)))
    answers, asks = bench.interval()
    assert (answers.id, answers.severity) == ("legacy-tls", Severity.POSTURE)
    assert "agreed to TLS 1.0 as a server, which was withdrawn." in answers.sentence
    assert "asked for TLS 1.1 at most, which was withdrawn." in asks.sentence
    assert not [f for _ in range(90) for f in bench.interval()]


def test_an_older_one_later_is_another_fact(bench: Bench) -> None:
    slot = bench.add("pacs", posture=Posture(tls_answers=("1.1",)))
    bench.interval()
    bench.devices[slot].posture = Posture(tls_answers=("ssl3", "1.1"))
    (found,) = bench.interval()
    assert "agreed to SSL 3.0" in found.sentence


@pytest.mark.parametrize("stands", [Posture(), Posture(tls_answers=("1.2", "1.3"), tls_asks=("1.3",))])
def test_today_s_versions_are_none(bench: Bench, stands: Posture) -> None:
    bench.add("pacs", posture=stands)
    assert ids(bench.interval()) == []
