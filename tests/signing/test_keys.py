"""Keys: RFC 8032 vectors, keys nobody honest has, second signatures of one message, files others may read."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import PermissionNeeded, Refused, StateError
from agent.signing.keys import CURVE_D, FIELD_P, ORDER_L, Y_ORDER_8, PrivateKey, PublicKey, key_id
from tests.signing.people import AGENT, OTHER_AGENT

RFC_8032_7_1 = [  # secret, public, message, signature
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]
SMALL_ORDER = {  # Chalkias et al. 2020, table 1
    "neutral": "0100000000000000000000000000000000000000000000000000000000000000",
    "order 2": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "order 4": "0000000000000000000000000000000000000000000000000000000000000000",
    "order 4 with sign": "0000000000000000000000000000000000000000000000000000000000000080",
    "order 8, 1": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "order 8, 2": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "order 8, 3": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "order 8, 4": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "neutral, sign of zero": "0100000000000000000000000000000000000000000000000000000000000080",
    "order 2, sign of zero": "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
}


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC_8032_7_1)
def test_vectors_of_the_rfc(secret: str, public: str, message: str, signature: str) -> None:
    private = PrivateKey.from_seed(bytes.fromhex(secret))
    assert private.public.raw.hex() == public
    assert private.sign(bytes.fromhex(message)).hex() == signature
    assert PublicKey.from_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), bytes.fromhex(message))


@pytest.mark.parametrize("name", SMALL_ORDER)
def test_small_order_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        PublicKey.from_bytes(bytes.fromhex(SMALL_ORDER[name]))
    assert refused.value.reason == "bad-key"


def test_the_constant_of_order_eight_is_one() -> None:
    """Twice a point of order 8 has order 4, so y = 0 there: x^2 + y^2 = 0 (doubling with a = -1)."""
    y_squared = Y_ORDER_8 * Y_ORDER_8 % FIELD_P
    x_squared = (y_squared - 1) * pow(CURVE_D * y_squared + 1, -1, FIELD_P) % FIELD_P
    assert (x_squared + y_squared) % FIELD_P == 0


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("excess", range(19))
def test_every_encoding_that_is_not_canonical_is_refused(excess: int, sign: int) -> None:
    raw = (FIELD_P + excess | sign << 255).to_bytes(32, "little")
    with pytest.raises(Refused) as refused:
        PublicKey.from_bytes(raw)
    assert refused.value.reason == "bad-key"


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(33), b"\x02" + bytes(31)])
def test_wrong_lengths_and_points_off_the_curve_are_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as refused:
        PublicKey.from_bytes(raw)
    assert refused.value.reason == "bad-key"


@given(st.binary(min_size=32, max_size=32))
def test_every_honest_key_is_taken(seed: bytes) -> None:
    public = PrivateKey.from_seed(seed).public
    assert PublicKey.from_bytes(public.raw) == public


def test_a_second_signature_of_the_same_message_is_refused() -> None:
    signature = AGENT.sign(b"message")
    s = int.from_bytes(signature[32:], "little")
    for multiple in range(1, 15):
        malleated = signature[:32] + (s + multiple * ORDER_L).to_bytes(32, "little")
        assert not AGENT.public.verify(malleated, b"message")
    assert AGENT.public.verify(signature, b"message")


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65), b"\xff" * 64])
def test_what_is_no_signature_is_refused(signature: bytes) -> None:
    assert not AGENT.public.verify(signature, b"message")


def test_a_signature_is_for_one_key_and_one_message() -> None:
    signature = AGENT.sign(b"message")
    assert not AGENT.public.verify(signature, b"massage")
    assert not OTHER_AGENT.public.verify(signature, b"message")


def test_the_key_id_names_algorithm_and_key() -> None:
    assert AGENT.key_id == key_id(AGENT.public.raw) != key_id(AGENT.public.raw, "other")
    assert len(AGENT.key_id) == 8
    assert AGENT.public.fingerprint.replace("-", "") == AGENT.key_id.hex()


def test_a_key_does_not_show_its_secret() -> None:
    assert "_key" not in repr(AGENT)
    assert "cryptography" not in repr(AGENT)


def test_a_saved_key_comes_back_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "agent.key"
    old = os.umask(0)
    try:
        AGENT.save(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PrivateKey.load(path) == AGENT
    assert PrivateKey.load(path).sign(b"x") == AGENT.sign(b"x")


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "agent.key"
    AGENT.save(path)
    with pytest.raises(StateError, match="never written over"):
        OTHER_AGENT.save(path)
    assert PrivateKey.load(path) == AGENT
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError):
        AGENT.save(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644])
def test_a_key_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "agent.key"
    AGENT.save(path)
    path.chmod(mode)
    with pytest.raises(PermissionNeeded, match="chmod 600"):
        PrivateKey.load(path)


@pytest.mark.parametrize(
    "octets", [b"", b"garbage", bytes(4096), b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "agent.key"
    path.write_bytes(octets)
    path.chmod(0o600)
    with pytest.raises(StateError, match=r"agent\.key: is not a private key"):
        PrivateKey.load(path)


def test_a_missing_key_a_folder_a_link_and_a_pipe_are_refused(tmp_path: Path) -> None:
    AGENT.save(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "none", tmp_path, tmp_path / "link", tmp_path / "pipe"):
        with pytest.raises(StateError):
            PrivateKey.load(path)


def test_a_key_of_another_algorithm_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only this test needs a foreign key
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey  # noqa: PLC0415

    path = tmp_path / "agent.key"
    path.write_bytes(
        X25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    path.chmod(0o600)
    with pytest.raises(StateError, match="not an Ed25519 key"):
        PrivateKey.load(path)
