"""The share of tries, fans in their table, and when the judge hears of one."""

import numpy as np
import pytest

from agent.devices import trying
from agent.devices.records import DEVICE, FAN, FanKind
from agent.findings import thresholds
from agent.jit import Words
from agent.service.limits import SCAN_TEST
from tests.simulators.bursts import HASHES, SECRET

pytestmark = HASHES
S = 1_000_000_000
NOW_NS = 1_793_606_400 * S
KEY, TEST = np.array(SECRET, np.uint64), np.array(SCAN_TEST)
NOBODY = (np.uint64(0), np.uint64(0))
WINDOW_NS = thresholds.FAN_WINDOW_S * S


def device() -> np.void:
    """One that has tried nothing."""
    row: np.void = np.zeros(1, DEVICE)[0]
    return row


def test_a_share_comes_back_second_by_second() -> None:
    one = device()
    told = [trying.had_its_share(one, NOW_NS + n) for n in range(trying.TRIES_KEPT + 3)]
    assert told == [False] * trying.TRIES_KEPT + [True] * 3
    assert trying.had_its_share(one, NOW_NS - 30 * S), "a flow that ends was heard last some time ago: no new share"
    told = [trying.had_its_share(one, NOW_NS + S + n) for n in range(trying.TRIES_A_SECOND + 1)]
    assert told == [False] * trying.TRIES_A_SECOND + [True]
    told = [trying.had_its_share(one, NOW_NS + 60 * S + n) for n in range(trying.TRIES_KEPT + 1)]
    assert told == [False] * trying.TRIES_KEPT + [True], "a minute's rest gives all of it back, and no more"


@pytest.mark.parametrize("now_ns", [0, (1 << 62), NOW_NS])
def test_a_clock_that_jumps_leaves_nobody_without_a_share(now_ns: int) -> None:
    one = device()
    one["tries_s"], one["tries"] = 0xFFFFFFFF if now_ns < 1 << 62 else 5, trying.TRIES_KEPT
    assert not trying.had_its_share(one, now_ns)


def table(slots: int) -> trying.Fans:
    """Nobody has tried anything."""
    return trying.Fans(np.zeros(slots, FAN), np.zeros(slots, np.uint16), np.zeros(slots, np.int64), np.zeros(8, FAN))


def fan(fans: trying.Fans, counts: Words, port: int, now_ns: int) -> np.void:
    """The row of device 3's TCP service."""
    key, service = (int(FanKind.HOSTS), 3, 6, port), np.uint64(6 << 16 | port)
    digest = np.uint64(trying.fan_digest(KEY[0], KEY[1], key[0], np.uint64(key[1]), service, *NOBODY))
    slot = trying.fan_of(fans, counts, key, NOBODY, digest, now_ns, WINDOW_NS)
    row: np.void = fans.rows[slot]
    assert trying.fan_near(fans.tags, fans.last_ns, digest) == slot, "what is asked for ahead is what is read"
    return row


def test_a_fan_is_found_again_and_begins_anew_after_its_window() -> None:
    fans, counts = table(64), np.zeros(6, np.int64)
    fan(fans, counts, 445, NOW_NS)
    fans.rows["attempts"] = 7 * fans.rows["used"]
    assert fan(fans, counts, 445, NOW_NS + WINDOW_NS)["attempts"] == 7
    assert fan(fans, counts, 446, NOW_NS)["attempts"] == 0
    assert counts[trying.FANS] == 2
    assert fan(fans, counts, 445, NOW_NS + WINDOW_NS + 1)["attempts"] == 0
    assert counts[trying.FANS] == 2


def test_a_tag_alone_is_no_fan() -> None:
    fans, counts, digest = table(8), np.zeros(6, np.int64), np.uint64(77 << 48)
    keys = [(int(FanKind.HOSTS), 3, 6, 445), (int(FanKind.HOSTS), 3, 17, 445), (int(FanKind.HOSTS), 4, 6, 445)]
    slots = [trying.fan_of(fans, counts, key, NOBODY, digest, NOW_NS, WINDOW_NS) for key in keys]
    assert sorted(slots) == [0, 1, 2]
    assert [trying.fan_of(fans, counts, key, NOBODY, digest, NOW_NS, WINDOW_NS) for key in keys] == slots
    assert counts[trying.FANS] == 3


def test_a_full_set_of_fans_gives_up_its_longest_silent() -> None:
    fans, counts = table(8), np.zeros(6, np.int64)
    for number in range(8):
        fan(fans, counts, number, NOW_NS + (8 - number))
    fan(fans, counts, 99, NOW_NS + 20)
    assert counts[trying.FANS] == 8
    assert counts[trying.FANS_EVICTED] == 1
    assert 7 not in fans.rows["port"], "the last to come was the longest silent"


def test_the_judge_hears_of_a_fan_at_its_threshold_and_each_time_it_has_grown_fourfold() -> None:
    row, crossed, told = np.zeros(1, FAN)[0], np.zeros(8, FAN), []
    row["kind"], row["score"] = FanKind.HOSTS, thresholds.FAN_SCORE_UPPER
    for failed in range(1, 200):
        row["failed"] = failed
        if trying.crossed_by(row, TEST, 12, crossed, 0):
            told.append(failed)
    assert told == [12, 48, 192]
    row["reported"], row["score"] = 0, thresholds.FAN_SCORE_UPPER - 1
    assert not trying.crossed_by(row, TEST, 12, crossed, 0), "many failures among many answers are no scan"
    row["score"] = thresholds.FAN_SCORE_UPPER
    assert trying.crossed_by(row, TEST, 12, crossed, len(crossed)) == len(crossed), "no room: told the next time"
    assert row["reported"] == 0
