"""Tell the trail where sessions, memberships and keys live, so that probes for them are noted."""

from django.db import migrations

KINDS = """
INSERT INTO audit_kind (kind, table_name) VALUES
    ('session', 'identity_session'), ('membership', 'identity_membership'),
    ('api_key', 'identity_apikey');
"""


class Migration(migrations.Migration):
    dependencies = [("identity", "0003_factors"), ("identity", "0002_wall"), ("audit", "0002_wall")]
    operations = [migrations.RunSQL(KINDS, migrations.RunSQL.noop)]
