"""When another system was last seen to have a record: asked of whoever keeps the mirror."""

from django.db import migrations

# The room that keeps a mirror puts its own in this one's place.
SEEN_AT = """
CREATE FUNCTION rapport_seen_at(practice uuid, system text, kind text, remote_id text)
RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT NULL::timestamptz';
REVOKE ALL ON FUNCTION rapport_seen_at(uuid, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_seen_at(uuid, text, text, text) TO rapport_app;
"""


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0004_system")]
    operations = [migrations.RunSQL(SEEN_AT, migrations.RunSQL.noop)]
