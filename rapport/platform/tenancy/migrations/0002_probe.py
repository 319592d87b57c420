"""The row that `/readyz` writes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "CREATE TABLE tenancy_probe (id integer PRIMARY KEY, at timestamptz NOT NULL)",
            "DROP TABLE tenancy_probe",
        )
    ]
