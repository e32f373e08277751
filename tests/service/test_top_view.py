"""What a person reads at the tap: each line inside the terminal, and what is wrong stands out."""

import pytest

from agent.service.status import ENDED, TALKERS_MAX, BoardStatus, SpoolStatus, Status, Talker
from agent.service.top_view import Line, briefly, count, directions, duration, legs, size, view, warning
from tests.service.bench import leg_status, status_of

TALKER = Talker("00:d0:75:18:42:9b", "clinical-workstation", "A maker with a name of forty letters in a", 10**9)


def text(lines: list[Line]) -> str:
    """All of it."""
    return "\n".join(line.text for line in lines)


def bad(lines: list[Line]) -> list[str]:
    """What stands out."""
    return [line.text for line in lines if line.bad]


def test_everything_fits_80_by_24() -> None:
    """With four legs, full columns and as many talkers as there are."""
    leg = leg_status(
        "enx0123456789ab", fault="no carrier", frames_per_s=9_999_999, octets_per_s=1_249_999_999, dropped=99_999_999,
        blind_ms=10**9, tx_packets=99_999, silent_s=10**6,
    )  # fmt: skip
    status = status_of(
        legs=(leg,) * 4, talkers=(TALKER,) * TALKERS_MAX, tcp_one=4096, tcp_flows=4096, tcp_both=0,
        workers=4, flows_open=131_072, flows_exported=10**9, flows_evicted=10**6, devices=4096, findings=9999,
        summaries=99_999, ignored=9_999_999, duplicates=9_999_999, hints_skipped=9_999_999,
        spool=SpoolStatus(512 << 20, 512 << 20, 1 << 20, 1000, 10), board=BoardStatus(700 << 20, 3999, 81_234, 1),
    )  # fmt: skip
    shown = view(status, warning(status, 99, alive=True), 99, 80, 24)
    assert len(shown) == 24
    whole = view(status, [], 0, 1000, 1000)
    assert max(len(line.text) for line in whole) <= 80, [line.text for line in whole if len(line.text) > 80]
    assert all(len(line.text) <= 33 for line in view(status, [], 0, 33, 5))
    assert len(view(status, [], 0, 33, 5)) == 5


def test_a_well_ward_has_nothing_to_look_at() -> None:
    shown = view(status_of(board=BoardStatus(100 << 20, 31, 54_321, 0)), [], 0, 80, 24)
    assert not bad(shown)
    told = text(shown)
    for word in ("tap-1 @ ward", "1 000", "4.80", "95 % of 80", "120 open (0.1% full)", "42, 3 findings",
                 "20 of 60 s", "100.0 MiB", "3.1 % of a core", "54.3 °C", "12.0 MiB of 512.0 MiB", "infusion pump",
                 "00:d0:75:18:42:9b", "Alaris Medical", "960.0"):  # fmt: skip
        assert word in told, word


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"legs": (leg_status(fault="no carrier"),)}, "no carrier"),
        ({"legs": (leg_status(dropped=7, dropped_per_s=7),)}, "eth1"),
        ({"legs": (leg_status(tx_packets=1),)}, "eth1"),
        ({"legs": (leg_status(), leg_status("eth2", frames=0))}, "nothing was ever heard on eth2"),
        ({"tcp_one": 30, "tcp_both": 2}, "30 connections are heard one way only"),
        ({"flows_evicted": 1}, "1 evicted"),
        ({"flows_open": 130_000}, "99.2% full"),
        ({"board": BoardStatus(temperature_mc=80_000)}, "80.0 °C"),
        ({"board": BoardStatus(throttle=1)}, "voltage too low"),
        ({"spool": SpoolStatus(0, 1, 0, 3, 0)}, "3 lost"),
        ({"spool": SpoolStatus(0, 1, 0, 0, 2)}, "2 errors"),
    ],
)
def test_what_is_wrong_stands_out(fields: dict[str, object], words: str) -> None:
    assert words in "\n".join(bad(view(status_of(**fields), [], 0, 80, 24)))


def test_directions() -> None:
    def told(status: Status) -> str:
        return text(directions(status))

    pair = (leg_status(), leg_status("eth2"))
    assert "eth1 + eth2: both heard" in told(status_of(legs=pair))
    assert "none yet" in told(status_of(legs=tuple(leg._replace(frames=0) for leg in pair)))
    four = (*pair, leg_status("eth3"), leg_status("eth4", frames=0))
    assert "both heard" in told(status_of(legs=four))
    assert "heard on eth4" in told(status_of(legs=four))
    assert "no open TCP flows" in told(status_of(tcp_flows=0, tcp_both=0, tcp_one=0))
    assert len(directions(status_of())) == 1, "a single leg has no pair"


def test_a_leg_that_never_heard_anything() -> None:
    assert legs(status_of(legs=(leg_status(silent_s=-1),)))[1].text.endswith("never")
    assert legs(status_of(legs=(leg_status(silent_s=130),)))[1].text.endswith("2 min")


def test_why_numbers_are_not_the_present_ones() -> None:
    status = status_of()
    assert warning(status, 5, alive=True) == []
    assert "it hangs" in text(warning(status, 6, alive=True))
    assert "does not run any more" in text(warning(status, 6, alive=False))
    assert "ended after 1 min" in text(view(status_of(state=ENDED), [], 0, 80, 24))
    assert "listening for 1 min" in text(view(status, [], 0, 80, 24))
    assert "HAS ENDED" in text(warning(status_of(state=ENDED), 0, alive=True))


def test_numbers_for_people() -> None:
    assert [duration(s) for s in (0, 59, 60, 3600, 90_000, 180_000)] == [
        "0 s", "59 s", "1 min", "1 h 00 min", "25 h 00 min", "2 d 2 h"
    ]  # fmt: skip
    assert [briefly(s) for s in (0, 119, 120, 7199, 7200, 172_800)] == [
        "0 s",
        "119 s",
        "2 min",
        "119 min",
        "2 h",
        "2 d",
    ]
    assert [count(n) for n in (0, 999, 1000, 1_234_567)] == ["0", "999", "1 000", "1 234 567"]
    assert [size(n) for n in (0, 100, 1 << 20, 1 << 30)] == ["0", "0.1 KiB", "1.0 MiB", "1024.0 MiB"]
