"""Certificates of any time and any authority, as a site would issue them: for brokers that should not be believed."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Paper(NamedTuple):
    """A certificate and its key, and where they lie."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    pem: Path
    key_pem: Path


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def authority(folder: Path, name: str = "ca") -> Paper:
    """One that signs for itself, valid now."""
    key = ec.generate_private_key(ec.SECP256R1())
    start = _started(_named(name), _named(name), key, (datetime.now(UTC) - DAY, datetime.now(UTC) + DAY))
    return _laid(folder, name, start.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True), key)


def issued(folder: Path, name: str, by: Paper, days: tuple[float, float] = (-1, 1), host: str = "localhost") -> Paper:
    """A certificate for a host, valid from so many days after now until so many."""
    key = ec.generate_private_key(ec.SECP256R1())
    first, last = (datetime.now(UTC) + days[0] * DAY, datetime.now(UTC) + days[1] * DAY)
    names: list[x509.GeneralName] = [x509.DNSName(host)]
    if host == "localhost":
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    started = _started(_named(name), by.certificate.subject, key, (first, last))
    return _laid(folder, name, started.add_extension(x509.SubjectAlternativeName(names), critical=False), key, by)


def _started(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, valid: tuple[datetime, datetime]
) -> x509.CertificateBuilder:
    made = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return made.not_valid_before(valid[0]).not_valid_after(valid[1])


def _laid(
    folder: Path, name: str, made: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, by: Paper | None = None
) -> Paper:
    certificate = made.sign(by.key if by else key, SHA256())
    pem, key_pem = folder / f"{name}.pem", folder / f"{name}.key"
    pem.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Paper(certificate, key, pem, key_pem)
