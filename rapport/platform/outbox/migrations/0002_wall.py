"""The outbox behind the wall."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable


class Migration(migrations.Migration):
    dependencies = [("outbox", "0001_initial"), ("tenancy", "0001_initial")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE outbox_position", migrations.RunSQL.noop),
        SecurePracticeTable("OutboxEvent"),
        SecurePracticeTable("WebhookEndpoint"),
        SecurePracticeTable("Delivery"),
    ]
