"""Names as a portal has them, with characters that nobody sees, are kept beside what they are read as."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0009_parts")]
    operations = [migrations.AddField("shadow", "raw_sealed", models.BinaryField(null=True))]
