"""A claim of which a payer was asked may wait for a person."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('claims', '0011_own_word'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='workitem',
            name='work_item_kind_known',
        ),
        migrations.AddConstraint(
            model_name='workitem',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['rejected', 'refused', 'filing', 'status'])), name='work_item_kind_known'),
        ),
    ]
