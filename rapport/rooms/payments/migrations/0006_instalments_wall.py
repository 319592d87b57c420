"""A planned charge is of a payment plan of its own practice."""

from django.db import migrations

SQL = """
ALTER TABLE payments_planned ADD CONSTRAINT payments_planned_plan_id_fk
    FOREIGN KEY (practice_id, plan_id) REFERENCES accounting_paymentplan (practice_id, id)
    DEFERRABLE INITIALLY IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_instalments"), ("accounting", "0005_payment_plans_wall")]
    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]
