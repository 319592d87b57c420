"""Invoices to organisations, and what they paid on them."""

import django.db.models.deletion
import rapport.kernel.ids
import rapport.platform.tenancy.models
from django.db import migrations, models

from rapport.platform.db.secure import SecurePracticeTable

RULES = """
ALTER TABLE accounting_paper ADD CONSTRAINT accounting_paper_payer_id_fk
    FOREIGN KEY (practice_id, payer_id) REFERENCES coverage_payer (practice_id, id)
    DEFERRABLE INITIALLY IMMEDIATE;
INSERT INTO audit_kind (kind, table_name) VALUES ('payer_payment', 'accounting_payerpayment');
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounting', '0002_wall'),
        ('coverage', '0011_payers_of_invoices'),
        ('roster', '0007_source'),
        ('tenancy', '0006_sends_to_next_payer'),
    ]

    operations = [
        migrations.CreateModel(
            name='PayerPayment',
            fields=[
                ('id', models.UUIDField(default=rapport.kernel.ids.new_uuid, editable=False, primary_key=True, serialize=False)),
                ('cents', models.BigIntegerField()),
                ('method', models.CharField(choices=[('check', 'check'), ('ach', 'ach'), ('other', 'other')], max_length=5)),
                ('reference', models.CharField(blank=True, max_length=60)),
                ('received_on', models.DateField()),
                ('final', models.BooleanField()),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('actor_type', models.CharField(max_length=10)),
                ('actor_id', models.UUIDField()),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='paper',
            name='payer',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coverage.payer'),
        ),
        migrations.AlterField(
            model_name='paper',
            name='patient',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roster.patient'),
        ),
        migrations.AddConstraint(
            model_name='paper',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('patient__isnull', False), ('payer', None)), models.Q(('kind__in', ['invoice', 'credit_note']), ('patient', None), ('payer__isnull', False)), _connector='OR'), name='paper_of_patient_or_payer'),
        ),
        migrations.AddField(
            model_name='payerpayment',
            name='invoice',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounting.paper'),
        ),
        migrations.AddField(
            model_name='payerpayment',
            name='payer',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='coverage.payer'),
        ),
        migrations.AddField(
            model_name='payerpayment',
            name='practice',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice'),
        ),
        migrations.AddField(
            model_name='payerpayment',
            name='takes_back',
            field=rapport.platform.tenancy.models.PracticeForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounting.payerpayment'),
        ),
        migrations.AddIndex(
            model_name='payerpayment',
            index=models.Index(fields=['practice', 'invoice', 'created_at'], name='payer_payment_by_invoice'),
        ),
        migrations.AddConstraint(
            model_name='payerpayment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cents__gt', 0), ('takes_back', None)), models.Q(('cents__lt', 0), ('takes_back__isnull', False)), _connector='OR'), name='payer_payment_sign'),
        ),
        migrations.AddConstraint(
            model_name='payerpayment',
            constraint=models.UniqueConstraint(condition=models.Q(('takes_back__isnull', False)), fields=('practice', 'takes_back'), name='payer_payment_taken_back_once'),
        ),
        SecurePracticeTable('PayerPayment', append_only=True),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
    ]
