"""voice-assistant and consumer-device: once, by role, when it is sure."""

from agent.findings.records import Severity
from tests.findings.bench import Bench, ids


def test_what_is_said(bench: Bench) -> None:
    bench.add("voice-assistant")
    bench.add("media-player")
    said = bench.interval()
    assert ids(said) == ["voice-assistant", "consumer-device"]
    assert {found.severity for found in said} == {Severity.REVIEW}
    assert "it has a microphone that listens" in said[0].sentence


def test_once_and_only_when_it_is_sure(bench: Bench) -> None:
    guess = bench.add("voice-assistant", confidence=0.3)
    bench.add("media-player", gateway=True)
    assert not bench.interval()
    bench.devices[guess].confidence = 0.9
    assert ids(bench.interval()) == ["voice-assistant"]
    assert not [found for _ in range(90) for found in bench.interval()]


def test_many_are_one_cause(bench: Bench) -> None:
    for _ in range(20):
        bench.add("media-player")
    assert len(bench.interval()) == 3
