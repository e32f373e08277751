"""HL7 version 2 messages in MLLP frames."""

from collections.abc import Sequence

MLLP_PORT = 2575


def mllp(message: str) -> bytes:
    """Start block, message, end block, carriage return."""
    return b"\x0b" + message.encode() + b"\x1c\x0d"


def segment(*fields: str) -> str:
    """Fields joined by the usual separator."""
    return "|".join(fields)


def header(route: tuple[str, str, str, str], kind: str, control: str, when: str) -> str:
    """MSH; route is (sending application, sending facility, receiving application, receiving facility)."""
    return segment("MSH", "^~\\&", *route, when, "", kind, control, "P", "2.6")


def observation(
    route: tuple[str, str, str, str], control: str, when: str, patient: tuple[str, str], values: Sequence[str]
) -> bytes:
    """ORU^R01 for a patient (number, name); each value is the text of an OBX from field 2 on."""
    lines = [header(route, "ORU^R01^ORU_R01", control, when), segment("PID", "1", "", patient[0], "", patient[1])]
    lines.append(segment("OBR", "1", "", control, "182777000^monitoring^SCT", "", "", when))
    lines += [segment("OBX", str(i + 1), value) for i, value in enumerate(values)]
    return mllp("\r".join(lines) + "\r")


def acknowledgement(route: tuple[str, str, str, str], control: str, when: str) -> bytes:
    """ACK with code AA."""
    return mllp("\r".join([header(route, "ACK^R01^ACK", f"A{control}", when), segment("MSA", "AA", control)]) + "\r")
