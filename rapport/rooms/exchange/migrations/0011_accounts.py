"""Codes of one account are used once, whoever uses it; texts that come to a mailbox; which session gave anything."""

from django.db import migrations, models

# An instant and nothing else crosses the wall, to who has the digest of the account.
CODE_USED = """
CREATE FUNCTION rapport_account_code_used(account bytea, lost interval) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT max(coalesce(s.ended_at, s.began_at + lost)) FROM exchange_connection c
    JOIN exchange_signin s ON s.practice_id = c.practice_id AND s.connection_id = c.id
    WHERE c.account_digest = account AND s.used_totp
$$;
REVOKE ALL ON FUNCTION rapport_account_code_used(bytea, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_account_code_used(bytea, interval) TO rapport_app;
"""


class Migration(migrations.Migration):
    dependencies = [("exchange", "0010_raw_text")]
    operations = [
        migrations.AddField("portalsession", "fruitful_epoch", models.IntegerField(default=0)),
        migrations.AddField("codemailbox", "text_sender", models.CharField(blank=True, max_length=254)),
        migrations.AddField("codemailbox", "text_telephone", models.CharField(blank=True, max_length=4)),
        migrations.RunSQL(CODE_USED, "DROP FUNCTION rapport_account_code_used(bytea, interval)"),
    ]
