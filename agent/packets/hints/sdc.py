"""IEEE 11073-20701 (SDC) in clear: which operations of the standard a participant asks for, tells of, or answers.

The payload is searched for the standard's own action names, not parsed as XML. Metrics, alerts, places and patients of
the message are not read. SDC under TLS, its usual form, shows a TLS hello and the discovery only.
"""

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded

_ACTION = b"/11073/11073-20701-2018/"  # .../downloads/11073/11073-20701-2018/GetService/GetMdib
_ACTIONS_MAX = 4  # looked at in one payload
_NAME_MAX = 64
_GETS = ("GetMdib", "GetMdDescription", "GetMdState", "GetContextStates", "GetContainmentTree", "GetDescriptor")
_SETS = (
    "SetValue",
    "SetString",
    "Activate",
    "SetAlertState",
    "SetComponentState",
    "SetContextState",
    "SetMetricState",
)
_REPORTS = (
    "EpisodicMetricReport",
    "PeriodicMetricReport",
    "EpisodicAlertReport",
    "PeriodicAlertReport",
    "EpisodicComponentReport",
    "EpisodicContextReport",
    "EpisodicOperationalStateReport",
    "OperationInvokedReport",
    "DescriptionModificationReport",
    "WaveformStream",
    "SystemErrorReport",
)
_OPERATIONS = {name.encode(): name for name in (*_GETS, *_SETS, *_REPORTS)}


def read(payload: bytes) -> list[Signal]:
    """`sdc.asks` of requests, `sdc.answers` of their answers, `sdc.reports` of what a device tells on its own."""
    payload = payload[:PAYLOAD_MAX_OCTETS]
    signals: list[Signal] = []
    at = 0
    for _ in range(_ACTIONS_MAX):
        at = payload.find(_ACTION, at)
        if at < 0:
            break
        at += len(_ACTION)
        word = payload[at : at + _NAME_MAX].partition(b"<")[0].partition(b'"')[0].rpartition(b"/")[2]
        name = _OPERATIONS.get(word.removesuffix(b"Response"), "")
        kind = "sdc.reports" if name in _REPORTS else "sdc.asks"
        signals.append(Signal("sdc.answers" if word.endswith(b"Response") else kind, name))
    return bounded(signals)
