"""A claim may be the mirror of another system's, which does not say everything of it."""

import django.db.models.deletion
from django.db import migrations, models

import rapport.platform.tenancy.models

# For programs of the release before, which do not name the column.
DEFAULT = "ALTER TABLE claims_claim ALTER COLUMN source_system SET DEFAULT 'rapport';"


def _may_lack(name: str, to: str) -> migrations.AlterField:
    return migrations.AlterField(
        "claim", name,
        rapport.platform.tenancy.models.PracticeForeignKey(
            db_constraint=False, db_index=False, null=True,
            on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to=to,
        ),
    )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("claims", "0003_practice_unbound"),
        ("coverage", "0005_source"),
        ("roster", "0007_source"),
        ("tenancy", "0004_system"),
    ]
    operations = [
        migrations.AddField("claim", "source_as_of", models.DateTimeField(null=True)),
        migrations.AddField("claim", "source_remote_id", models.CharField(max_length=200, null=True)),
        migrations.AddField(
            "claim", "source_system", models.CharField(default="rapport", max_length=60)
        ),
        migrations.AddField("claim", "paid_cents", models.BigIntegerField(null=True)),
        migrations.AlterField("claim", "control_number", models.CharField(max_length=38)),
        _may_lack("clinician", "roster.clinician"),
        _may_lack("policy", "coverage.policy"),
        migrations.AlterField("claimline", "note_id", models.UUIDField(null=True)),
        migrations.AddConstraint(
            "claim",
            models.CheckConstraint(
                name="claim_here_is_whole",
                condition=models.Q(source_remote_id__isnull=False)
                | models.Q(clinician__isnull=False, policy__isnull=False),
            ),
        ),
        migrations.AddConstraint(
            "claim",
            models.UniqueConstraint(
                fields=["practice", "source_system", "source_remote_id"],
                condition=models.Q(source_remote_id__isnull=False), name="claim_source_once",
            ),
        ),
        migrations.RunSQL(DEFAULT, migrations.RunSQL.noop),
    ]
