"""SSH identification (RFC 4253 section 4.2): the software version. The comment after it is free text: not read."""

from agent.packets.hints.records import Signal
from agent.packets.hints.text import bounded, printable

_LINE_MAX_OCTETS = 255  # RFC 4253 section 4.2


def read(payload: bytes) -> list[Signal]:
    """`ssh.software` of an identification line."""
    if not payload.startswith(b"SSH-"):
        return []
    line = payload[:_LINE_MAX_OCTETS].partition(b"\n")[0].partition(b" ")[0]
    return bounded([Signal("ssh.software", printable(line.partition(b"-")[2].partition(b"-")[2]))])
