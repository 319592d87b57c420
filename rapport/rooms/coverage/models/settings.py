"""What a practice wants of coverage."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from rapport.platform.tenancy.models import VersionedRecord


class CoverageSettings(VersionedRecord):
    """One row for each practice that changed something; without one the defaults hold."""

    check_days_before = models.IntegerField(default=0)
    """How many days before a visit its payer is asked; 0: payers are not asked by themselves."""
    check_again_days = models.IntegerField(default=7)
    """A policy whose payer was asked within so many days is not asked about by itself."""
    estimate_warning_cents = models.BigIntegerField(default=30_000)
    """From how many cents above a good-faith estimate on the practice is warned."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practice"], name="coverage_settings_once"),
            models.CheckConstraint(
                name="coverage_settings_in_range",
                condition=Q(
                    check_days_before__gte=0, check_days_before__lte=14, check_again_days__gte=1,
                    check_again_days__lte=365, estimate_warning_cents__gte=0,
                    estimate_warning_cents__lte=40_000,
                ),
            ),
        ]  # fmt: skip
