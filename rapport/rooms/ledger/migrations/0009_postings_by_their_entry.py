"""
A posting's entry and patient are held by the triggers that look at every posting anyway, and no longer by foreign keys too.

`ledger_posting_not_added` refuses a posting without its entry, in the statement that adds it; `ledger_entry_balances` refuses an
entry whose postings are not of its own patient, whose row a foreign key of the entry holds; entries are never changed or removed.
The two keys were a fifth of what the database does to post a large remittance.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ledger", "0008_balance_in_one_look")]
    operations = [
        migrations.RunSQL(
            """
            ALTER TABLE ledger_posting DROP CONSTRAINT ledger_posting_entry_id_fk;
            ALTER TABLE ledger_posting DROP CONSTRAINT ledger_posting_patient_id_fk;
            """,
            migrations.RunSQL.noop,
        )
    ]
