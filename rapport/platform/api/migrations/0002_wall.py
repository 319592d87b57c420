"""Stored answers behind the wall."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable


class Migration(migrations.Migration):
    dependencies = [("api", "0001_initial"), ("tenancy", "0001_initial")]
    operations = [SecurePracticeTable("StoredAnswer")]
