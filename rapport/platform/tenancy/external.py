"""What other systems call an object: kept beside it, one object of a kind per system and id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction

from rapport.kernel.problems import Conflict
from rapport.platform.access.scope import Scope
from rapport.platform.db.errors import sqlstate

from .models import PracticeRecord


class ExternalIdTaken(Conflict):
    code = "external-id-taken"
    title = "Another object of this kind already has that external id."


def keep(table: Any, *, scope: Scope, pairs: Sequence[Any], **owner: PracticeRecord) -> None:
    """
    Give an object these external ids and no others.

    :param table: the model of its ids
    :param pairs: each with `system` and `value`
    :param owner: the object, under the name it has there: `payer=payer`
    :raises ExternalIdTaken: another object of its kind has one of them
    """
    try:
        with transaction.atomic():
            table.objects.visible_to(scope).filter(**owner).delete()
            table.objects.bulk_create(
                table(practice_id=scope.practice_id, system=pair.system, value=pair.value, **owner) for pair in pairs
            )
    except IntegrityError as error:
        if sqlstate(error) == "23505":
            raise ExternalIdTaken("Look the object up by that external id.") from error
        raise
