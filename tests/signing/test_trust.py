"""The trust table's file: signed by two of three, never rolled back, never believed without its root."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.errors import Refused, StateError
from agent.signing.envelope import add_signature, seal
from agent.signing.trust import ROOT_NAME, TrustEntry, build_trust, load_root, load_trust, open_trust, root_json
from agent.wire import body
from agent.wire.types import MessageType, Role
from tests.signing.people import AGENT, CUSTODIAN, ENTRIES, RELEASES, ROOT, STRANGER, key


def _written(folder: Path, sealed: bytes) -> Path:
    (folder / ROOT_NAME).write_text(root_json([release.public for release in RELEASES]))
    path = folder / "trust.bin"
    path.write_bytes(sealed)
    return path


def _table(not_after_ns: int = 1 << 62) -> bytes:
    return build_trust(ENTRIES, RELEASES[:2], site="ward", version=7, not_after_ns=not_after_ns)


def test_a_table_comes_back_with_its_release_keys(tmp_path: Path) -> None:
    trust = load_trust(_written(tmp_path, _table(not_after_ns=500)), now_ns=500)
    assert (trust.version, trust.site, trust.not_after_ns) == (7, "ward", 500)
    assert trust.entries() == (*ENTRIES, *ROOT.entries())
    assert [entry.name for entry in trust.agents()] == ["tap-1", "tap-2"]


def test_the_root_may_lie_elsewhere(tmp_path: Path) -> None:
    path = _written(tmp_path, _table())
    moved = (tmp_path / ROOT_NAME).rename(tmp_path / "root.json")
    with pytest.raises(StateError, match="trust-root"):
        load_trust(path)
    assert load_trust(path, moved).version == 7


def test_the_second_signature_may_be_made_elsewhere(tmp_path: Path) -> None:
    one = build_trust(ENTRIES, RELEASES[:1], site="ward", version=7)
    path = _written(tmp_path, one)
    with pytest.raises(Refused) as refused:
        load_trust(path)
    assert refused.value.reason == "not-allowed"
    assert str(path) in str(refused.value)
    path.write_bytes(add_signature(one, RELEASES[2]))
    assert load_trust(path).version == 7


@pytest.mark.parametrize("keys", [[RELEASES[0], CUSTODIAN], [STRANGER, AGENT], [RELEASES[0], STRANGER]])
def test_others_cannot_sign_it(keys: list[Any]) -> None:
    with pytest.raises(Refused) as refused:
        open_trust(build_trust(ENTRIES, keys, site="ward", version=7), ROOT)
    assert refused.value.reason in {"unknown-key", "not-allowed"}


def test_an_older_table_is_refused() -> None:
    assert open_trust(_table(), ROOT, version_min=7).version == 7
    with pytest.raises(Refused) as refused:
        open_trust(_table(), ROOT, version_min=8)
    assert refused.value.reason == "rollback"


def test_a_table_that_is_over_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        open_trust(_table(not_after_ns=500), ROOT, now_ns=501)
    assert refused.value.reason == "expired-trust"


def test_a_table_cannot_bring_its_own_release_keys() -> None:
    extra = TrustEntry.for_key(STRANGER.public, Role.RELEASE, "mine", "ward")
    sealed = build_trust([*ENTRIES, extra], RELEASES[:2], site="ward", version=7)
    with pytest.raises(Refused) as refused:
        open_trust(sealed, ROOT)
    assert refused.value.reason == "bad-trust"


def test_a_release_key_in_another_role_is_refused() -> None:
    extra = TrustEntry.for_key(RELEASES[2].public, Role.AGENT, "tap-9", "ward")
    with pytest.raises(Refused) as refused:
        open_trust(build_trust([extra], RELEASES[:2], site="ward", version=7), ROOT)
    assert refused.value.reason == "bad-trust"


@pytest.mark.parametrize("place", [0, 1])
def test_a_signed_table_with_a_bad_key_is_refused(place: int) -> None:
    entry = ENTRIES[0].to_list()
    entry[place] = bytes(len(entry[place]))
    content = {"version": 7, "site": "ward", "not_after_ns": 1, "entries": [entry]}
    sealed = seal(MessageType.TRUST, body.encode(MessageType.TRUST, None, content), RELEASES[:2])
    with pytest.raises(Refused) as refused:
        open_trust(sealed, ROOT)
    assert refused.value.reason == "bad-key"


def test_a_large_table_is_built_and_read() -> None:
    entries = [
        replace(TrustEntry.for_key(key(number).public, Role.AGENT, f"tap-{number}", "ward")) for number in range(30, 90)
    ]
    trust = open_trust(build_trust(entries, RELEASES[:2], site="ward", version=7), ROOT)
    assert len(trust.agents()) == 60


def test_build_refuses_a_key_twice() -> None:
    with pytest.raises(Refused):
        build_trust([ENTRIES[0], ENTRIES[0]], RELEASES[:2], site="ward", version=7)


@pytest.mark.parametrize("octets", [b"", b"garbage", bytes(100)])
def test_garbage_is_refused_with_the_files_name(tmp_path: Path, octets: bytes) -> None:
    path = _written(tmp_path, octets)
    with pytest.raises(Refused, match=r"trust\.bin"):
        load_trust(path)


def test_a_missing_table_a_folder_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    path = _written(tmp_path, b"")
    path.unlink()
    with pytest.raises(StateError, match=r"trust\.bin"):
        load_trust(path)
    path.mkdir()
    with pytest.raises(StateError, match="not a regular file"):
        load_trust(path)
    path.rmdir()
    path.write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(StateError, match="more than"):
        load_trust(path)


GOOD_ROOT = json.loads(root_json([release.public for release in RELEASES]))


@pytest.mark.parametrize(
    "root",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        "[" * 3000,
        "\ud800".encode("utf-8", "surrogatepass"),
        json.dumps(GOOD_ROOT | {"version": 2}),
        json.dumps(GOOD_ROOT | {"keys": GOOD_ROOT["keys"][:2]}),
        json.dumps(GOOD_ROOT | {"keys": [*GOOD_ROOT["keys"], GOOD_ROOT["keys"][0]]}),
        json.dumps(GOOD_ROOT | {"keys": [1, 2, 3]}),
        json.dumps(GOOD_ROOT | {"keys": [{"name": "a", "public": "zz"}] * 3}),
        json.dumps(GOOD_ROOT | {"keys": [{"name": "a"}] * 3}),
        json.dumps(GOOD_ROOT | {"keys": [{"name": "a", "public": 5}] * 3}),
    ],
)
def test_a_root_file_that_is_none_is_refused(tmp_path: Path, root: str | bytes) -> None:
    path = tmp_path / ROOT_NAME
    path.write_bytes(root if isinstance(root, bytes) else root.encode())
    with pytest.raises(StateError, match="trust root"):
        load_root(path)


def test_a_root_with_one_key_three_times_or_a_bad_point_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ROOT_NAME
    path.write_text(root_json([RELEASES[0].public] * 3))
    with pytest.raises(Refused) as refused:
        load_root(path)
    assert refused.value.reason == "bad-trust"
    neutral = {"name": "a", "public": "01" + "00" * 31}
    path.write_text(json.dumps(GOOD_ROOT | {"keys": [*GOOD_ROOT["keys"][:2], neutral]}))
    with pytest.raises(Refused) as refused:
        load_root(path)
    assert refused.value.reason == "bad-key"
