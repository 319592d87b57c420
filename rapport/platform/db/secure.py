"""
Migration operations that put the practice's wall into the database.

Every table of a practice gets: a primary key that starts with `practice_id`, foreign keys on
(practice_id, column), row-level security that is forced, and a policy for the application role.
Without a scope in the transaction the policy's `current_setting` fails: closed by default.
"""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation

from .local import APP

PRACTICE = "current_setting('rapport.practice_id')::uuid"


class SecurePracticeTable(Operation):
    """Turn a fresh table into one that obeys the practice's wall. Irreversible."""

    reduces_to_sql = True
    reversible = False

    def __init__(
        self,
        model_name: str,
        *,
        patient_column: str | None = None,
        append_only: bool = False,
        home_column: str = "practice_id",
    ) -> None:
        """
        :param patient_column: column with the patient the row is about; rows of patients outside
            the actor's caseload are then invisible
        :param append_only: no UPDATE, DELETE or TRUNCATE for anybody but a superuser
        """
        self.model_name = model_name
        self.patient_column = patient_column
        self.append_only = append_only
        self.home_column = home_column

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing changes in Django's view of the model."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        table = model._meta.db_table
        statements: list[str] = []
        if self.home_column == "practice_id":
            statements.append(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")
            statements.append(f"ALTER TABLE {table} ADD PRIMARY KEY (practice_id, id)")
            for field in model._meta.local_fields:
                if type(field).__name__ == "PracticeForeignKey":
                    statements.append(
                        f"ALTER TABLE {table} ADD CONSTRAINT {table}_{field.column}_fk "
                        f"FOREIGN KEY (practice_id, {field.column}) "
                        f"REFERENCES {field.related_model._meta.db_table} (practice_id, id) "
                        "DEFERRABLE INITIALLY IMMEDIATE"
                    )
        statements += wall(table, home_column=self.home_column, patient_column=self.patient_column)
        if self.append_only:
            statements += append_only(table)
        for statement in statements:
            schema_editor.execute(statement)

    def describe(self) -> str:
        return f"Put {self.model_name} behind the practice's wall"


def wall(table: str, *, home_column: str = "practice_id", patient_column: str | None = None) -> list[str]:
    """Return the SQL that forces row-level security on a table."""
    mine = f"{home_column} = {PRACTICE}"
    statements = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY practice_wall ON {table} TO {APP} USING ({mine}) WITH CHECK ({mine})",
        # The owner migrates, and runs the few SECURITY DEFINER functions (sign-in, search).
        f"CREATE POLICY owner_passes ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)",
    ]
    if patient_column:
        # Asked once per statement, not once per row: a caseload is small beside a practice.
        seen = (
            "current_setting('rapport.caseload') = '*' OR "
            f"{patient_column} IN (SELECT rapport_caseload())"
        )
        statements += [
            f"CREATE POLICY caseload_{verb.lower()} ON {table} AS RESTRICTIVE FOR {verb} TO {APP} "
            f"USING ({seen})"
            for verb in ("SELECT", "UPDATE", "DELETE")
        ]
    return statements


def append_only(table: str) -> list[str]:
    """Return the SQL that lets rows be added to a table and never changed or removed."""
    return [
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {APP}",
        f"CREATE TRIGGER {table}_grows_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION rapport_refuse_change()",
        f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION rapport_refuse_change()",
    ]
