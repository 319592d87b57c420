"""A try at another practice's file is told to that practice's trail, as for every kind that an address names."""

from django.db import migrations

KIND = "INSERT INTO audit_kind (kind, table_name) VALUES ('artefact', 'exchange_artefact')"


class Migration(migrations.Migration):
    dependencies = [("exchange", "0006_seen_at"), ("audit", "0002_wall")]
    operations = [migrations.RunSQL(KIND, migrations.RunSQL.noop)]
