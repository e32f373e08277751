"""What the sensor makes of the frames that real programs sent each other (`tests.simulators.peers`)."""

from agent.devices.evidence import Identity
from agent.packets.hints.records import Signal
from tests.service.bench import Sensor, small
from tests.simulators.peers import Segment


class Told:
    """What the sensor made of the frames."""

    def __init__(self, talk: Segment) -> None:
        self.signals: list[tuple[int, Signal]] = []
        sensor = Sensor(small())
        hear = sensor.pipeline.ward.hear

        def keep(source: int, destination: int, signals: list[Signal], time_ns: int) -> None:
            self.signals += [(source, signal) for signal in signals]
            hear(source, destination, signals, time_ns)

        sensor.pipeline.ward.hear = keep  # type: ignore[method-assign]
        frames = talk.frames()
        assert len(frames) > 2
        sensor.play(frames)
        sensor.pipeline.settle()
        kept = sensor.end()
        self.findings, self.summaries = kept.findings, kept.summaries
        self._ward = sensor.pipeline.ward

    def identity(self, end: tuple[str, str]) -> Identity:
        """Who a machine is taken to be."""
        return self._ward._identifier.assess(int(end[0].replace(":", ""), 16))

    def values(self, end: tuple[str, str], kind: str) -> set[str]:
        """What it was heard to say of a kind."""
        mac = int(end[0].replace(":", ""), 16)
        said = ((s.subject_mac or source, s) for source, s in self.signals if s.kind == kind and not s.about_peer)
        return {signal.value for who, signal in said if who == mac}

    def ids(self) -> list[str]:
        """Of the findings, each once."""
        return sorted({finding.id for finding in self.findings})

    def text(self) -> str:
        """All that any reader said, all findings and all summaries."""
        return "\n".join(
            [*(signal.value for _, signal in self.signals), *map(str, self.findings), *map(str, self.summaries)]
        )
