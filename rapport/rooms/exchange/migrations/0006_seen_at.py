"""The mirror says when a portal was last seen to have a record as it is here."""

from django.db import migrations

# A record that the last whole reading missed, or whose change a room could not take over, is as old as it was.
SEEN_AT = """
CREATE OR REPLACE FUNCTION rapport_seen_at(practice uuid, system text, kind text, remote_id text)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT max(s.read_at) FROM exchange_connection c
    JOIN exchange_shadow s ON s.practice_id = c.practice_id AND s.connection_id = c.id
    WHERE c.practice_id = $1 AND c.definition = $2 AND s.kind = $3 AND s.remote_id = $4
        AND s.misses = 0 AND s.gone_at IS NULL AND s.held_code = ''
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("exchange", "0005_write_under"), ("tenancy", "0005_seen_at")]
    operations = [migrations.RunSQL(SEEN_AT, migrations.RunSQL.noop)]
