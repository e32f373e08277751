"""The configuration as the stages take it."""

from agent.config import Config
from agent.service.limits import SCAN_TEST, device_limits, flow_limits, judge_settings
from tests.service.bench import small


def test_limits_come_from_the_configuration() -> None:
    limits = flow_limits(small())
    assert (limits.slots_max, limits.tcp_idle_timeout_s, limits.active_timeout_s) == (4096, 600, 3600)
    assert len(SCAN_TEST) == 10


def test_devices_and_judge() -> None:
    config = Config()
    assert device_limits(config).scan_test == SCAN_TEST
    assert device_limits(config).device_slots_max == config.metering.device_slots_max
    assert judge_settings(config).page_confidence == config.findings.page_confidence
