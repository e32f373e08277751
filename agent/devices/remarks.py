"""What the judge listens to of payloads, out of the readers' signals: names asked for, and who calls whom."""

from typing import Final

from agent.devices.records import Remark
from agent.packets.hints.records import Signal

# Kinds that a detector compares. Everything else that a reader finds is for identity alone.
LISTENED: Final = frozenset({
    "dicom.ae", "dicom.rejects", "dicom.uses", "dns.asks", "dns.failed", "dns.type", "hl7.ack", "hl7.sender",
    "http.host", "tls.sni",
})  # fmt: skip
CALLED: Final = "dicom.called"  # the title that is called, as the caller says it; `dicom.ae` is the caller's own


def remark_of(source: int, destination: int, signals: list[Signal], time_ns: int) -> Remark | None:
    """The remark of one payload; None when it holds nothing that a detector compares."""
    words = tuple((_kind(signal), signal.value) for signal in signals if signal.kind in LISTENED)
    return Remark(time_ns, source, destination, words) if words else None


def _kind(signal: Signal) -> str:
    return CALLED if signal.kind == "dicom.ae" and signal.about_peer else signal.kind
