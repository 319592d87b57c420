"""Reasons of write-offs as words; books that are closed up to a day, which the database keeps."""

import django.db.models.deletion
from django.db import migrations, models

import rapport.kernel.ids
from rapport.platform.db.secure import SecurePracticeTable

KINDS = (
    "charge insurance_payment contractual_adjustment transfer_to_patient patient_payment credit_applied"
    " credit_released write_off refund payer_level reversal"
).split()

# The default is for programs of the release before, which do not name the column.
# Once per statement, not per row: a remittance posts thousands. Runs as the owner, so that a
# caseload hides no closing. Who posts shares the lock that who closes holds alone.
CLOSED = """
ALTER TABLE ledger_entry ALTER COLUMN reason_code SET DEFAULT '';

CREATE FUNCTION rapport_books_are_closed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    one uuid;
    closed date;
BEGIN
    FOR one IN SELECT DISTINCT practice_id FROM added LOOP
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('ledger-books:' || one, 0));
        SELECT c.through_on INTO closed FROM ledger_bookclosing c
            WHERE c.practice_id = one ORDER BY c.number DESC LIMIT 1;
        IF EXISTS (SELECT 1 FROM added a WHERE a.practice_id = one AND a.effective_on <= closed) THEN
            RAISE EXCEPTION 'the books of that day are closed'
                USING ERRCODE = '23514', CONSTRAINT = 'books_are_closed', TABLE = 'ledger_entry';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_entry_books AFTER INSERT ON ledger_entry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION rapport_books_are_closed();

INSERT INTO audit_kind (kind, table_name) VALUES ('book_closing', 'ledger_bookclosing');
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_balance_once"), ("tenancy", "0005_seen_at"), ("audit", "0002_wall")]
    operations = [
        migrations.AddField(
            "entry", "reason_code", models.CharField(blank=True, default="", max_length=40)
        ),
        migrations.AlterField(
            "entry", "kind", models.CharField(choices=[(kind, kind) for kind in KINDS], max_length=24)
        ),
        migrations.CreateModel(
            name="BookClosing",
            fields=[
                ("id", models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ("number", models.IntegerField()),
                ("through_on", models.DateField(null=True)),
                ("reopens", models.BooleanField()),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("actor_type", models.CharField(max_length=10)),
                ("actor_id", models.UUIDField()),
                ("created_at", models.DateTimeField()),
                ("practice", models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="tenancy.practice")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("practice", "number"), name="book_closing_in_order")
                ],
            },
        ),
        SecurePracticeTable("BookClosing", append_only=True),
        migrations.RunSQL(CLOSED, migrations.RunSQL.noop),
    ]
