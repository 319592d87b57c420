"""The practice's account at its card processor. Its secrets are sealed, and never returned."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport.kernel.problems import FieldError, Invalid
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope
from rapport.platform.api import etags
from rapport.platform.crypto import aead
from rapport.platform.net.addresses import UrlNotAllowed, check_url
from rapport.rooms.payments import queries
from rapport.rooms.payments.models import Processor

from .problems import ProcessorExists


def _seal(row: Processor, column: str, secret: str) -> bytes:
    return aead.seal(secret.encode(), aad=queries.place_of(row, column=column), purpose="field")


def _check_address(scope: Scope, settings: Any) -> None:
    """Refuse an address that leads inside. Practices without real patients may use loopback."""
    if settings.base_url is None:
        return
    try:
        check_url(settings.base_url, local=not scope.livemode)
    except UrlNotAllowed as error:
        raise Invalid(
            "1 field is not valid.",
            errors=(FieldError("/settings/base_url", "url-not-allowed", str(error)),),
            reason="ssrf",
        ) from error


def _alone(scope: Scope, row: Processor | None) -> None:
    """Refuse a second active account: a card must not be charged in one and refunded in another."""
    other = queries.active_processor(scope=scope)
    if other is not None and (row is None or other.id != row.id):
        raise ProcessorExists()


def create_processor(*, scope: Scope, body: Any, now: datetime) -> Processor:
    """Add an account. :param body: `schemas.ProcessorIn` :raises ProcessorExists: one is active"""
    scope.require(Permission.PRACTICE_WRITE)
    _check_address(scope, body.settings)
    _alone(scope, None)
    row = Processor(
        practice_id=scope.practice_id, kind=body.kind,
        settings=body.settings.model_dump(exclude_none=True), created_at=now, updated_at=now,
    )  # fmt: skip
    row.secret_sealed = _seal(row, "secret_sealed", body.secret_key)
    if body.notice_secret:
        row.notice_secret_sealed = _seal(row, "notice_secret_sealed", body.notice_secret)
    row.save(force_insert=True)
    scope.trail.target("card_processor", row.id, row.version)
    return row


def change_processor(
    *, scope: Scope, processor_id: UUID, if_match: str, given: Mapping[str, Any], now: datetime
) -> Processor:
    """Change an account's settings or secrets, or switch it off. What is under way is still settled."""
    scope.require(Permission.PRACTICE_WRITE)
    row = queries.get_processor(scope=scope, processor_id=processor_id, lock=True)
    etags.check(row, if_match)
    if given.get("settings"):
        _check_address(scope, given["settings"])
        row.settings = given["settings"].model_dump(exclude_none=True)
    if given.get("secret_key"):
        row.secret_sealed = _seal(row, "secret_sealed", given["secret_key"])
    if given.get("notice_secret"):
        row.notice_secret_sealed = _seal(row, "notice_secret_sealed", given["notice_secret"])
    if given.get("active") is not None:
        if given["active"]:
            _alone(scope, row)
        row.active = given["active"]
    row.version += 1
    row.updated_at = now
    row.save()
    scope.trail.changed = sorted(given)
    scope.trail.target("card_processor", row.id, row.version)
    return row
