"""Put identity behind the wall, and the function by which a token enters a practice."""

from django.db import migrations

from rapport.platform.db.secure import SecurePracticeTable

ENTER = """
CREATE FUNCTION rapport_enter(token_digest bytea, all_seeing text[])
RETURNS TABLE (
    trouble text, practice_id uuid, actor_type text, actor_id uuid, user_id uuid, roles text[],
    clinician_id uuid, supervises uuid[], session_id uuid, amr text[], time_zone text,
    livemode boolean, caseload_only boolean, key_scopes text[], ip_allowlist text[]
)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    cred identity_credential%ROWTYPE;
    signed_in identity_session%ROWTYPE;
    key identity_apikey%ROWTYPE;
    member identity_membership%ROWTYPE;
    house tenancy_practice%ROWTYPE;
    person_active boolean;
    caseload text := '*';
    moment timestamptz := clock_timestamp();
BEGIN
    SELECT * INTO cred FROM identity_credential c WHERE c.digest = token_digest;
    IF NOT FOUND OR cred.kind NOT IN ('access', 'api_key') THEN
        PERFORM set_config('rapport.practice_id', '00000000-0000-0000-0000-000000000000', true),
                set_config('rapport.caseload', '', true);
        trouble := 'unknown'; RETURN NEXT; RETURN;
    END IF;
    practice_id := cred.practice_id;
    trouble := CASE WHEN cred.expires_at <= moment THEN 'expired' END;
    IF cred.kind = 'access' THEN
        SELECT * INTO signed_in FROM identity_session s
            WHERE s.practice_id = cred.practice_id AND s.id = cred.session_id;
        SELECT * INTO member FROM identity_membership m
            WHERE m.practice_id = cred.practice_id AND m.id = signed_in.membership_id;
        IF signed_in.ended_at IS NOT NULL THEN trouble := 'revoked';
        ELSIF signed_in.expires_at <= moment THEN trouble := coalesce(trouble, 'expired');
        ELSIF signed_in.last_used_at < moment - interval '15 minutes' THEN
            trouble := coalesce(trouble, 'idle');
        END IF;
        actor_type := 'user'; actor_id := member.user_id; session_id := signed_in.id;
        amr := signed_in.amr::text[]; key_scopes := NULL; ip_allowlist := NULL;
        IF trouble IS NULL AND signed_in.last_used_at < moment - interval '1 minute' THEN
            UPDATE identity_session s SET last_used_at = moment
                WHERE s.practice_id = cred.practice_id AND s.id = signed_in.id;
        END IF;
    ELSE
        SELECT * INTO key FROM identity_apikey k
            WHERE k.practice_id = cred.practice_id AND k.id = cred.api_key_id;
        SELECT * INTO member FROM identity_membership m
            WHERE m.practice_id = cred.practice_id AND m.id = key.owner_id;
        IF key.revoked_at IS NOT NULL THEN trouble := 'revoked'; END IF;
        actor_type := 'api_key'; actor_id := key.id; key_scopes := key.scopes::text[];
        ip_allowlist := key.ip_allowlist::text[];
        IF trouble IS NULL AND coalesce(key.last_used_at, '-infinity') < moment - interval '1 minute' THEN
            UPDATE identity_apikey k SET last_used_at = moment
                WHERE k.practice_id = cred.practice_id AND k.id = key.id;
        END IF;
    END IF;
    SELECT u.is_active INTO person_active FROM identity_user u WHERE u.id = member.user_id;
    IF member.id IS NULL OR NOT member.active OR NOT coalesce(person_active, false) THEN
        trouble := 'disabled';
    END IF;
    SELECT * INTO house FROM tenancy_practice p WHERE p.id = cred.practice_id;
    user_id := member.user_id; roles := member.roles::text[]; clinician_id := member.clinician_id;
    supervises := member.supervises; time_zone := house.time_zone; livemode := house.livemode;
    caseload_only := house.caseload_only;
    IF house.caseload_only AND NOT member.roles::text[] && all_seeing THEN
        caseload := array_to_string(array_append(member.supervises, member.clinician_id), ',');
    END IF;
    IF trouble IS NOT NULL THEN caseload := ''; END IF;
    PERFORM set_config('rapport.practice_id', cred.practice_id::text, true),
            set_config('rapport.caseload', caseload, true);
    RETURN NEXT;
END $$;
REVOKE ALL ON FUNCTION rapport_enter(bytea, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rapport_enter(bytea, text[]) TO rapport_app;
"""


class Migration(migrations.Migration):
    dependencies = [("identity", "0001_initial"), ("tenancy", "0001_initial")]
    operations = [
        SecurePracticeTable("Membership"),
        SecurePracticeTable("Session"),
        SecurePracticeTable("ApiKey"),
        migrations.RunSQL(ENTER, migrations.RunSQL.noop),
    ]
