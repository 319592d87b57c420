"""Codes of a practice behind its wall; the common list readable by all and written by the owner."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

COMMON = """
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON coding_diagnosiscode, coding_diagnosislist FROM rapport_app;
CREATE INDEX diagnosis_by_word ON coding_diagnosiscode USING gin (to_tsvector('simple', title));
CREATE INDEX diagnosis_by_beginning ON coding_diagnosiscode (code text_pattern_ops);

INSERT INTO audit_kind (kind, table_name) VALUES ('service_code', 'coding_servicecode');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("coding", "0001_initial"),
        ("tenancy", "0001_initial"),
        ("audit", "0002_wall"),
        ("roster", "0002_wall"),
    ]
    operations = [
        SecurePracticeTable("ServiceCode"),
        SecurePracticeTable("ServiceCodeExternalId"),
        SecurePracticeTable("Rate"),
        migrations.RunSQL(COMMON, migrations.RunSQL.noop),
    ]
