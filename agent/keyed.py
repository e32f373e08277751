"""SipHash-1-3 over 64-bit words: the keyed hash of every table that a stranger's packets can reach.

An unkeyed hash lets a sender choose colliding keys and turn a table into a list (Crosby and Wallach 2003: Bro dropped
71 % at below dial-up rate; CVE-2024-47187 is the same in 2024). The key is 128 random bits drawn at start and never
leaves the process. SipHash: Aumasson and Bernstein 2012; the 1-3 variant is what CPython and Rust use for hash tables.
Words are absorbed as they are, without the length octet of the byte-string form: every caller hashes a fixed number of
words.
"""

import numpy as np

from agent.jit import inline, leaf

_U = np.uint64
_C0 = _U(0x736F6D6570736575)  # "somepseu" "dorandom" "lygenera" "tedbytes", the paper's constants
_C1 = _U(0x646F72616E646F6D)
_C2 = _U(0x6C7967656E657261)
_C3 = _U(0x7465646279746573)
_FF = _U(0xFF)
_13, _16, _17, _21, _32 = _U(13), _U(16), _U(17), _U(21), _U(32)
_51, _48, _47, _43 = _U(51), _U(48), _U(47), _U(43)
NO_MAC_BIT = _U(1 << 63)  # in what stands for a MAC address where the link has none


@inline
def _round(
    v0: np.uint64, v1: np.uint64, v2: np.uint64, v3: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """One SipRound (section 2.2 of the paper)."""
    v0 = v0 + v1
    v1 = ((v1 << _13) | (v1 >> _51)) ^ v0
    v0 = (v0 << _32) | (v0 >> _32)
    v2 = v2 + v3
    v3 = ((v3 << _16) | (v3 >> _48)) ^ v2
    v0 = v0 + v3
    v3 = ((v3 << _21) | (v3 >> _43)) ^ v0
    v2 = v2 + v1
    v1 = ((v1 << _17) | (v1 >> _47)) ^ v2
    v2 = (v2 << _32) | (v2 >> _32)
    return v0, v1, v2, v3


@leaf
def sip1(key0: np.uint64, key1: np.uint64, word: np.uint64) -> np.uint64:
    """Hash of one word."""
    v0, v1, v2, v3 = key0 ^ _C0, key1 ^ _C1, key0 ^ _C2, key1 ^ _C3
    v3 ^= word
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0 ^= word
    v2 ^= _FF
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@leaf
def sip2(key0: np.uint64, key1: np.uint64, a: np.uint64, b: np.uint64) -> np.uint64:
    """Hash of two words."""
    v0, v1, v2, v3 = key0 ^ _C0, key1 ^ _C1, key0 ^ _C2, key1 ^ _C3
    for word in (a, b):
        v3 ^= word
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 ^= word
    v2 ^= _FF
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@leaf
def sip3(key0: np.uint64, key1: np.uint64, a: np.uint64, b: np.uint64, c: np.uint64) -> np.uint64:
    """Hash of three words."""
    v0, v1, v2, v3 = key0 ^ _C0, key1 ^ _C1, key0 ^ _C2, key1 ^ _C3
    for word in (a, b, c):
        v3 ^= word
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 ^= word
    v2 ^= _FF
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@leaf
def sip5(
    key0: np.uint64, key1: np.uint64, a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64, e: np.uint64
) -> np.uint64:
    """Hash of five words."""
    v0, v1, v2, v3 = key0 ^ _C0, key1 ^ _C1, key0 ^ _C2, key1 ^ _C3
    for word in (a, b, c, d, e):
        v3 ^= word
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 ^= word
    v2 ^= _FF
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@leaf
def address_name(key0: np.uint64, key1: np.uint64, hi: np.uint64, lo: np.uint64) -> np.uint64:
    """What stands for the MAC address of an IP address on a link that has none."""
    return sip3(key0, key1, hi, lo, _U(1)) | NO_MAC_BIT
