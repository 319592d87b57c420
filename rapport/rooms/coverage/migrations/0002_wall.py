"""Coverage behind the wall; one policy per rank and day; and whose payer a rate may name."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

RULES = """
ALTER TABLE coverage_policy ADD CONSTRAINT policy_one_per_rank EXCLUDE USING gist (
    practice_id WITH =, patient_id WITH =, rank WITH =,
    daterange(starts_on, ends_on, '[]') WITH &&);

ALTER TABLE coding_rate ADD CONSTRAINT coding_rate_payer_id_fk
    FOREIGN KEY (practice_id, payer_id) REFERENCES coverage_payer (practice_id, id);

INSERT INTO audit_kind (kind, table_name) VALUES
    ('payer', 'coverage_payer'), ('insurance_policy', 'coverage_policy');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("coverage", "0001_initial"),
        ("coding", "0002_wall"),
        ("roster", "0002_wall"),
        ("tenancy", "0001_initial"),
        ("audit", "0002_wall"),
    ]
    operations = [
        SecurePracticeTable("Payer"),
        SecurePracticeTable("PayerExternalId"),
        SecurePracticeTable("Policy", patient_column="patient_id"),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
    ]
