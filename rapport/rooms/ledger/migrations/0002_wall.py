"""The ledger behind the wall: grows only, and every entry adds up to zero when it is committed."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

# Runs as the owner: a caller who sees some patients only must not make sums look balanced.
BALANCED = """
CREATE FUNCTION rapport_entry_must_balance() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    entry uuid := CASE WHEN TG_TABLE_NAME = 'ledger_entry' THEN NEW.id
                       ELSE (to_jsonb(NEW) ->> 'entry_id')::uuid END;
    expected int;
    found int;
    astray boolean;
BEGIN
    SELECT e.lines INTO expected FROM ledger_entry e
        WHERE e.practice_id = NEW.practice_id AND e.id = entry;
    SELECT count(*) INTO found FROM ledger_posting p
        WHERE p.practice_id = NEW.practice_id AND p.entry_id = entry;
    SELECT EXISTS (
        SELECT 1 FROM ledger_posting p JOIN ledger_entry e
            ON e.practice_id = p.practice_id AND e.id = p.entry_id
        WHERE p.practice_id = NEW.practice_id AND p.entry_id = entry
        GROUP BY p.patient_id HAVING sum(p.cents) <> 0
            OR bool_or(p.patient_id IS DISTINCT FROM e.patient_id)
            OR bool_or(p.effective_on <> e.effective_on)) INTO astray;
    IF found < 2 OR found <> expected OR astray THEN
        RAISE EXCEPTION 'ledger entry is not balanced'
            USING ERRCODE = '23514', CONSTRAINT = 'entry_balances', TABLE = 'ledger_entry';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON ledger_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION rapport_entry_must_balance();
CREATE CONSTRAINT TRIGGER ledger_posting_balances AFTER INSERT ON ledger_posting
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION rapport_entry_must_balance();

INSERT INTO audit_kind (kind, table_name) VALUES
    ('ledger_entry', 'ledger_entry'), ('payment', 'ledger_payment');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0001_initial"),
        ("tenancy", "0001_initial"),
        ("audit", "0002_wall"),
        ("roster", "0002_wall"),
    ]
    operations = [
        SecurePracticeTable("Entry", patient_column="patient_id", append_only=True),
        SecurePracticeTable("Posting", patient_column="patient_id", append_only=True),
        SecurePracticeTable("Payment", patient_column="patient_id", append_only=True),
        migrations.RunSQL(BALANCED, migrations.RunSQL.noop),
    ]
