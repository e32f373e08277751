"""Ed25519 keys (RFC 8032): made, kept in a file of mode 0600, and refused when they are not what they should be.

The library accepts public keys that no honest signer has. Under the neutral element one constant "signature" is
good for every message; a non-canonical encoding gives one key two names. Both are refused here, before any trust.
"""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.errors import PermissionNeeded, Refused, StateError
from agent.signing.files import read_regular

ALGORITHM = "ed25519"
KEY_BYTES = 32
SIGNATURE_BYTES = 64
KEY_ID_BYTES = 8
FILE_BYTES_MAX = 4096  # a PEM of one Ed25519 key has 119
FIELD_P = 2**255 - 19
ORDER_L = 2**252 + 27742317777372353535851937790883648493
CURVE_D = -121665 * pow(121666, -1, FIELD_P) % FIELD_P
# y of a point of order 8; the eight small-order points have y in {1, -1, 0, +Y8, -Y8} (Chalkias et al. 2020, table 1)
Y_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
SMALL_ORDER_Y = frozenset({0, 1, FIELD_P - 1, Y_ORDER_8, FIELD_P - Y_ORDER_8})


def key_id(raw_public: bytes, algorithm: str = ALGORITHM) -> bytes:
    """Name of a key in envelopes: first 8 octets of SHA-256 over algorithm name and raw public key. Only a hint."""
    return hashlib.sha256(algorithm.encode() + raw_public).digest()[:KEY_ID_BYTES]


def _refuse_bad_point(raw: bytes) -> None:
    """Length, canonical encoding (RFC 8032 5.1.3: y < p), not of small order, on the curve."""
    if len(raw) != KEY_BYTES:
        raise Refused(f"a public key has {KEY_BYTES} octets, not {len(raw)}", reason="bad-key")
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)  # the top bit is the sign of x
    if y >= FIELD_P:
        raise Refused("a public key that is not canonical", reason="bad-key")
    if y in SMALL_ORDER_Y:
        raise Refused("a public key of small order: it verifies anything", reason="bad-key")
    x_squared = (y * y - 1) * pow(CURVE_D * y * y + 1, -1, FIELD_P) % FIELD_P
    if pow(x_squared, (FIELD_P - 1) // 2, FIELD_P) != 1:  # Euler's criterion; x = 0 was small order
        raise Refused("a public key that is no point of the curve", reason="bad-key")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that verifies. Only `from_bytes` makes one."""

    raw: bytes
    key_id: bytes
    _key: Ed25519PublicKey = field(repr=False, compare=False)

    @classmethod
    def from_bytes(cls, raw: bytes) -> "PublicKey":
        """From 32 raw octets; Refused `bad-key` for small order, non-canonical or off the curve."""
        _refuse_bad_point(raw)
        return cls(raw, key_id(raw), Ed25519PublicKey.from_public_bytes(raw))

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether `signature` is this key's over `data`; S must be below the group order (RFC 8032 5.1.7)."""
        if len(signature) != SIGNATURE_BYTES or int.from_bytes(signature[32:], "little") >= ORDER_L:
            return False  # S + L would be a second signature of the same message
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    @property
    def fingerprint(self) -> str:
        """What two people compare on two screens: the key id in groups of four."""
        text = self.key_id.hex()
        return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key that signs. Ed25519 is deterministic: signing again gives the same octets."""

    public: PublicKey
    _key: Ed25519PrivateKey = field(repr=False, compare=False)

    @classmethod
    def generate(cls) -> "PrivateKey":
        """A new one from the system's random source."""
        return cls._from(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> "PrivateKey":
        """The key of a 32-octet seed (RFC 8032 5.1.5); for golden vectors and kits."""
        return cls._from(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def _from(cls, key: Ed25519PrivateKey) -> "PrivateKey":
        return cls(PublicKey.from_bytes(key.public_key().public_bytes_raw()), key)

    @property
    def key_id(self) -> bytes:
        """Of its public key."""
        return self.public.key_id

    def sign(self, data: bytes) -> bytes:
        """64 octets."""
        return self._key.sign(data)

    @classmethod
    def load(cls, path: Path) -> "PrivateKey":
        """From a PEM file (PKCS #8) that only its owner may read.

        PermissionNeeded when group or others may use it or it cannot be opened; StateError when missing or no key.
        """
        octets = _read_private(path)
        try:
            key = serialization.load_pem_private_key(octets, password=None)
        except (ValueError, TypeError) as error:
            raise StateError("is not a private key", where=str(path), todo="wardtap keys makes one") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise StateError("is not an Ed25519 key", where=str(path))
        return cls._from(key)

    def save(self, path: Path) -> None:
        """To a new file of mode 0600, durable; StateError when there is one already: a key is never written over."""
        octets = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError as error:
            raise StateError("exists, and a key is never written over", where=str(path)) from error
        except OSError as error:
            raise StateError(f"cannot be written: {error.strerror}", where=str(path)) from error
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, 0o600)  # the umask may have taken the owner's bits
            file.write(octets)
            file.flush()
            os.fsync(handle)


def _read_private(path: Path) -> bytes:
    """Octets of a file without any mode bit for group and others."""
    octets, mode = read_regular(path, FILE_BYTES_MAX, follow=False)
    if mode & 0o077:
        what = f"mode {mode:04o} lets others at a private key"
        raise PermissionNeeded(what, where=str(path), todo=f"chmod 600 {path}")
    return octets
