"""Payers and policies may be the mirror of another system's; and who sends a payer its claims."""

from django.db import migrations, models

# For programs of the release before, which do not name the columns.
DEFAULT = """
ALTER TABLE coverage_payer ALTER COLUMN source_system SET DEFAULT 'rapport';
ALTER TABLE coverage_payer ALTER COLUMN submitter SET DEFAULT '';
ALTER TABLE coverage_policy ALTER COLUMN source_system SET DEFAULT 'rapport';
"""


def _source(model: str) -> list[migrations.AddField]:
    return [
        migrations.AddField(model, "source_as_of", models.DateTimeField(null=True)),
        migrations.AddField(model, "source_remote_id", models.CharField(max_length=200, null=True)),
        migrations.AddField(model, "source_system", models.CharField(default="rapport", max_length=60)),
    ]


def _once(name: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(
        fields=["practice", "source_system", "source_remote_id"],
        condition=models.Q(source_remote_id__isnull=False), name=name,
    )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("coverage", "0004_practice_unbound"), ("tenancy", "0004_system")]
    operations = [
        *_source("payer"),
        *_source("policy"),
        migrations.AddField(
            "payer", "submitter",
            models.CharField(
                blank=True, default="", max_length=7,
                choices=[("rapport", "rapport"), ("portal", "portal")],
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            "policy", "relationship",
            models.CharField(
                blank=True, max_length=6,
                choices=[("self", "self"), ("spouse", "spouse"), ("child", "child"), ("other", "other")],
            ),
        ),
        migrations.AddConstraint("payer", _once("payer_source_once")),
        migrations.AddConstraint(
            "payer",
            models.CheckConstraint(
                name="payer_submitter_known",
                condition=models.Q(submitter__in=["", "rapport", "portal"]),
            ),
        ),
        migrations.AddConstraint("policy", _once("policy_source_once")),
        migrations.RemoveConstraint("policy", "policy_subscriber_unless_self"),
        migrations.AddConstraint(
            "policy",
            models.CheckConstraint(
                name="policy_subscriber_unless_self",
                condition=models.Q(relationship="self", subscriber__isnull=True)
                | models.Q(relationship="", source_remote_id__isnull=False)
                | (~models.Q(relationship__in=["self", ""]) & models.Q(subscriber__isnull=False)),
            ),
        ),
        migrations.RunSQL(DEFAULT, migrations.RunSQL.noop),
    ]
