"""Looks for the canary patients in octets: as they are, and in everything that can be unpacked from them.

Containers are opened (zlib, gzip, base64 at any offset, hexadecimal), again what is in them, and of all of it the
escapes are taken back (percent, JSON, Python's, HTML, quoted-printable); each of what comes out is searched in every
character set. MessagePack, SQLite's pages and logs hold strings as they are, so what holds them needs no parser.
"""

import binascii
import html
import json
import quopri
import re
import zlib
from collections.abc import Iterator
from functools import cache
from urllib.parse import unquote_to_bytes

from tests.simulators.patients import PATIENTS, cases

CHARSETS = ("utf-8", "utf-16-le", "utf-16-be", "latin-1")
DEPTH_MAX = 3  # containers within containers
PLAIN_MAX = 16 << 20  # unpacked from one of them
# Few digits may stand in a longer number by chance: they count only when no other digit is beside them.
SOFT_MAX = 8
_DEFLATED = re.compile(rb"(?=\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08)")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}")
_HEX = re.compile(rb"[0-9A-Fa-f]{12,}|(?:[0-9A-Fa-f]{2}[ :-]){5,}[0-9A-Fa-f]{2}")
_NO_HEX = bytes(set(range(256)) - set(b"0123456789abcdefABCDEF"))
_ESCAPES = re.compile(rb"(?:\\u[0-9A-Fa-f]{4})+|\\x[0-9A-Fa-f]{2}|\\[0-7]{3}|\\(.)")
_URLSAFE = bytes.maketrans(b"-_", b"+/")


@cache
def needles() -> dict[bytes, str]:
    """What is searched for in octets whose ASCII letters are lower case, and what it is."""
    found: dict[bytes, str] = {}
    for text in (text for patient in PATIENTS for text in patient.secrets()):
        for charset in CHARSETS:
            for written in cases(text):
                try:
                    found.setdefault(written.encode(charset).lower(), f"{text} ({charset})")
                except UnicodeEncodeError:
                    continue  # decomposed letters are not in Latin-1
    return found


def leaks(octets: bytes) -> list[str]:
    """Which words of which patients stand in the octets, in any form; empty when there are none."""
    found: dict[str, None] = {}
    for way, view in _views(octets, "", DEPTH_MAX):
        lowered = view.lower()
        for needle, what in needles().items():
            if needle in lowered and (not _soft(needle) or _alone(needle, lowered)):
                found[f"{what}{way}"] = None
    return list(found)


def _soft(needle: bytes) -> bool:
    return needle.isdigit() and len(needle) <= SOFT_MAX


def _alone(needle: bytes, octets: bytes) -> bool:
    return re.search(rb"(?<!\d)%s(?!\d)" % needle, octets) is not None


def _views(octets: bytes, way: str, depth: int) -> Iterator[tuple[str, bytes]]:
    """The octets, without their escapes, and what is packed in them."""
    yield way, octets
    if b"%" in octets:
        yield f"{way}, percent", unquote_to_bytes(octets)
    if b"\\" in octets:
        yield f"{way}, escaped", _ESCAPES.sub(_unescaped, octets)
    if b"&" in octets:
        yield f"{way}, HTML", html.unescape(octets.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogatepass")
    if b"=" in octets:
        yield f"{way}, quoted-printable", quopri.decodestring(octets)
    if depth:
        for name, inner in _opened(octets):
            yield from _views(inner, f"{way} in {name}", depth - 1)


def _opened(octets: bytes) -> Iterator[tuple[str, bytes]]:
    """What containers hold."""
    view = memoryview(octets)
    for start in _DEFLATED.finditer(octets):
        opener = zlib.decompressobj(wbits=47)  # zlib or gzip
        try:
            if inner := opener.decompress(view[start.start() :], PLAIN_MAX):
                yield "zlib", inner
        except zlib.error:
            continue  # the two octets were something else
    runs = [run[0].translate(_URLSAFE) for run in _BASE64.finditer(octets)]
    for offset in range(4) if runs else ():
        yield "base64", b"\n".join(binascii.a2b_base64(_whole(run[offset:])) for run in runs)
    hexes = [run[0].translate(None, _NO_HEX) for run in _HEX.finditer(octets)]
    for offset in range(2) if hexes else ():
        yield (
            "hex",
            b"\n".join(binascii.unhexlify(run[offset : offset + (len(run) - offset) // 2 * 2]) for run in hexes),
        )


def _whole(run: bytes) -> bytes:
    """As much as decodes: characters in fours, or in twos or threes with their padding."""
    keep = len(run) - (len(run) % 4 == 1)
    return run[:keep] + b"=" * (-keep % 4)


def _unescaped(match: re.Match[bytes]) -> bytes:
    escape = match[0]
    if match[1] is not None:
        return match[1]
    if escape[1:2] == b"u":
        text: str = json.loads(b'"%s"' % escape)
        return text.encode("utf-8", "surrogatepass")
    if escape[1:2] == b"x":
        return binascii.unhexlify(escape[2:])
    return bytes([int(escape[1:], 8) & 255])
