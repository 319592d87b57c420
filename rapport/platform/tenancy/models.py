"""Practices, and the base of every table that belongs to one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from django.db import models

from rapport.kernel.ids import new_uuid
from rapport.platform.access.scope import Scope
from rapport.platform.db import sql

from .source import HERE, SourceRef, System, as_of_sql

HOUSE_ID = uuid.UUID(int=0)
"""The installation's own trail: sign-in attempts that belong to no practice are audited there."""


class Record(models.Model):
    """A row with a public id, whose printed form is safe to log."""

    id = models.UUIDField(primary_key=True, default=new_uuid, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        # Printed forms end up in logs and error reports: the class and the id, never a name.
        return f"{type(self).__name__} {self.id}"


class Practice(Record):
    """A group that sees patients and bills under one agreement. The tenant."""

    name = models.CharField(max_length=200)
    """As patients and payers know it."""
    time_zone = models.CharField(max_length=64)
    """IANA name. A service date is a day in *this* zone, whatever zone the server is in."""
    livemode = models.BooleanField(default=False)
    """True for real patients. Demo and test practices are False and can never become True."""
    system = models.CharField(
        max_length=9, choices=[(s.value, s.value) for s in System], default=System.NATIVE.value
    )
    """Whose tables are the truth: its own here, or another system's that is mirrored here."""
    caseload_only = models.BooleanField(default=True)
    """Whether clinicians see only patients they are assigned to (or supervise)."""
    sends_to_next_payer = models.BooleanField(default=False)
    """A claim to a patient's further payer is made and sent by itself once the payer before has decided; else
    a person is asked first."""
    npi = models.CharField(max_length=10, blank=True)
    """The practice's own (type 2) National Provider Identifier: 837P loop 2010AA."""
    tax_id = models.CharField(max_length=9, blank=True)
    """Employer identification number, digits only: 837P 2010AA REF*EI."""
    taxonomy_code = models.CharField(max_length=10, blank=True)
    """NUCC provider taxonomy of the billing provider: 837P PRV*BI."""
    phone = models.CharField(max_length=20, blank=True)
    """Digits only."""
    address_line1 = models.CharField(max_length=55, blank=True)
    """Street address, never a PO box (837P 2010AA N3)."""
    address_line2 = models.CharField(max_length=55, blank=True)
    """Second address line."""
    city = models.CharField(max_length=30, blank=True)
    """City."""
    state_code = models.CharField(max_length=2, blank=True)
    """Two-letter USPS state code."""
    postal_code = models.CharField(max_length=10, blank=True)
    """ZIP+4, digits only: the claim needs all nine."""
    version = models.IntegerField(default=1)
    """Counts changes; half of the ETag."""
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()


class PracticeQuerySet(models.QuerySet[Any]):
    """Rows of a practice's table."""

    def visible_to(self, scope: Scope) -> Self:
        """Keep the rows of the actor's practice. The only door to a tenant table."""
        return self.filter(practice_id=scope.practice_id)


class PracticeForeignKey(models.ForeignKey):  # type: ignore[type-arg]
    """
    A reference inside one practice.

    The database's constraint is made by `SecurePracticeTable`, on (practice_id, column), so a
    row can never point into another practice; Django's own single-column one is left out.
    """

    def __init__(self, to: Any, **options: Any) -> None:
        options.setdefault("on_delete", models.DO_NOTHING)
        options.setdefault("related_name", "+")
        options["db_constraint"] = False
        options["db_index"] = False
        super().__init__(to, **options)


@PracticeForeignKey.register_lookup
@models.Field.register_lookup
class AnyOf(models.Lookup):
    """
    `filter(id__any_of=ids)`: as `__in`, with all values in one parameter.

    For thousands of values: as many placeholders are read by Django, by the driver and by the database.
    """

    lookup_name = "any_of"

    def get_prep_lookup(self) -> list[Any]:
        field = self.lhs.output_field
        return [field.get_prep_value(value) for value in self.rhs]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return `column = ANY(list)`. An empty list finds nothing."""
        column, parameters = self.process_lhs(compiler, connection)
        kind = self.lhs.output_field.db_type(connection).partition("(")[0]
        return f"{column} = ANY(%s::{kind}[])", [*parameters, self.rhs]


class PracticeRecord(Record):
    """A row that belongs to one practice, guarded by row-level security."""

    # No constraint of the database: its check would lock the practice's one row at each insert, for
    # every caller at once. The wall's policy lets in the rows of the practice that was entered, and
    # a practice is never removed (migration 0003).
    practice = models.ForeignKey(
        Practice, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )

    objects = PracticeQuerySet.as_manager()

    class Meta:
        abstract = True


class VersionedRecord(PracticeRecord):
    """A row that people edit: it counts its versions, for ETag and If-Match."""

    version = models.IntegerField(default=1)
    """Counts changes; half of the ETag, and the sequence of the object's events."""
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        abstract = True


class SourcedRecord(VersionedRecord):
    """
    A row that may be the mirror of one in another system.

    Each concrete table adds `once_per_source`, so that a record there is one row here.
    """

    source_system = models.CharField(max_length=60, default=HERE)
    """Which system says so: this one, or the definition of a portal."""
    source_remote_id = models.CharField(max_length=200, null=True)
    """Its id there; null: the row is not a mirror."""
    source_as_of = models.DateTimeField(null=True)
    """When that system was last seen to say so; null: whenever the row changed."""

    class Meta:
        abstract = True

    @property
    def mirrored(self) -> bool:
        """Whether another system is the truth of it."""
        return self.source_remote_id is not None

    def seen_as_of(self, kind: str) -> datetime | None:
        """Return the instant as of which the row is shown, as `as_of_sql` does in lists."""
        if not self.mirrored:
            return self.source_as_of
        row = sql.one(
            f"SELECT {as_of_sql('t', kind)} FROM {self._meta.db_table} t"  # noqa: S608 - constants
            " WHERE t.practice_id = %s AND t.id = %s",
            (self.practice_id, self.id),
        )
        found: datetime | None = row[0] if row else self.source_as_of
        return found

    def sourced(self, source: SourceRef) -> Self:
        """Mark a row that is not saved yet as the mirror of a record; return it."""
        self.source_system, self.source_remote_id = source.system, source.remote_id
        self.source_as_of = source.as_of
        return self

    def seen_again(self, source: SourceRef, *, scope: Scope) -> None:
        """Note that the source still says so: the row is as fresh as that, and not another version."""
        if self.source_as_of is None or self.source_as_of < source.as_of:
            self.source_as_of = source.as_of
            type(self).objects.visible_to(scope).filter(id=self.id).update(source_as_of=source.as_of)

    def bring_up(
        self, columns: Mapping[str, Any], *, source: SourceRef, scope: Scope, now: datetime
    ) -> list[str]:
        """Set what differs from the source, as another version, and save. Return the names of those columns."""
        differing = [name for name, value in columns.items() if getattr(self, name) != value]
        if not differing:
            self.seen_again(source, scope=scope)
            return []
        for name in differing:
            setattr(self, name, columns[name])
        self.version += 1
        self.updated_at, self.source_as_of = now, source.as_of
        self.save(update_fields=[*differing, "version", "updated_at", "source_as_of"])
        return differing

    @classmethod
    def of_source(cls, source: SourceRef, *, scope: Scope) -> Self | None:
        """
        Return the row that mirrors a record, held until the transaction ends, or None.

        Whoever else mirrors records of this kind waits: none is made twice, and locks that are
        taken after this one are never waited for in a ring.
        """
        sql.hold(f"{scope.practice_id}|{cls._meta.db_table}|mirror")
        found: Self | None = (
            cls.objects.visible_to(scope)
            .filter(source_system=source.system, source_remote_id=source.remote_id)
            .select_for_update()
            .first()
        )
        return found


def once_per_source(name: str) -> models.UniqueConstraint:
    """Return the constraint by which a record of another system is one row of a table."""
    return models.UniqueConstraint(
        fields=["practice", "source_system", "source_remote_id"],
        condition=models.Q(source_remote_id__isnull=False), name=name,
    )  # fmt: skip
