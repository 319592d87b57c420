"""
An entry is added up once, when it is committed, and no longer once more for each of its postings.

A remittance of 10,000 claims books some 200,000 postings: adding the entry up anew for each took longer
than everything else. That nothing is added to an entry later is seen at the insert instead: an entry
says how many postings it has, and more than that are refused at once.
"""

from django.db import migrations

NOT_TOO_MANY = """
DROP TRIGGER ledger_posting_balances ON ledger_posting;

CREATE FUNCTION rapport_entry_not_added_to() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM (SELECT DISTINCT practice_id, entry_id FROM added) a
        LEFT JOIN ledger_entry e ON e.practice_id = a.practice_id AND e.id = a.entry_id
        WHERE (SELECT count(*) FROM ledger_posting p
               WHERE p.practice_id = a.practice_id AND p.entry_id = a.entry_id) > coalesce(e.lines, 0)) THEN
        RAISE EXCEPTION 'ledger entry is not balanced'
            USING ERRCODE = '23514', CONSTRAINT = 'entry_balances', TABLE = 'ledger_entry';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_posting_not_added AFTER INSERT ON ledger_posting
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION rapport_entry_not_added_to();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_source")]
    operations = [migrations.RunSQL(NOT_TOO_MANY, migrations.RunSQL.noop)]
