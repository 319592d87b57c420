"""A practice is never removed; and how PostgreSQL writes ids, instants and texts as the API does."""

from django.db import migrations

LASTING = """
CREATE TRIGGER tenancy_practice_lasts BEFORE DELETE ON tenancy_practice
    FOR EACH ROW EXECUTE FUNCTION rapport_refuse_change();
"""

# TypeID 0.3: 26 letters of 5 bits each, the first of which has two bits to spare.
FORMS = """
CREATE FUNCTION rapport_type_id(prefix text, id uuid) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT prefix || '_' || string_agg(
        substr('0123456789abcdefghjkmnpqrstvwxyz',
            substring(B'00' || ('x' || replace(id::text, '-', ''))::bit(128) FROM 1 + 5 * n FOR 5)
                ::bit(5)::int + 1, 1), '' ORDER BY n)
    FROM generate_series(0, 25) n
$$;
CREATE FUNCTION rapport_instant(at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
CREATE FUNCTION rapport_json(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(to_json(nullif(value, ''))::text, 'null')
$$;
COMMENT ON FUNCTION rapport_json IS 'A text as JSON; an empty one is null, as the API shows it.';
"""


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0002_probe")]
    operations = [
        migrations.RunSQL(LASTING, "DROP TRIGGER tenancy_practice_lasts ON tenancy_practice"),
        migrations.RunSQL(
            FORMS,
            "DROP FUNCTION rapport_type_id; DROP FUNCTION rapport_instant; DROP FUNCTION rapport_json",
        ),
    ]
