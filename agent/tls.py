"""The one TLS that our three clients of a broker speak: the uplink, the collector and wardtapctl.

Verifies the broker's certificate and name, TLS 1.2 or later; nothing in a configuration can relax it.
"""

import ssl
from datetime import UTC, datetime
from pathlib import Path

from agent.clock import NS_PER_S, SystemClock
from agent.errors import ConfigError

_OF_TIME = frozenset({9, 10})  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED (openssl/x509_vfy.h)


def client_context(ca: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """From PEM files; without `ca` the system's authorities count. ConfigError names the file that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
        if certificate:
            context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        names = ", ".join(str(path) for path in (ca, certificate, key) if path)
        raise ConfigError(f"TLS files cannot be used: {error}", where=names or "the system's CAs") from error
    if ca and not context.cert_store_stats()["x509_ca"]:
        raise ConfigError("holds no CA certificate", where=str(ca))  # mosquitto 2.0.9 once took that for "no check"
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _ClosingSocket
    return context


class _ClosingSocket(ssl.SSLSocket):
    """paho leaves a socket whose handshake failed to the garbage collector; a year of retries must not."""

    def do_handshake(self, block: bool = False) -> None:
        """As ssl's, but a refused peer's socket is closed at once."""
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def reason(error: ssl.SSLError) -> str:
    """Why a handshake failed; of a certificate's time also what this machine's clock says: it may be what is wrong."""
    told = getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error)
    if getattr(error, "verify_code", 0) not in _OF_TIME:
        return f"TLS: {told}"
    now_s = SystemClock().wall_ns() // NS_PER_S  # the one that the library compares with
    return f"TLS: {told}; this machine's clock says {datetime.fromtimestamp(now_s, UTC).date()}"
