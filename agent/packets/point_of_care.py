"""Point-of-care testing, CLSI POCT1-A2: where an XML message of an analyser or its data manager begins in a payload.

The root element is called after the message, three letters and a revision (`<HEL.R01>`); an XML declaration may stand
before it. No port is assigned: the content alone says it. Total: reads stay in the payload, and loops are short.
"""

import numpy as np

from agent.jit import leaf
from agent.packets.cursor import u16, u32
from agent.tap.records import Octets

DECLARATION, DECLARATION_END, DECLARATION_MAX = 0x3C3F786D, 0x3F3E, 128  # '<?xm', '?>', and how far its end is sought
BLANKS_MAX = 4  # between the declaration and the root element: a line's end, or two
ROOT_OCTETS = 9  # '<HEL.R01' and what ends the name
HELLO, DEVICE = 0x3C48454C, 0x3C444556  # '<HEL', '<DEV'
DEVICE_LOOK = 1024  # octets of a hello in which its device section begins: only the header stands before it
DEVICE_OCTETS = 512  # of that section that are looked at: the maker and the model come among its first fields


@leaf
def _is_blank(octet: int) -> bool:
    return octet == 0x20 or octet == 0x09 or octet == 0x0A or octet == 0x0D


@leaf
def _is_letter(octet: int) -> bool:
    return 0x41 <= octet <= 0x5A


@leaf
def _behind_declaration(octets: Octets, at: int, end: int) -> int:
    """Offset behind an XML declaration and the blanks after it; `end` when it does not end where it is sought."""
    for i in range(at, min(at + DECLARATION_MAX, end - 1)):
        if u16(octets, i) == DECLARATION_END:
            begin = i + 2
            while begin < min(end, i + 2 + BLANKS_MAX) and _is_blank(octets[begin]):
                begin += 1
            return begin
    return end


@leaf
def message_at(octets: Octets, at: int, have: int) -> int:
    """Offset of the root element of a POCT1-A message; -1 where a payload begins otherwise. `have` is at least 4."""
    i, end = at, at + have
    if u32(octets, at) == DECLARATION:
        i = _behind_declaration(octets, at, end)
    if end - i < ROOT_OCTETS or octets[i] != 0x3C or u32(octets, i + 4) >> 8 != 0x2E5230:  # '.R0'
        return -1
    named = _is_letter(octets[i + 1]) and _is_letter(octets[i + 2]) and _is_letter(octets[i + 3])
    revision, ends = np.int64(octets[i + 7]), octets[i + 8] == 0x3E or _is_blank(octets[i + 8])
    return i if named and 0x31 <= revision <= 0x39 and ends else -1


@leaf
def device_at(octets: Octets, root: int, end: int) -> int:
    """Offset of the device section of a hello whose root element is at an offset; -1 where there is none."""
    for i in range(root, min(root + DEVICE_LOOK, end - 3)):
        if octets[i] == 0x3C and u32(octets, i) == DEVICE:
            return i
    return -1
