"""Accounting behind the wall: what was given out is frozen, and numbered without a gap."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

# Run as the owner: a caller who sees some patients only must not take a number that others have.
NUMBERS = """
CREATE FUNCTION rapport_next_paper_number() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    home uuid := current_setting('rapport.practice_id')::uuid;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('paper-numbers:' || home, 0));
    RETURN (SELECT coalesce(max(number), 0) + 1 FROM accounting_paper WHERE practice_id = home);
END $$;

CREATE FUNCTION rapport_paper_has_the_next_number() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('paper-numbers:' || NEW.practice_id, 0));
    IF NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM accounting_paper
                      WHERE practice_id = NEW.practice_id) THEN
        RAISE EXCEPTION 'invoices are numbered without a gap'
            USING ERRCODE = '23514', CONSTRAINT = 'paper_number_next', TABLE = 'accounting_paper';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER accounting_paper_number BEFORE INSERT ON accounting_paper
    FOR EACH ROW WHEN (NEW.number IS NOT NULL) EXECUTE FUNCTION rapport_paper_has_the_next_number();

-- Which practices a worker has to look at; read before a practice is known.
CREATE FUNCTION rapport_book_practices() RETURNS TABLE (practice_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER AS
$$ SELECT l.practice_id FROM accounting_booklink l WHERE l.sealed IS NOT NULL $$;

INSERT INTO audit_kind (kind, table_name) VALUES
    ('invoice', 'accounting_paper'), ('statement', 'accounting_paper'), ('superbill', 'accounting_paper'),
    ('pay_rule', 'accounting_payrule'), ('pay_report', 'accounting_payreport'),
    ('book_link', 'accounting_booklink'), ('book_entry', 'accounting_bookentry');
"""


class Migration(migrations.Migration):
    dependencies = [("accounting", "0001_initial"), ("audit", "0002_wall"), ("roster", "0002_wall")]
    operations = [
        SecurePracticeTable("Paper", patient_column="patient_id", append_only=True),
        SecurePracticeTable("PayRule", append_only=True),
        SecurePracticeTable("PayReport", append_only=True),
        SecurePracticeTable("BookLink"),
        SecurePracticeTable("BookEntry"),
        migrations.RunSQL(NUMBERS, migrations.RunSQL.noop),
    ]
