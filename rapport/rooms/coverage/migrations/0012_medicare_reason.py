"""Why Medicare pays after another payer."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('coverage', '0011_payers_of_invoices'),
    ]

    operations = [
        migrations.AddField(
            model_name='policy',
            name='medicare_reason',
            field=models.CharField(blank=True, choices=[('working_aged', 'working_aged'), ('renal_disease', 'renal_disease'), ('no_fault', 'no_fault'), ('workers_compensation', 'workers_compensation'), ('federal_agency', 'federal_agency'), ('black_lung', 'black_lung'), ('veterans', 'veterans'), ('disabled', 'disabled'), ('other_liability', 'other_liability')], default='', max_length=20),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('medicare_reason__in', ['', 'working_aged', 'renal_disease', 'no_fault', 'workers_compensation', 'federal_agency', 'black_lung', 'veterans', 'disabled', 'other_liability'])), name='policy_medicare_reason_known'),
        ),
        # For programs of the release before, which do not name the column.
        migrations.RunSQL(
            "ALTER TABLE coverage_policy ALTER COLUMN medicare_reason SET DEFAULT ''", migrations.RunSQL.noop
        ),
    ]
