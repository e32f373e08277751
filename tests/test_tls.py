"""How a broker is believed. With real brokers: tests/uplink/test_session_tls.py."""

import ssl
from pathlib import Path

import pytest

from agent import tls
from agent.errors import ConfigError
from tests.simulators.papers import authority, issued


def test_it_asks_for_a_certificate_its_name_and_tls_1_2(tmp_path: Path) -> None:
    ca = authority(tmp_path)
    own = issued(tmp_path, "tap-1", ca)
    context = tls.client_context(ca.pem, own.pem, own.key_pem)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert tls.client_context(None, None, None).verify_mode == ssl.CERT_REQUIRED


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    ca = authority(tmp_path)
    own = issued(tmp_path, "tap-1", ca)
    for files in ((tmp_path / "missing.pem", None, None), (ca.pem, own.pem, ca.key_pem), (own.pem, None, None)):
        with pytest.raises(ConfigError) as refused:
            tls.client_context(*files)
        assert str(files[0]) in refused.value.where


@pytest.mark.parametrize(("code", "dated"), [(9, True), (10, True), (20, False)])
def test_a_reason_that_may_be_our_own_clock_names_it(code: int, dated: bool) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "certificate is not what it should be"
    told = tls.reason(error)
    assert told.startswith("TLS: certificate is not what it should be")
    assert ("this machine's clock says" in told) is dated


def test_a_reason_without_a_certificate() -> None:
    assert tls.reason(ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")).startswith("TLS: ")
