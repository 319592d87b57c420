"""What can be done to a practice."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.apps import apps

from rapport.kernel.ids import new_uuid
from rapport.kernel.problems import StateConflict
from rapport.platform.access.permissions import Permission
from rapport.platform.access.scope import Scope, system_scope
from rapport.platform.db.session import entered

from .models import Practice, SourcedRecord
from .source import System


def create_practice(
    *, name: str, time_zone: str, now: datetime, livemode: bool = False, **details: str
) -> Practice:
    """
    Found a practice. Done by the installation's operator, not over the API.

    :param details: `npi`, `tax_id`, `address_line1` … as on the model
    :raises zoneinfo.ZoneInfoNotFoundError: the zone is not an IANA name
    """
    id = new_uuid()
    scope = system_scope(practice_id=id, actor_id=id, time_zone=ZoneInfo(time_zone))
    with entered(scope):
        return Practice.objects.create(
            id=id,
            name=name,
            time_zone=time_zone,
            livemode=livemode,
            created_at=now,
            updated_at=now,
            **details,
        )


def connect(*, scope: Scope, now: datetime) -> Practice:
    """Make another system the truth of this practice: the tables here mirror it from now on."""
    return _become(scope, System.CONNECTED, now)


def disconnect(*, scope: Scope, now: datetime) -> Practice:
    """
    Make the practice's tables here its own truth.

    :raises StateConflict: something of another system is mirrored here
    """
    for model in apps.get_models():
        if issubclass(model, SourcedRecord):
            rows = model.objects.visible_to(scope)
            if rows.filter(source_remote_id__isnull=False).exists():
                raise StateConflict("Records of another system are mirrored here.")
    return _become(scope, System.NATIVE, now)


def _become(scope: Scope, system: System, now: datetime) -> Practice:
    scope.require(Permission.PRACTICE_WRITE)
    practice = Practice.objects.select_for_update().get(id=scope.practice_id)
    if practice.system != system.value:
        practice.system = system.value
        practice.version += 1
        practice.updated_at = now
        practice.save(update_fields=["system", "version", "updated_at"])
        scope.trail.changed = ["system"]
    scope.trail.target("practice", practice.id, practice.version)
    return practice
