"""
An entry is added up in one look instead of three.

All its postings are of its own patient and day, or it is refused; so their sum is the patient's sum. What the entry
says of itself is in the row that the trigger has: entries never change.
"""

from django.db import migrations

IN_ONE_LOOK = """
CREATE OR REPLACE FUNCTION rapport_entry_must_balance() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    found int;
    total numeric;
    own boolean;
BEGIN
    SELECT count(*), sum(p.cents),
        bool_and(p.effective_on = NEW.effective_on AND p.patient_id IS NOT DISTINCT FROM NEW.patient_id)
        INTO found, total, own
        FROM ledger_posting p WHERE p.practice_id = NEW.practice_id AND p.entry_id = NEW.id;
    IF found < 2 OR found <> NEW.lines OR total <> 0 OR NOT own THEN
        RAISE EXCEPTION 'ledger entry is not balanced'
            USING ERRCODE = '23514', CONSTRAINT = 'entry_balances', TABLE = 'ledger_entry';
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0007_cards")]
    operations = [migrations.RunSQL(IN_ONE_LOOK, migrations.RunSQL.noop)]
