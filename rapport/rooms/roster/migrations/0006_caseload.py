"""Ask for a caller's caseload once per statement, on tables that were made before that was so."""

from django.db import migrations

# On a database that is made now the function is there already (0002), and no policy is old.
ONCE = r"""
CREATE OR REPLACE FUNCTION rapport_caseload() RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT t.patient_id FROM roster_careteam t
    WHERE t.practice_id = current_setting('rapport.practice_id')::uuid
        AND t.clinician_id = ANY (
            string_to_array(nullif(current_setting('rapport.caseload'), '*'), ',')::uuid[])
$$;
DO $$
DECLARE old record;
BEGIN
    FOR old IN
        SELECT tablename, policyname, (regexp_match(qual, 'rapport_may_see[(]\w+, (\w+)[)]'))[1] AS patient
        FROM pg_policies WHERE qual LIKE '%rapport_may_see(%'
    LOOP
        EXECUTE format(
            'ALTER POLICY %I ON %I USING (current_setting(''rapport.caseload'') = ''*'''
            ' OR %I IN (SELECT rapport_caseload()))', old.policyname, old.tablename, old.patient);
    END LOOP;
END $$;
DROP FUNCTION IF EXISTS rapport_may_see(uuid, uuid);
"""


class Migration(migrations.Migration):
    dependencies = [("roster", "0005_face")]
    operations = [migrations.RunSQL(ONCE, migrations.RunSQL.noop)]
