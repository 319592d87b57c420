"""
Sign PDFs (PAdES B-B) with the installation's certificate, and check such signatures.

The certificate is self-signed: it proves that a document left this installation unchanged, not
who somebody is. A practice that needs more replaces it by one of a certificate authority.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from rapport.platform.crypto import aead
from rapport.platform.crypto.files import create_once

_AAD = b"signing-certificate"


@dataclass(frozen=True, slots=True)
class Verification:
    """What a PDF's signatures say."""

    valid: bool
    """There is at least one signature, each is intact, ours, and covers what it should."""
    signatures: int
    reasons: tuple[str, ...]
    """The reason that each signature gives."""
    covers_whole_file: bool
    """The last signature reaches the file's last byte: nothing was added after it."""


def _make() -> bytes:
    """Return a fresh key and its self-signed certificate, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Rapport installation")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=True, key_encipherment=False,
                data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
                encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True, slots=True)
class Signer:
    """The installation's key and certificate."""

    key: Any
    certificate: Any


def signer_from(home: Path) -> Signer:
    """Return the installation's signer; made on first use, kept sealed below `home`."""
    path = home / "signing.sealed"
    if not path.exists():
        create_once(path, aead.seal(_make(), aad=_AAD, purpose="field"))
    pem = aead.open_(path.read_bytes(), aad=_AAD, purpose="field")
    key = serialization.load_pem_private_key(pem, None)
    certificate = x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN CERT") :])
    return Signer(
        asn1_keys.PrivateKeyInfo.load(
            key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        ),
        asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER)),
    )


@lru_cache(maxsize=1)
def default_signer() -> Signer:
    """Return this installation's signer."""
    from django.conf import settings

    return signer_from(settings.RAPPORT.home)


def sign_pdf(pdf: bytes, *, signer: Signer, reason: str, name: str) -> bytes:
    """
    Return the PDF with one more signature.

    :param reason: shown with the signature, e.g. `Signed by the author`
    :param name: who signed, as shown; the installation vouches for it
    """
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    store.register(signer.certificate)
    simple = SimpleSigner(signing_cert=signer.certificate, signing_key=signer.key, cert_registry=store)
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    existing = len(list(PdfFileReader(io.BytesIO(pdf)).embedded_signatures))
    metadata = PdfSignatureMetadata(
        field_name=f"Signature{existing + 1}",
        reason=reason,
        name=name,
        subfilter=SigSeedSubFilter.PADES,
        md_algorithm="sha256",
    )
    out = PdfSigner(metadata, signer=simple).sign_pdf(writer)
    return bytes(out.getbuffer())


def verify_pdf(pdf: bytes, *, signer: Signer) -> Verification:
    """Check every signature of a PDF against the installation's certificate. Never raises."""
    context = ValidationContext(trust_roots=[signer.certificate], allow_fetching=False)
    try:
        found = list(PdfFileReader(io.BytesIO(pdf)).embedded_signatures)
        statuses = [validate_pdf_signature(s, context) for s in found]
    except (PdfError, ValueError, KeyError, IndexError, TypeError):
        return Verification(False, 0, (), False)
    reasons = tuple(str(s.sig_object.get("/Reason", "")) for s in found)
    whole = any(_end(signature) == len(pdf) for signature in found)
    good = whole and all(s.intact and s.valid and s.trusted and s.bottom_line for s in statuses)
    return Verification(good, len(statuses), reasons, whole)


def _end(signature: Any) -> int:
    """Return the position after the last byte that a signature covers."""
    *_, start, length = (int(number) for number in signature.byte_range)
    return start + length
