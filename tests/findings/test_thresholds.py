"""The scan test's numbers do what their comments say."""

from agent.findings import thresholds as t


def failures_needed(answered_first: int) -> int:
    """Failed first contacts until the score crosses, after some that were answered."""
    score = 0.0
    for _ in range(answered_first):
        score = max(score + t.FAN_STEP_ANSWERED, t.FAN_SCORE_LOWER)
    count = 0
    while score < t.FAN_SCORE_UPPER:
        score += t.FAN_STEP_FAILED
        count += 1
    return count


def test_ten_failures_without_an_answer() -> None:
    assert failures_needed(0) == 10


def test_a_long_good_history_buys_little() -> None:
    assert failures_needed(1000) <= failures_needed(0) + 4


def test_a_client_that_is_answered_four_times_in_five_never_crosses() -> None:
    score = 0.0
    for n in range(10_000):
        step = t.FAN_STEP_FAILED if n % 5 == 0 else t.FAN_STEP_ANSWERED
        score = max(score + step, t.FAN_SCORE_LOWER)
        assert score < t.FAN_SCORE_UPPER


def test_routers_need_more_than_hosts() -> None:
    assert t.FAN_ARP_GATEWAY_MIN > 10 * t.FAN_ARP_MIN
    assert t.FAN_PORTS_MIN > 11  # a domain controller that is down
