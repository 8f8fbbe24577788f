"""Certificates of a private authority, trusted only where configured."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import trustme


class Authority:
    """An authority that writes its certificates to a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._authority = trustme.CA()
        self._bundle = directory / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self._bundle))

    @property
    def trusted(self) -> dict[str, str]:
        """Return the environment of a process that trusts it (SSL_CTX_load_verify_locations)."""
        return {"SSL_CERT_FILE": str(self._bundle)}

    def certify(self, name: str, *, expired: bool = False) -> Path:
        """Return the file with the key and certificate of a host."""
        until = datetime(2001, 1, 1, tzinfo=UTC) if expired else None
        path = self._directory / f"{name}{'-expired' if expired else ''}.pem"
        certificate = self._authority.issue_cert(name, not_after=until)
        certificate.private_key_and_cert_chain_pem.write_to_path(str(path))
        return path


def serving(certificate: Path) -> ssl.SSLContext:
    """Return the TLS context of a server with this certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context
