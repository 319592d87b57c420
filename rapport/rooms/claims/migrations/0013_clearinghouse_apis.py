"""Channels of the shapes of two public clearinghouse APIs, room for the token that one of them is read on by, and doubt as work."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('claims', '0012_status_work'),
        ('tenancy', '0005_seen_at'),
    ]

    operations = [
        migrations.AlterField(
            model_name='channel',
            name='inbound_cursor',
            field=models.CharField(blank=True, max_length=2000),
        ),
        migrations.RemoveConstraint(
            model_name='channel',
            name='channel_kind_known',
        ),
        migrations.AddConstraint(
            model_name='channel',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['http', 'stedi', 'claim_md', 'sftp', 'download', 'portal'])), name='channel_kind_known'),
        ),
        migrations.RemoveConstraint(
            model_name='workitem',
            name='work_item_kind_known',
        ),
        migrations.AddConstraint(
            model_name='workitem',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['rejected', 'refused', 'filing', 'status', 'doubt'])), name='work_item_kind_known'),
        ),
    ]
