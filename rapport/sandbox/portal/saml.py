"""
Single sign-on by SAML 2.0: the portal's request by redirect, the provider's signed answer by a form.

The provider signs the assertion. The portal uses nothing but what the signature covers, and takes an
assertion once: in time, for itself, and in answer to a request of its own.
"""

from __future__ import annotations

import base64
import secrets
import zlib
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import CanonicalizationMethod
from signxml.exceptions import InvalidInput, InvalidSignature
from signxml.signer import XMLSigner
from signxml.verifier import XMLVerifier

from rapport.sandbox.portal.store import Store

PROTOCOL, ASSERTION = "urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:2.0:assertion"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
PORTAL, PROVIDER = "fernbrook-portal", "fernbrook-id"
GOOD_FOR = timedelta(seconds=60)
NAMES = {"p": PROTOCOL, "a": ASSERTION}
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


class NotProven(ValueError):
    """The answer proves nobody; says why."""


def ensure_key(store: Store) -> None:
    """Make the provider's key and certificate, once."""
    if store.setting("saml_key"):
        return
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, PROVIDER)]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650)).sign(key, hashes.SHA256())
    )  # fmt: skip
    store.put_setting("saml_cert", certificate.public_bytes(serialization.Encoding.PEM).decode())
    store.put_setting("saml_key", key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode())  # fmt: skip


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def request_url(provider: str, *, id: str, back: str, relay: str) -> str:
    """Return where the portal sends somebody: the provider's address with a request in it (HTTP-Redirect)."""
    request = etree.Element(f"{{{PROTOCOL}}}AuthnRequest", {
        "ID": id, "Version": "2.0", "IssueInstant": _text(datetime.now(UTC)), "Destination": provider,
        "AssertionConsumerServiceURL": back, "ProtocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
    }, nsmap={"samlp": PROTOCOL, "saml": ASSERTION})  # fmt: skip
    etree.SubElement(request, f"{{{ASSERTION}}}Issuer").text = PORTAL
    packed = zlib.compressobj(wbits=-15)
    deflated = packed.compress(etree.tostring(request)) + packed.flush()
    return f"{provider}?{urlencode({'SAMLRequest': base64.b64encode(deflated).decode(), 'RelayState': relay})}"


def read_request(text: str) -> tuple[str, str]:
    """Return id and return address of a request. :raises NotProven: it is none of the portal's"""
    try:
        request = etree.fromstring(zlib.decompress(base64.b64decode(text), wbits=-15), _PARSER)
    except (ValueError, zlib.error, etree.XMLSyntaxError):
        raise NotProven("no request") from None
    if request.tag != f"{{{PROTOCOL}}}AuthnRequest" or request.findtext("a:Issuer", namespaces=NAMES) != PORTAL:
        raise NotProven("a request of somebody else")
    return request.get("ID", ""), request.get("AssertionConsumerServiceURL", "")


def answer(store: Store, *, login: str, request_id: str, back: str) -> str:
    """Return a response with a signed assertion that this person is signed in, as a form sends it."""
    now = datetime.now(UTC)
    assertion = etree.Element(f"{{{ASSERTION}}}Assertion", {
        "ID": f"_{secrets.token_hex(16)}", "Version": "2.0", "IssueInstant": _text(now)
    }, nsmap={"saml": ASSERTION})  # fmt: skip

    def add(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
        child = etree.SubElement(parent, f"{{{ASSERTION}}}{name}", attributes)
        child.text = text or None
        return child

    add(assertion, "Issuer", PROVIDER)
    subject = add(assertion, "Subject")
    add(subject, "NameID", login)
    confirmed = add(subject, "SubjectConfirmation", Method=BEARER)
    add(confirmed, "SubjectConfirmationData", InResponseTo=request_id, Recipient=back, NotOnOrAfter=_text(now + GOOD_FOR))
    conditions = add(assertion, "Conditions", NotBefore=_text(now - GOOD_FOR), NotOnOrAfter=_text(now + GOOD_FOR))
    add(add(conditions, "AudienceRestriction"), "Audience", PORTAL)
    add(assertion, "AuthnStatement", AuthnInstant=_text(now))
    signer = XMLSigner(c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0)
    signed = signer.sign(
        assertion, key=store.setting("saml_key"), cert=store.setting("saml_cert"), reference_uri=assertion.get("ID"),
        id_attribute="ID",
    )  # fmt: skip
    response = etree.Element(f"{{{PROTOCOL}}}Response", {
        "ID": f"_{secrets.token_hex(16)}", "Version": "2.0", "IssueInstant": _text(now), "Destination": back,
        "InResponseTo": request_id,
    }, nsmap={"samlp": PROTOCOL, "saml": ASSERTION})  # fmt: skip
    add(response, "Issuer", PROVIDER)
    status = etree.SubElement(response, f"{{{PROTOCOL}}}Status")
    etree.SubElement(status, f"{{{PROTOCOL}}}StatusCode", Value=SUCCESS)
    response.append(signed)
    return base64.b64encode(etree.tostring(response)).decode()


def check(store: Store, text: str, *, back: str) -> tuple[str, str]:
    """
    Return who an answer proves to be signed in, and the request that it answers.

    :raises NotProven: it is not signed by the provider, too old, or for somebody else
    """
    try:
        response = etree.fromstring(base64.b64decode(text), _PARSER)
        verified = XMLVerifier().verify(response, x509_cert=store.setting("saml_cert"), id_attribute="ID")
    except (ValueError, etree.XMLSyntaxError, InvalidInput, InvalidSignature):
        raise NotProven("no signed answer") from None
    signed = (verified[0] if isinstance(verified, list) else verified).signed_xml
    if signed is None or signed.tag != f"{{{ASSERTION}}}Assertion":
        raise NotProven("something else is signed")

    def one(path: str, attribute: str = "") -> str:
        found = signed.find(path, NAMES)
        if found is None:
            raise NotProven(f"no {path}")
        return str(found.get(attribute, "") if attribute else found.text or "")

    now = _text(datetime.now(UTC))
    data = "a:Subject/a:SubjectConfirmation/a:SubjectConfirmationData"
    proven = (
        one("a:Issuer") == PROVIDER
        and one("a:Conditions/a:AudienceRestriction/a:Audience") == PORTAL
        and one("a:Conditions", "NotBefore") <= now < one("a:Conditions", "NotOnOrAfter")
        and now < one(data, "NotOnOrAfter")
        and one(data, "Recipient") == back
    )
    if not proven:
        raise NotProven("not for this portal, or not now")
    return one("a:Subject/a:NameID"), one(data, "InResponseTo")
