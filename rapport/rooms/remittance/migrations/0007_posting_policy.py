"""What posts itself is the practice's to say; a service keeps its modifiers, units and our line."""

import django.contrib.postgres.fields
import django.db.models.deletion
import rapport.kernel.ids
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

# For programs of the release before, which do not name the columns.
DEFAULTS = """
ALTER TABLE remittance_remittanceline ALTER COLUMN claim_line SET DEFAULT 0,
    ALTER COLUMN modifiers SET DEFAULT '{}', ALTER COLUMN units SET DEFAULT 1;
INSERT INTO audit_kind (kind, table_name) VALUES ('posting_policy', 'remittance_postingpolicy');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('remittance', '0006_source'),
        ('tenancy', '0005_seen_at'),
        ('audit', '0002_wall'),
    ]

    operations = [
        migrations.AddField(
            model_name='remittanceline',
            name='claim_line',
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name='remittanceline',
            name='modifiers',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), default=list, size=None),
        ),
        migrations.AddField(
            model_name='remittanceline',
            name='units',
            field=models.DecimalField(decimal_places=3, default=1, max_digits=12),
        ),
        migrations.CreateModel(
            name='PostingPolicy',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('version', models.IntegerField(default=1)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('automatic', models.BooleanField(default=True)),
                ('least_confidence', models.CharField(default='strong', max_length=6)),
                ('denials', models.BooleanField(default=True)),
                ('takebacks', models.BooleanField(default=True)),
                ('provider_adjustments', models.BooleanField(default=True)),
                ('unmatched_to_clearing', models.BooleanField(default=False)),
                ('most_cents', models.BigIntegerField(null=True)),
                ('appeal_days', models.IntegerField(default=90)),
                ('overrides', models.JSONField(default=dict)),
                ('practice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('practice',), name='posting_policy_once'), models.CheckConstraint(condition=models.Q(('least_confidence__in', ['weak', 'strong', 'exact'])), name='posting_policy_confidence_known')],
            },
        ),
        SecurePracticeTable("PostingPolicy"),
        migrations.RunSQL(DEFAULTS, migrations.RunSQL.noop),
    ]
