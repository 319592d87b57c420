"""Remittances behind the wall."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

KINDS = """
INSERT INTO audit_kind (kind, table_name) VALUES
    ('era_file', 'remittance_erafile'), ('remittance', 'remittance_remittance');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("remittance", "0001_initial"),
        ("tenancy", "0001_initial"),
        ("audit", "0002_wall"),
        ("claims", "0002_wall"),
        ("ledger", "0002_wall"),
    ]
    operations = [
        SecurePracticeTable("EraFile"),
        SecurePracticeTable("Remittance"),
        SecurePracticeTable("RemittanceLine", patient_column="patient_id"),
        migrations.RunSQL(KINDS, migrations.RunSQL.noop),
    ]
