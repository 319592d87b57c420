"""How a transaction gets its scope, and how it is run again when PostgreSQL asks for that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from rapport.platform.access.scope import Scope


def set_scope(scope: Scope) -> None:
    """Give the present transaction the practice and caseload of a scope."""
    caseload = "*"
    if scope.caseload is not None:
        caseload = ",".join(str(clinician) for clinician in sorted(scope.caseload))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('rapport.practice_id', %s, true),"
            " set_config('rapport.caseload', %s, true)",
            [str(scope.practice_id), caseload],
        )


@contextmanager
def entered(scope: Scope) -> Iterator[Scope]:
    """
    Run a transaction in a scope. Jobs, commands and tests enter here; requests by the edge.

    The settings are local to the transaction: when it ends nothing is left on the connection.
    """
    with transaction.atomic():
        set_scope(scope)
        yield scope
