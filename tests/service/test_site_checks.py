"""Packs, contracts, keys, the broker's address, libraries and compiled kernels, whole and broken."""

import re
import socket
import sys
from pathlib import Path

import pytest

from agent.config import Config
from agent.service import site_checks
from agent.service.check import Check, Level
from agent.service.site_checks import (
    broker_checks,
    capture_checks,
    kernel_checks,
    key_checks,
    knowledge_checks,
    library_checks,
)

BASE = Config()
VERSION = f"{sys.version_info.major}{sys.version_info.minor}"


def ill(checks: list[Check]) -> list[str]:
    """Lines that are not well."""
    return [str(check) for check in checks if check.level != Level.OK]


def test_what_is_shipped_loads() -> None:
    checks = list(knowledge_checks(BASE, Path("/nowhere")))
    assert not ill(checks)
    assert [check.topic for check in checks] == ["packs", "contracts"]


def test_packs_of_the_site_are_counted_and_the_unusable_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "packs" / "ward" / "3", tmp_path / "packs" / "other" / "1"
    for folder, text in ((good, 'version = "w3"\n'), (bad, "= 1\n")):
        folder.mkdir(parents=True)
        (folder / "signals.toml").write_text(text)
    checks = list(knowledge_checks(BASE, tmp_path))
    assert "1 of the site" in str(checks[0])
    (line,) = ill(checks)
    assert str(bad) in line


def test_suppressions_are_counted_and_the_unusable_named(tmp_path: Path) -> None:
    folder = tmp_path / "packs" / "ward-explained" / "1"
    folder.mkdir(parents=True)
    span = 'start = "2026-01-01T00:00:00Z"\nuntil = "2026-01-05T00:00:00Z"\nowner = "R. Okafor"\nwhy = "a test"\n'
    path = folder / "suppressions.toml"
    path.write_text(f'version = "1"\n[[maintenance]]\ndevice = "00:d0:75:18:60:3e"\n{span}')
    checks = list(knowledge_checks(BASE, tmp_path))
    assert not ill(checks)
    assert "1 suppressions, 0 windows" in str(checks[1])
    path.write_text(f'version = "1"\n[[suppression]]\nid = "tap-transmitted"\n{span}')
    (line,) = ill(list(knowledge_checks(BASE, tmp_path)))
    assert line.startswith("fail  suppressions")
    assert "nobody can switch it off" in line


def test_a_broken_contract_is_named_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "pump.toml").write_text("[contract\n")
    (line,) = ill(
        list(knowledge_checks(BASE._replace(findings=BASE.findings._replace(contracts=str(tmp_path))), tmp_path))
    )
    assert line.startswith("fail  contracts")
    assert "pump.toml" in line


def test_modes(tmp_path: Path) -> None:
    for name, mode in (("sensor/pseudonym.key", 0o600), ("uplink/agent.key", 0o600), ("tls.key", 0o640), ("c", 0o644)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
        path.chmod(mode)
    config = BASE._replace(uplink=BASE.uplink._replace(key=str(tmp_path / "tls.key")))
    assert not ill(list(key_checks(config, tmp_path, tmp_path / "c")))
    for name, mode, todo in (
        ("sensor/pseudonym.key", 0o640, "chmod 600"),
        ("uplink/agent.key", 0o604, "chmod 600"),
        ("tls.key", 0o644, "chmod o="),
        ("c", 0o664, "chmod go-w"),
    ):
        path = tmp_path / name
        before = path.stat().st_mode
        path.chmod(mode)
        (line,) = ill(list(key_checks(config, tmp_path, tmp_path / "c")))
        assert line.startswith("fail")
        assert f"mode {mode:04o} lets others in -> sudo {todo} {path}" in line
        path.chmod(before)


def test_keys_that_are_not_there_yet(tmp_path: Path) -> None:
    lines = ill(list(key_checks(BASE, tmp_path, None)))
    assert [line.split()[0] for line in lines] == ["warn", "warn"]
    assert "first start" in lines[0]
    assert "enrolment" in lines[1]


@pytest.mark.parametrize(
    ("broker", "levels"),
    [
        ("mqtts://192.0.2.1:8883", ["ok"]),
        ("mqtts://[2001:db8::1]:8883", ["ok"]),
        ("mqtts://localhost", ["ok"]),
        ("mqtt://localhost", ["ok"]),
        ("mqtts://Broker.Hospital.example", ["ok"]),
        ("mqtts://elsewhere.example", ["warn"]),
        ("mqtt://192.0.2.1", ["warn", "ok"]),
        ("mqtts://192.0.2.1:8883,192.0.2.2,elsewhere.example", ["ok", "ok", "warn"]),
    ],
)
def test_the_broker_s_address_is_judged_and_nobody_is_asked(
    broker: str, levels: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object, **__: object) -> None:
        raise AssertionError("the doctor sends nothing")

    for name in ("getaddrinfo", "gethostbyname", "create_connection", "socket"):
        monkeypatch.setattr(socket, name, asked)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hosts").write_text(
        "127.0.0.1 localhost\n192.0.2.9 x broker.hospital.example # elsewhere.example\n"
    )
    config = BASE._replace(uplink=BASE.uplink._replace(broker=broker))
    assert [str(check.level) for check in broker_checks(config, tmp_path)] == levels
    assert list(broker_checks(config, tmp_path / "none")), "a machine without a hosts file"


def test_libraries_against_the_lock(tmp_path: Path) -> None:
    assert not ill(list(library_checks(tmp_path / "none"))), "without a lock there is nothing to compare"
    (tmp_path / "lock").write_text("numba==0.1.0 \\\n    --hash=sha256:00\nnumpy==9.9\n")
    lines = ill(list(library_checks(tmp_path / "lock")))
    assert len(lines) == 2
    assert re.search(r"numba: [\d.]+, tested with 0.1.0", lines[0])


def test_a_library_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_checks, "LIBRARIES", ("wardtap-none",))
    (check,) = library_checks()
    assert (check.level, check.kind.exit_code) == (Level.FAIL, 7)


def test_compiled_kernels(tmp_path: Path) -> None:
    (none,) = kernel_checks(tmp_path)
    assert none.level == Level.WARN
    found = re.match(r"0 of (\d+) are compiled", none.what)
    assert found
    (tmp_path / "tap_0123").mkdir()
    for number in range(int(found[1])):
        (tmp_path / "tap_0123" / f"kernels.k{number}-10.py39.nbi").touch()  # another Python's
        assert next(kernel_checks(tmp_path)).level == Level.WARN
        (tmp_path / "tap_0123" / f"kernels.k{number}-10.py{VERSION}.nbi").touch()
        (tmp_path / "tap_0123" / f"kernels.k{number}-10.py{VERSION}.1.nbc").touch()
    (check,) = kernel_checks(tmp_path)
    assert (check.level, check.what) == (Level.OK, f"all {found[1]} compiled")


def test_numba_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "agent.jit", None)
    monkeypatch.delattr("agent.jit", raising=False)
    (check,) = kernel_checks()
    assert check.level == Level.FAIL
    assert "numba cannot be loaded" in check.what


def test_libpcap(monkeypatch: pytest.MonkeyPatch) -> None:
    (check,) = capture_checks("ring")
    assert check.what.startswith("libpcap version")
    monkeypatch.setitem(sys.modules, "agent.tap.pcapy_live", None)
    assert [next(capture_checks(backend)).level for backend in ("ring", "pcapy")] == [Level.WARN, Level.FAIL]
