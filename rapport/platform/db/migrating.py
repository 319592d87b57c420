"""
Bring the database to this version, without drawing every model anew at every step.

After each operation Django makes the historical classes again of all models that are related to the one that changed.
Here every model is related to every other by way of the practice: 600 times a hundred classes, more than a minute,
paid by each installation and each process of the tests. This makes the changed model's class alone, unless a relation
or what others refer to changes; before Python code of a migration runs, Django makes them all again by itself.
What comes out is the same schema, column by column: `tests/test_migrations.py`.

For: `rapport setup`, `rapport migrate`, and the stage of the tests. Touches: the owner's database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.db.migrations.state import ProjectState


def migrate() -> None:
    """Apply what is not applied yet, as the owner."""
    with _alone():
        call_command("migrate", database="owner", verbosity=0)


@contextmanager
def _alone() -> Iterator[None]:
    # Django makes the state itself and has no place to hand in another kind of it, so its method is replaced: that is
    # what mypy is told to let pass, and what tests/test_migrations.py watches (decision 0041).
    usual = ProjectState.reload_model
    ProjectState.reload_model = _reload  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        ProjectState.reload_model = usual  # type: ignore[method-assign]


def _reload(state: Any, app_label: str, model_name: str, delay: bool = False) -> None:
    """
    Make a changed model's class again: alone, or with all others.

    :param delay: Django's word for a change that no other model can see
    """
    if "apps" not in state.__dict__:
        return
    key = (app_label, model_name)
    if not delay and not _only_grew(state, key):
        del state.__dict__["apps"]  # made again, whole, when it is next asked for
        return
    state.is_delayed = True
    state._reload({key})


def _only_grew(state: Any, key: tuple[str, str]) -> bool:
    """Tell whether a model is new, or has new fields and is else as it was: nothing refers to what is new."""
    try:
        before = {field.name: field for field in state.apps.get_model(*key)._meta.local_fields}
    except LookupError:
        return True
    return before.keys() < set(state.models[key].fields)
