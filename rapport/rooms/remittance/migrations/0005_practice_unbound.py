import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('remittance', '0004_posted_before'),
        ('tenancy', '0002_probe'),
    ]

    operations = [
        migrations.AlterField(
            model_name='erafile',
            name='practice',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice'),
        ),
        migrations.AlterField(
            model_name='remittance',
            name='practice',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice'),
        ),
        migrations.AlterField(
            model_name='remittanceline',
            name='practice',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenancy.practice'),
        ),
    ]
