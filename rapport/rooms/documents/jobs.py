"""What documents does by itself."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from rapport.platform.jobs import registry as jobs

from . import services


@jobs.periodic("documents.sweep_orphans", seconds=3600)
def sweep_orphans() -> None:
    """Delete files whose transaction never came to an end."""
    with transaction.atomic():
        services.sweep_orphans(now=timezone.now())
