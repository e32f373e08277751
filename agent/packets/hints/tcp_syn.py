"""The fingerprint of a TCP stack in its SYN and SYN-ACK (RFC 9293, options RFC 7323, 2018, 7413). A form of our own.

`class of the time to live:window:largest segment:window scale:options in their order`, for example
`64:m44:1460:7:MSTNW`. The window is `m` and a factor when it is a multiple of the segment size, else the number
itself. Values that differ from one connection to the next (ports, numbers, time stamps, cookies) are not in it.
A packet that a router has passed on speaks of a stack somewhere behind the card that sent it: one hop away it is told
apart (`tcp.passed-`), to see a path that has become longer, and further away it is not read.
"""

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, u16

_SYN, _ACK = 0x02, 0x10
_OPTIONS_MAX = 40  # octets of options that a header can have, and so options
_LETTERS = {2: "M", 3: "W", 4: "S", 5: "K", 8: "T", 28: "U", 30: "P", 34: "F"}
_END, _NOTHING, _SEGMENT, _SCALE = 0, 1, 2, 3
_STARTS = frozenset({32, 64, 128, 255})  # what systems start from: the class, while no router took one away
_PASSED = frozenset(start - 1 for start in _STARTS)


def _options(octets: bytes) -> tuple[str, int, int]:
    """Letters of the options in order (`x` ends a damaged list), segment size, scale (-1 without)."""
    letters, segment, scale, at = "", 0, -1, 0
    for _ in range(_OPTIONS_MAX):
        if at >= len(octets):
            break
        kind = octets[at]
        if kind == _END:
            letters += "E"
            break
        if kind == _NOTHING:
            letters += "N"
            at += 1
            continue
        size = octets[at + 1] if at + 1 < len(octets) else 0
        if size < 2 or at + size > len(octets):
            letters += "x"
            break
        letters += _LETTERS.get(kind, "?")
        if kind == _SEGMENT and size == 4:
            segment = u16(octets, at + 2)
        elif kind == _SCALE and size == 3:
            scale = octets[at + 2]
        at += size
    return letters, segment, scale


def _window(size: int, segment: int) -> str:
    """A multiple of the segment size as such: most systems grant whole segments."""
    if segment >= 64 and size and size % segment == 0:
        return f"m{size // segment}"
    return str(size)


def read(octets: bytes) -> list[Signal]:
    """`tcp.syn` or `tcp.syn-ack`, with `passed-` one hop away, of an octet of time to live and the TCP header."""
    header = octets[1:PAYLOAD_MAX_OCTETS]
    if len(header) < 20 or not header[13] & _SYN or octets[0] not in _STARTS | _PASSED:
        return []
    end = (header[12] >> 4) * 4
    if end < 20 or end > len(header):
        return []
    letters, segment, scale = _options(header[20:end])
    window = _window(u16(header, 14), segment)
    text = f"{octets[0]}:{window}:{segment or '-'}:{scale if scale >= 0 else '-'}:{letters or '-'}"
    kind = "tcp.passed-" if octets[0] in _PASSED else "tcp."
    return bounded([Signal(f"{kind}syn-ack" if header[13] & _ACK else f"{kind}syn", text)])
