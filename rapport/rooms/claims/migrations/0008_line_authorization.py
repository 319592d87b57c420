"""Which authorisation a line uses."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('claims', '0007_status_inquiries'),
    ]

    operations = [
        migrations.AddField(
            model_name='claimline',
            name='authorization_id',
            field=models.UUIDField(null=True),
        ),
    ]
