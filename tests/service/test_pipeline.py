"""Time is a clock's: intervals close on silence, empty ones fold, years are quick, and everything adds up."""

from agent.clock import stopwatch_s
from agent.findings.records import Finding, Severity, Turn
from agent.flows.records import FlowEndReason
from agent.service.overload import Detail
from agent.tap.records import Fault, LegCounts
from agent.wire import body
from agent.wire.parts import split
from agent.wire.types import MessageType
from tests.devices.bench import hello, session, tries
from tests.flows.talks import HOSTS, START_S, Talk
from tests.forge.pcap import Frame
from tests.service.bench import Sensor, small
from tests.simulators.bursts import HASHES, Heard, burst_of
from tests.wire.samples import header

pytestmark = HASHES
A, B = HOSTS[0], HOSTS[1]
S = 1_000_000_000
INTERVAL_S = 60


def at(seconds: float) -> Frame:
    """An ARP announcement of A."""
    return hello(A, seconds)


def spans(sensor: Sensor) -> list[tuple[int, int, int]]:
    """(start, end, empty ones before) of each summary, in seconds since the start of the first interval."""
    base = START_S - START_S % INTERVAL_S
    told = [summary.interval for summary in sensor.kept.summaries]
    return [(one.start_ns // S - base, one.end_ns // S - base, one.empty_before) for one in told]


def test_an_interval_closes_on_silence() -> None:
    sensor = Sensor()
    sensor.play([at(0)])
    sensor.pipeline.advance(START_S + 59)
    assert spans(sensor) == []
    sensor.pipeline.advance(START_S + 60)
    assert spans(sensor) == [(0, 60, 0)]
    assert sensor.kept.summaries[0].processed == 1


def test_intervals_begin_at_multiples_of_their_length() -> None:
    sensor = Sensor()
    sensor.play([at(37)])
    sensor.pipeline.advance(START_S + 60)
    assert spans(sensor) == [(0, 60, 0)]
    assert sensor.kept.summaries[0].interval.start_ns % (INTERVAL_S * S) == 0


def test_empty_intervals_fold() -> None:
    sensor = Sensor()
    sensor.play([at(0), at(600)])
    sensor.end()
    first, last = spans(sensor)[0], spans(sensor)[-1]
    assert first == (0, 60, 0)
    assert last == (600, 601, 9)
    assert len(spans(sensor)) == 2


def test_flows_that_end_in_silence_are_told_in_their_interval() -> None:
    sensor = Sensor()
    talk = Talk((A, B))
    talk.handshake()
    sensor.play([hello(A), hello(B), *talk.frames])
    sensor.pipeline.advance(START_S + 700)
    told = [(summary.interval.end_ns // S - START_S, summary.flows_exported) for summary in sensor.kept.summaries]
    assert [count for _, count in told] == [0, 1]
    assert told[1][0] in range(600, 661)
    assert spans(sensor)[1][2] == 9, "the silent minutes between them"


def test_years_of_silence_are_quick() -> None:
    sensor = Sensor()
    year = 365 * 24 * 3600
    began = stopwatch_s()
    sensor.play([at(0), at(30 * year)])
    sensor.end()
    assert stopwatch_s() - began < 5
    assert spans(sensor)[-1][2] == 30 * year // INTERVAL_S - 1


def test_time_backwards_moves_nothing_back() -> None:
    sensor = Sensor()
    sensor.play([at(100), at(0), at(50), at(101)])
    sensor.play([at(-100_000)])
    kept = sensor.end()
    assert sum(summary.processed for summary in kept.summaries) == 5
    ends = [summary.interval.end_ns for summary in kept.summaries]
    assert ends == sorted(ends)
    assert sensor.pipeline.now_ns == (START_S + 102) * S


def test_steps_are_seconds_since_the_first() -> None:
    assert Sensor().play([at(0), at(0.5), at(3), at(2), at(7)]) == [0, 3, 7]
    assert Sensor().play([]) == []


def test_drain_ends_every_flow_and_interval() -> None:
    sensor = Sensor()
    sensor.play([hello(A), hello(B), *session((A, B), 1)[:5]])
    assert not sensor.kept.records
    kept = sensor.end()
    (records,) = kept.records
    assert records["end_reason"].tolist() == [FlowEndReason.FORCED]
    (summary,) = kept.summaries
    assert (summary.processed, summary.flows_exported) == (7, 1)


def test_drain_of_nothing_says_nothing() -> None:
    assert Sensor().end().summaries == []


def test_settling_lets_silence_speak() -> None:
    sensor = Sensor()
    Talk((A, B), frames=(frames := [hello(A), hello(B)])).tcp(1, 2)
    sensor.play(frames)
    sensor.pipeline.settle()
    kept = sensor.end()
    assert [int(reason) for records in kept.records for reason in records["end_reason"]] == [FlowEndReason.IDLE]


def test_a_sweep_becomes_a_finding_within_seconds() -> None:
    targets = [((f"10.1.0.{n}", f"00:1b:78:00:00:{n:02x}"), 445) for n in range(30, 60)]
    sensor = Sensor()
    sensor.play([hello(A), *(hello(end) for end, _ in targets), *tries(A, targets, refused=True, at_s=5)])
    sensor.pipeline.advance(START_S + 8)
    assert {"host-sweep", "smb-spread"} & {finding.id for finding in sensor.kept.findings}
    sensor.end()
    assert sensor.pipeline.findings == len(sensor.kept.findings)


def turns_of(sensor: Sensor) -> list[Turn]:
    """Every turn that the judge is given from now on."""
    turns, judge = list[Turn](), sensor.pipeline.engine.judge

    def noting(turn: Turn) -> list[Finding]:
        turns.append(turn)
        return judge(turn)

    sensor.pipeline.engine.judge = noting  # type: ignore[method-assign]
    return turns


def test_a_closed_interval_has_its_counts() -> None:
    sensor = Sensor()
    turns = turns_of(sensor)
    sensor.play([hello(A), hello(B), *session((A, B), 1)[:5]])
    sensor.pipeline.advance(START_S + 60)
    closed = [turn for turn in turns if turn.interval_closed]
    assert [turn.span_ns for turn in closed] == [60 * S]
    assert closed[0].whole
    assert closed[0].counted["packets_out"].sum() == 5, "a flow that lives is counted too"
    assert not any(len(turn.counted) or turn.span_ns for turn in turns if not turn.interval_closed)


def test_time_in_which_nothing_is_heard_settles_nothing() -> None:
    sensor = Sensor()
    turns = turns_of(sensor)
    sensor.play([at(0), at(90_000)])
    sensor.pipeline.advance(START_S + 90_060)
    assert not any(turn.settled for turn in turns)
    sensor.play([at(90_060 + 60 * minute) for minute in range(20)])
    assert turns[-1].settled


def test_summaries_add_up_and_fit_the_wire() -> None:
    sensor = Sensor()
    for minute in range(6):
        frames = [hello(end, 60 * minute) for end in HOSTS]
        for number, end in enumerate(HOSTS[1:]):
            frames += session((A, end), 60 * minute + 1 + number, (50000 + minute, 3613))
        sensor.play(sorted(frames, key=lambda frame: frame.time_ns))
    kept = sensor.end()
    assert sum(summary.processed for summary in kept.summaries) == sensor.pipeline.frames.processed == 6 * (8 + 7 * 9)
    assert sum(summary.flows_exported for summary in kept.summaries) == sensor.pipeline.cache.exported == 42
    rows = [row for summary in kept.summaries for row in summary.rows]
    assert sum(row.tx_packets for row in rows) == sensor.pipeline.frames.processed
    edges = [edge for summary in kept.summaries for edge in summary.edges if edge.direction == 0]
    assert sum(edge.flows for edge in edges) == 42
    assert sum(edge.packets_out + edge.packets_in for edge in edges) == 42 * 9
    for summary in kept.summaries:
        for part in split(summary):
            assert body.encode(MessageType.SUMMARY, header(), part.to_content())


def test_cards_are_told_when_they_change_each_hour_and_when_asked() -> None:
    sensor = Sensor(small(cards_every_s=3600))
    sensor.play([hello(A), hello(B)])
    sensor.play([at(61)])
    sensor.pipeline.tell_all_cards()
    sensor.play([at(121), at(3700), at(3800)])
    kept = sensor.end()
    assert [len(summary.cards) for summary in kept.summaries][:3] == [2, 2, 0]
    assert sum(len(summary.cards) for summary in kept.summaries[3:]) >= 2


def test_legs_are_in_every_summary() -> None:
    sensor = Sensor()
    sensor.pipeline.note_legs([LegCounts("eth1", 1, 0, 0, 0), LegCounts("eth2", 1, 5, 2, 0)])
    sensor.play([hello(A)], leg=0)
    sensor.play([hello(B)], leg=1)
    (summary,) = sensor.end().summaries
    assert [tuple(leg) for leg in summary.legs] == [("eth1", 1, 60, 0, 0, 0), ("eth2", 1, 60, 5, 2, 0)]


def test_loss_is_a_finding_and_not_conserved_away() -> None:
    sensor = Sensor()
    sensor.play([at(n / 100) for n in range(100)])
    sensor.pipeline.note_legs([LegCounts("eth1", 100, 50, 0, 0)])
    sensor.pipeline.advance(START_S + 61)
    assert "capture-loss" in {finding.id for finding in sensor.kept.findings}
    assert sensor.kept.summaries[0].legs[0].dropped == 50


def test_a_leg_is_judged_although_nothing_is_heard() -> None:
    sensor = Sensor()
    sensor.play([hello(A)])
    sensor.pipeline.note_legs([LegCounts("eth1", 1, 0, 0, 2, fault=Fault.DOWN)])
    for second in range(1, 9):
        sensor.pipeline.advance(START_S + second)
    assert [finding.id for finding in sensor.kept.findings] == ["tap-transmitted", "tap-blind"]
    times = [(finding.time_ns // S) - START_S for finding in sensor.kept.findings]
    assert times == [1, 6], "each second is judged, not only the interval's end"


def told_of_silence(sensor: Sensor) -> list[int]:
    """When it was said that nothing is heard, in seconds after the start."""
    return [found.time_ns // S - START_S for found in sensor.kept.findings if found.id == "tap-blind"]


def listening() -> Sensor:
    """A live leg with a link that has heard one frame."""
    sensor = Sensor()
    sensor.pipeline.load_live()
    sensor.play([hello(A)])
    sensor.pipeline.note_legs([LegCounts("eth1", 1, 0, 0, 0)])
    return sensor


def test_a_link_that_carries_nothing_is_told_within_two_minutes_and_once() -> None:
    sensor = listening()
    for second in range(1, 600):
        sensor.pipeline.advance(START_S + second)
    (told,) = told_of_silence(sensor)
    assert 90 <= told <= 120


def test_a_frame_now_and_then_is_no_silence_and_nor_is_a_file_s_gap() -> None:
    sensor = listening()
    for second in range(1, 600):
        if second % 80 == 0:
            sensor.play([hello(A, second)])
        sensor.pipeline.advance(START_S + second)
    assert not told_of_silence(sensor)
    of_a_file = Sensor()
    of_a_file.play([hello(A), hello(A, 1000)])
    of_a_file.pipeline.note_legs([LegCounts("file", 2, 0, 0, 0)])
    of_a_file.end()
    assert not told_of_silence(of_a_file)


def test_a_program_that_stood_still_takes_that_for_no_silence() -> None:
    sensor = listening()
    for second in (1, 2, 3, 900, 901, 902):
        sensor.pipeline.advance(START_S + second)
    assert not told_of_silence(sensor)


def at_level(sensor: Sensor, detail: Detail, frames: list[Frame]) -> None:
    """A burst of a live leg while the load asks for this level."""
    sensor.pipeline.look_as(detail)
    burst = burst_of(Heard(f.octets, len(f.octets), time_ns=f.time_ns) for f in frames)
    sensor.pipeline.take_live(burst, sensor.pipeline.buffer())


def test_every_level_of_the_ladder_counts_every_frame() -> None:
    sensor, talk = Sensor(), session((A, B))
    sensor.pipeline.load_live()
    sensor.pipeline.advance(START_S)
    for detail in (Detail.FULL, Detail.HEADERS, Detail.TOTALS):
        at_level(sensor, detail, [hello(A), hello(B), *talk])
        talk = [Frame(frame.time_ns + S, frame.octets) for frame in talk]
    assert sensor.pipeline.frames.frames == 33
    sensor.pipeline.advance(START_S + 60)
    at_level(sensor, Detail.FULL, [])
    (first,) = sensor.kept.summaries
    assert (first.processed, first.ignored, first.health["detail"]) == (22, {"overload": 11}, "totals-only")
    assert first.legs == ()
    sensor.play([hello(A, 61)])
    kept = sensor.end()
    assert [one.health["detail"] for one in kept.summaries] == ["totals-only", "totals-only"], "it lasted into this one"
    at_level(sensor, Detail.FULL, [])


def test_totals_only_makes_what_is_said_lossy_and_loss_says_so() -> None:
    sensor = Sensor()
    sensor.play([at(0)])
    sensor.pipeline.look_as(Detail.TOTALS)
    sensor.pipeline.note_legs([LegCounts("eth1", 1, 50, 0, 0)])
    sensor.pipeline.advance(START_S + 60)
    (found,) = (found for found in sensor.kept.findings if found.severity != Severity.POSTURE)
    assert found.id == "capture-loss"
    assert ("detail", "totals-only") in found.evidence
    sensor.pipeline.look_as(Detail.FULL)
    sensor.play([at(61)])
    sensor.pipeline.advance(START_S + 120)
    sensor.play([at(121)])
    assert [one.health["detail"] for one in sensor.end().summaries] == ["totals-only", "totals-only", "full"]


def test_flows_hashed_ahead_are_the_same_flows() -> None:
    pipeline, heard = Sensor().pipeline, [Heard(frame.octets, 0) for frame in session((A, B))]
    ahead = pipeline.decode(burst_of(heard), pipeline.buffer(), hashed=True)
    here = pipeline.decode(burst_of(heard), pipeline.buffer(), hashed=False)
    list(pipeline.take_steps(here))
    assert ahead.rows["flow"][: ahead.count].all()
    assert ahead.rows["flow"][: ahead.count].tolist() == here.rows["flow"][: here.count].tolist()
    assert pipeline.frames.frames == ahead.count
