"""NTP (RFC 5905): version, whether the sender asks or serves, its stratum and, next to a clock, which kind of clock."""

from agent.packets.hints.records import Signal
from agent.packets.hints.text import bounded

_CLIENT_MODES = frozenset({1, 3})  # symmetric active, client
_SERVER_MODES = frozenset({2, 4, 5})
_STRATUM_MAX = 15
_REFERENCES = frozenset(  # RFC 5905 figure 12, and what services in use say
    {"GOES", "GPS", "GAL", "PPS", "IRIG", "WWVB", "DCF", "HBG", "MSF", "JJY", "LORC", "TDF", "CHU", "WWV", "WWVH"}
    | {"NIST", "ACTS", "USNO", "PTB", "GNSS", "GOOG", "DCFa", "LOCL", "LCL", "PTP"}
)


def read(payload: bytes) -> list[Signal]:
    """`ntp.asks` of a client; `ntp.serves` and `ntp.reference` of a server."""
    if len(payload) < 48:
        return []
    version, mode, stratum = payload[0] >> 3 & 7, payload[0] & 7, payload[1]
    if not 1 <= version <= 4:
        return []
    if mode in _CLIENT_MODES:
        return [Signal("ntp.asks", f"version-{version}")]
    if mode not in _SERVER_MODES or not 1 <= stratum <= _STRATUM_MAX:
        return []
    reference = payload[12:16].rstrip(b"\0 ").decode("latin-1") if stratum == 1 else ""
    return bounded(
        [
            Signal("ntp.serves", f"stratum-{stratum}"),
            Signal("ntp.reference", reference if reference in _REFERENCES else ""),
        ]
    )
