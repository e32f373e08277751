"""The configuration as the stages take it: how large their tables are, and from when on something is said."""

from agent.clock import NS_PER_S
from agent.config import Config
from agent.devices.table import DeviceLimits
from agent.findings import thresholds
from agent.findings.settings import JudgeSettings
from agent.flows.cache import FlowLimits

SCAN_TEST = (
    thresholds.FAN_STEP_FAILED,
    thresholds.FAN_STEP_ANSWERED,
    thresholds.FAN_SCORE_UPPER,
    thresholds.FAN_SCORE_LOWER,
    float(thresholds.FAN_HOSTS_MIN),
    float(thresholds.FAN_PORTS_MIN),
    float(thresholds.FAN_ARP_MIN),
    float(thresholds.FAN_WINDOW_S * NS_PER_S),
    float(thresholds.FAN_TRACEROUTE_FIRST),
    float(thresholds.FAN_TRACEROUTE_LAST),
)


def flow_limits(config: Config, workers: int = 1) -> FlowLimits:
    """The `[metering]` section as the cache of each worker takes it: together they have what one would have."""
    metering = config.metering
    share = -(-metering.flow_slots_max // workers)
    return FlowLimits(
        1 << (share - 1).bit_length(),  # three workers have more together: slots are a power of two
        metering.tcp_idle_timeout_s,
        metering.udp_idle_timeout_s,
        metering.half_open_timeout_s,
        metering.closed_timeout_s,
        metering.active_timeout_s,
    )


def device_limits(config: Config) -> DeviceLimits:
    """The `[metering]` section as the device table takes it."""
    metering = config.metering
    return DeviceLimits(
        metering.device_slots_max,
        metering.edge_slots_max,
        metering.fan_slots_max,
        config.identity.site_networks,
        SCAN_TEST,
    )


def judge_settings(config: Config) -> JudgeSettings:
    """The `[findings]` section as the judge takes it."""
    findings = config.findings
    return JudgeSettings(
        findings.page_confidence,
        findings.findings_per_interval_max,
        findings.loss_warn_permille,
        findings.loss_critical_permille,
    )
