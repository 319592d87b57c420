"""Taking an idempotency key is one call: the lock first, then, seen anew, what is stored under it."""

from django.db import migrations

# Each statement of a volatile function sees what was committed before it began. In one SELECT the
# look would be older than the lock, and an answer stored in between would be missed.
CLAIM = """
CREATE FUNCTION rapport_claim_key(in_lock bigint, in_actor uuid, in_key text)
RETURNS TABLE (taken boolean, fingerprint bytea, status integer, headers text, body_sealed bytea)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
    IF NOT pg_try_advisory_xact_lock(in_lock) THEN
        RETURN QUERY SELECT false, NULL::bytea, NULL::integer, NULL::text, NULL::bytea;
        RETURN;
    END IF;
    RETURN QUERY SELECT true, a.fingerprint, a.status::integer, a.headers::text, a.body_sealed
        FROM (SELECT) one LEFT JOIN api_storedanswer a
        ON a.practice_id = current_setting('rapport.practice_id')::uuid AND a.actor_id = in_actor
        AND a.key = in_key AND a.expires_at > clock_timestamp();
END $$;
REVOKE ALL ON FUNCTION rapport_claim_key(bigint, uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_claim_key(bigint, uuid, text) TO rapport_app;
"""


class Migration(migrations.Migration):
    dependencies = [("api", "0003_practice_unbound")]
    operations = [migrations.RunSQL(CLAIM, migrations.RunSQL.noop)]
