"""Payers that are billed by invoice, beside those that are asked by claims."""

from django.db import migrations, models


# For programs of the release before, which do not name the columns.
DEFAULTS = """
ALTER TABLE coverage_payer ALTER COLUMN kind SET DEFAULT 'insurance',
    ALTER COLUMN invoice_name SET DEFAULT 'reference', ALTER COLUMN invoice_detail SET DEFAULT 'sessions',
    ALTER COLUMN remainder SET DEFAULT 'open';
"""


class Migration(migrations.Migration):

    dependencies = [
        ('coverage', '0010_contracts'),
        ('tenancy', '0006_sends_to_next_payer'),
    ]

    operations = [
        migrations.AddField(
            model_name='payer',
            name='invoice_detail',
            field=models.CharField(choices=[('sessions', 'sessions'), ('services', 'services'), ('diagnoses', 'diagnoses')], default='sessions', max_length=9),
        ),
        migrations.AddField(
            model_name='payer',
            name='invoice_name',
            field=models.CharField(choices=[('reference', 'reference'), ('initials', 'initials'), ('name', 'name')], default='reference', max_length=9),
        ),
        migrations.AddField(
            model_name='payer',
            name='kind',
            field=models.CharField(choices=[('insurance', 'insurance'), ('eap', 'eap'), ('employer', 'employer'), ('school', 'school'), ('court', 'court'), ('grant', 'grant')], default='insurance', max_length=9),
        ),
        migrations.AddField(
            model_name='payer',
            name='remainder',
            field=models.CharField(choices=[('open', 'open'), ('patient', 'patient'), ('write_off', 'write_off')], default='open', max_length=9),
        ),
        migrations.AddConstraint(
            model_name='payer',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['insurance', 'eap', 'employer', 'school', 'court', 'grant'])), name='payer_kind_known'),
        ),
        migrations.RunSQL(DEFAULTS, migrations.RunSQL.noop),
    ]
