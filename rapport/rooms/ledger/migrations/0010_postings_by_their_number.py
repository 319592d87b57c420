"""
That nothing is added to an entry is seen by the posting's number, instead of counting the entry's postings.

A posting's number is one of 1 to what its entry says it has, and no two have the same (`posting_line_once`): so there is
no room for one more. Half of what the trigger did for a large remittance was the counting.
"""

from django.db import migrations

BY_NUMBER = """
CREATE OR REPLACE FUNCTION rapport_entry_not_added_to() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM added a
        LEFT JOIN ledger_entry e ON e.practice_id = a.practice_id AND e.id = a.entry_id
        WHERE (a.line BETWEEN 1 AND e.lines) IS NOT TRUE) THEN
        RAISE EXCEPTION 'ledger entry is not balanced'
            USING ERRCODE = '23514', CONSTRAINT = 'entry_balances', TABLE = 'ledger_entry';
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0009_postings_by_their_entry")]
    operations = [migrations.RunSQL(BY_NUMBER, migrations.RunSQL.noop)]
